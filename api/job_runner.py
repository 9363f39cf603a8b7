"""What does ingestion jobs: one thread of one process, one job at a time.

Of several processes the one that holds a lock does them; the kernel lets go of it when the
process dies, and the next one goes on.
"""

import logging
import threading
import time
from collections.abc import Callable

import filelock

from api.errors import INTERNAL
from api.jobs import Job, Jobs
from api.uploads import Uploads
from rag.config import Config
from rag.errors import IndexLocked, RagError
from rag.ingest import Progress, ingest
from rag.protocols import Embedder
from rag.store import index_path, require_index
from rag.views import Json, ingest_view

logger = logging.getLogger(__name__)

LOCK = "service.jobs.lock"
# How often other processes' jobs are looked for, and an index that another program writes.
PAUSE = 1.0
# Progress is stored so often at most: each time costs a write to the disk.
STEP = 0.25


class Interrupted(Exception):
    """The server ends; what was committed is kept, and the job goes on at the next start."""


class JobRunner:
    """Works through the jobs of a service until it is stopped."""

    def __init__(
        self, config: Config, jobs: Jobs, uploads: Uploads, embedder: Callable[[], Embedder]
    ) -> None:
        """Take the settings, the jobs, and what gives the embedder once models are loaded."""
        self._config = config
        self._jobs = jobs
        self._uploads = uploads
        self._embedder = embedder
        self._stopped = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look for a job now."""
        self._woken.set()

    def stop(self, patience: float = 10.0) -> None:
        """End, at the next document of a job that is being done."""
        self._stopped.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(patience)

    def _run(self) -> None:
        self._config.index_dir.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self._config.index_dir / LOCK)
        while not self._stopped.is_set():
            try:
                with lock.acquire(timeout=0):
                    self._jobs.recover()
                    self._uploads.tidy()
                    self._work()
            except filelock.Timeout:
                self._pause()
            except Exception:
                logger.exception("jobs can not be done for now")
                self._pause()

    def _work(self) -> None:
        while not self._stopped.is_set():
            job = self._jobs.first()
            if job is None or not self._do(job):
                self._pause()

    def _pause(self) -> None:
        self._woken.wait(PAUSE)
        self._woken.clear()

    def _do(self, job: Job) -> bool:
        """Do a job; tell whether it came to an end."""
        self._jobs.begin(job.id)
        try:
            self._jobs.done(job.id, self._ingest(job))
        except (IndexLocked, Interrupted):
            self._jobs.put_back(job.id)
            return False
        except RagError as error:
            self._jobs.failed(job.id, error.code, str(error))
        except Exception:
            logger.exception("a job failed")
            self._jobs.failed(job.id, RagError.code, INTERNAL)
        return True

    def _ingest(self, job: Job) -> Json:
        # One that was deleted meanwhile must not come back.
        require_index(index_path(self._config.index_dir, job.collection))
        listen = _Listener(self._stopped, lambda view: self._jobs.progress(job.id, view))
        report = ingest(
            [self._uploads.folder(job.collection)],
            job.collection,
            self._embedder(),
            self._config,
            confirm=lambda gone, total: True,
            listener=listen,
        )
        listen.tell()
        return _named(ingest_view(report), self._uploads.names(job.collection))


class _Listener:
    """Stores the progress of a job, now and then, and ends it when the server does."""

    def __init__(self, stopped: threading.Event, store: Callable[[Json], None]) -> None:
        self._stopped = stopped
        self._store = store
        self._last: Progress | None = None
        self._told = 0.0

    def __call__(self, progress: Progress) -> None:
        if self._stopped.is_set():
            raise Interrupted
        self._last = progress
        if time.monotonic() - self._told >= STEP:
            self.tell()

    def tell(self) -> None:
        """Store the last that was heard."""
        if self._last is not None:
            self._store(_progress_view(self._last))
        self._told = time.monotonic()


def _progress_view(progress: Progress) -> Json:
    return {
        "done_bytes": progress.done_bytes,
        "total_bytes": progress.total_bytes,
        "documents": progress.documents,
        "failed": progress.failed,
    }


def _named(report: Json, names: dict[str, str]) -> Json:
    """Return a report with the names that people gave their files."""
    for key in ("failed", "skipped", "notes"):
        for entry in report["documents"][key]:
            entry["source"] = names.get(entry["source"], entry["source"])
    return report
