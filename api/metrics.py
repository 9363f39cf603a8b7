"""What Prometheus is told: numbers only; no label holds what somebody asked, named or uploaded."""

import os
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from api.admission import Admission
from api.service import Service
from rag.errors import RagError
from rag.types import Answer

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The numbers of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.watchers: list[Callable[[Answer], None]] = []
        self._requests = Histogram(
            "rag_request_seconds",
            "Time of requests by route and status",
            ["method", "route", "status"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "rag_stage_seconds",
            "Time of an answer by stage",
            ["stage"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._answers = Counter(
            "rag_answers",
            "Answers by method, or why they abstained",
            ["outcome"],
            registry=self.registry,
        )
        self._claims = Counter(
            "rag_claims", "Claims of answers by verdict", ["verdict"], registry=self.registry
        )
        self._pieces = Counter(
            "rag_generated_pieces", "Pieces of text from the generator", registry=self.registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that has ended; status 0 stands for a client that left before it."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def answer(self, answer: Answer) -> None:
        """Count an answer."""
        outcome = answer.reason.value if answer.reason else answer.method.value
        self._answers.labels(outcome).inc()
        for claim in answer.claims:
            self._claims.labels(claim.verdict.value).inc()
        for stage, seconds in answer.timings.items():
            self._stages.labels(stage).observe(seconds)
        for watcher in self.watchers:
            watcher(answer)

    def piece(self) -> None:
        """Count a piece that the generator wrote."""
        self._pieces.inc()

    def text(self, service: Service, admission: Admission) -> bytes:
        """Return everything in Prometheus's text format; of all processes, where they share."""
        present = CollectorRegistry()
        present.register(_Present(service, admission))
        if os.environ.get(MULTIPROCESS):
            shared = CollectorRegistry()
            MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
            return generate_latest(shared) + generate_latest(present)
        return generate_latest(self.registry) + generate_latest(present)


class _Present(Collector):
    """What can be told at any time of this process and the default index."""

    def __init__(self, service: Service, admission: Admission) -> None:
        self._service = service
        self._admission = admission

    def collect(self) -> Iterable[Metric]:
        yield from _gauges(
            {
                "rag_active": ("Requests that hold a slot", self._admission.active),
                "rag_waiting": ("Requests in the line", self._admission.waiting),
                "rag_waiting_tokens": ("Their tokens, estimated", self._admission.waiting_tokens),
                "rag_draining": ("Whether the server is about to end", self._admission.draining),
            }
        )
        hits, misses = self._service.engine.cached
        cache = CounterMetricFamily(
            "rag_embedding_cache", "Texts that were embedded before, or not", labels=["result"]
        )
        cache.add_metric(["hit"], hits)
        cache.add_metric(["miss"], misses)
        yield cache
        yield from self._index()

    def _index(self) -> Iterator[Metric]:
        engine = self._service.engine
        try:
            documents, passages = engine.answerer(engine.index).retriever.store.count()
        except RagError:
            return  # not there, or damaged: readyz tells
        yield from _gauges(
            {
                "rag_index_documents": ("Documents of the default index", documents),
                "rag_index_passages": ("Passages of the default index", passages),
            }
        )


def _gauges(values: dict[str, tuple[str, float]]) -> Iterator[Metric]:
    for name, (told, value) in values.items():
        yield GaugeMetricFamily(name, told, value=float(value))
