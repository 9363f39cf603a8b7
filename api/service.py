"""What a service consists of beside the engine: its database and what works on it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.answers import Answers
from api.database import DATABASE, ServiceDatabase
from api.engine import Engine
from api.feedback import Feedback
from api.job_runner import JobRunner
from api.jobs import Jobs
from api.keys import Keys
from api.page_images import PageImages
from api.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of a running service, for its routes."""

    engine: Engine
    database: ServiceDatabase
    keys: Keys
    answers: Answers
    feedback: Feedback
    jobs: Jobs
    uploads: Uploads
    runner: JobRunner
    page_images: PageImages


def build_service(engine: Engine) -> Service:
    """Put a service together; nothing is opened, read or started."""
    config = engine.config
    database = ServiceDatabase(config.index_dir / DATABASE)
    jobs = Jobs(database)
    uploads = Uploads(database, config.index_dir)
    return Service(
        engine=engine,
        database=database,
        keys=Keys(database),
        answers=Answers(database, config.keep_answers),
        feedback=Feedback(database),
        jobs=jobs,
        uploads=uploads,
        runner=JobRunner(config, jobs, uploads, engine.embedder),
        page_images=PageImages(),
    )


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


UsedService = Annotated[Service, Depends(_service)]
UsedEngine = Annotated[Engine, Depends(_engine)]
