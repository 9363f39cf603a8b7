"""What happened on the way to an answer: the steps, and how long each took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Course:
    """Grows as an answer is made. `timings` are seconds; a stage entered twice adds up."""

    trace: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)

    def note(self, step: str) -> None:
        """Add a step."""
        self.trace.append(step)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time that the body takes to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            passed = time.perf_counter() - started
            self.timings[stage] = self.timings.get(stage, 0.0) + passed
