"""Answers of several threads written together: the same tokens, in fewer steps."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.continuous import MOST_READ, ContinuousBatch, Job

END, BAD = 0, 666


class CountingRows:
    """A model whose next token depends on what its row has read: a count of it modulo 97.

    Remembers the rows of each step; waits for a gate, and fails where BAD was read.
    """

    def __init__(self) -> None:
        self.rows: list[list[int]] = []
        self.jobs: list[Job] = []
        self.steps: list[int] = []
        self.read: list[int] = []
        self.rested = 0
        self.gate = threading.Event()
        self.gate.set()

    def join(self, jobs: Sequence[Job]) -> None:
        """Read the prompts; BAD at the beginning of one fails."""
        self.read.append(len(jobs))
        if any(job.prompt[0] == BAD for job in jobs):
            raise RuntimeError("can not be read")
        self.jobs += jobs
        self.rows += [list(job.prompt) for job in jobs]

    def step(self, first: int, last: int) -> list[int | Exception]:
        """Count what each row has read; BAD in it fails the step."""
        self.gate.wait(10)
        rows, jobs = self.rows[first:last], self.jobs[first:last]
        if any(BAD in row for row in rows):
            raise RuntimeError("can not be written")
        self.steps.append(last - first)
        found: list[int | Exception] = []
        for row, job in zip(rows, jobs, strict=True):
            try:
                token = job.choose(sum(i * token for i, token in enumerate(row[-99:], 1)) % 97)
            except ValueError as error:
                found.append(error)
                continue
            row.append(token)
            found.append(token)
        return found

    def leave(self, row: int) -> None:
        """Remove a row; the last one gets its number."""
        for values in (self.rows, self.jobs):
            last = values.pop()
            if row < len(values):
                values[row] = last  # type: ignore[call-overload]

    def rest(self) -> None:
        """Count, and let go of all."""
        self.rested += 1
        self.rows.clear()
        self.jobs.clear()


def endless(count: int) -> int:
    """Never choose END."""
    return count or 1


def job(prompt: Sequence[int], most: int = 10, choose: Callable[[int], int] = endless) -> Job:
    return Job(prompt, 0, most, frozenset({END}), choose)


def written(batch: ContinuousBatch, asked: Job) -> list[int]:
    with closing(batch.tokens(asked)) as tokens:
        return [token for token in tokens if token is not None]


def first(tokens: Iterable[int | None]) -> int:
    """Return the next token, however long it takes."""
    return next(token for token in tokens if token is not None)


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition to hold."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.001)


def idle(batch: ContinuousBatch) -> bool:
    return batch._thread is None and batch.active == 0


prompts = st.lists(
    st.tuples(st.lists(st.integers(1, 96), min_size=1, max_size=5), st.integers(1, 12)),
    min_size=1,
    max_size=12,
)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(prompts, st.integers(1, 60))
def test_together_as_alone(asked: list[tuple[list[int], int]], most_tokens: int) -> None:
    """Whoever writes at the same time, however little room there is: each gets its own tokens."""
    jobs = [job(prompt, most, int) for prompt, most in asked]
    alone = [written(ContinuousBatch(CountingRows()), each) for each in jobs]
    batch = ContinuousBatch(CountingRows(), most_tokens)
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda each: written(batch, each), jobs)) == alone
    until(lambda: idle(batch))


def test_an_answer_ends_with_its_end_token_or_its_length() -> None:
    """Worked by hand: 1 → 1·1, then 1·1 + 2·1 = 3, then 3 + 3·3 = 12; an end token is the last."""
    batch = ContinuousBatch(CountingRows())
    assert written(batch, job([1], most=3)) == [1, 3, 12]
    ending = job([1], most=9, choose=lambda count: END if count == 12 else count)
    assert written(batch, ending) == [1, 3, END]


def test_sixteen_take_their_steps_together() -> None:
    """Who asks while a step is taken joins at the next: 16 answers in 11 steps, not 160."""
    rows = CountingRows()
    rows.gate.clear()
    batch = ContinuousBatch(rows)
    with ThreadPoolExecutor(16) as pool:
        opening = pool.submit(written, batch, job([1]))
        until(lambda: len(rows.rows) == 1)
        rest = [pool.submit(written, batch, job([n])) for n in range(2, 17)]
        until(lambda: len(batch._line) == 15)
        rows.gate.set()
        for each in [opening, *rest]:
            assert len(each.result()) == 10
    assert rows.steps == [1, *[16] * 9, 15]
    until(lambda: idle(batch))
    assert rows.rested == 1 and not any(t.name == "writing" for t in threading.enumerate())


def test_who_leaves_gives_up_the_row() -> None:
    """A stream that is closed, begun or not, is not written on; its neighbours are."""
    rows = CountingRows()
    batch = ContinuousBatch(rows, most_tokens=10**7)
    leaving = batch.tokens(job([5], most=10**5))
    staying = batch.tokens(job([6], most=300))
    assert (first(leaving), first(staying)) == (5, 6)
    leaving.close()
    assert len([token for token in staying if token is not None]) == 299
    until(lambda: idle(batch))
    assert sum(rows.steps) < 10**5


def test_who_leaves_the_line_is_never_read() -> None:
    """One that waits for room and is given up costs nothing, and those behind it move up."""
    rows = CountingRows()
    rows.gate.clear()
    batch = ContinuousBatch(rows, most_tokens=12)
    with ThreadPoolExecutor(2) as pool:
        opening = pool.submit(written, batch, job([1]))
        until(lambda: len(rows.rows) == 1)
        waiting = batch.tokens(job([2]))
        assert next(waiting) is None  # a moment without a token: who waits may look around
        last = pool.submit(written, batch, job([3]))
        until(lambda: len(batch._line) == 2)
        waiting.close()
        rows.gate.set()
        assert len(opening.result()) == len(last.result()) == 10
    assert rows.read == [1, 1] and max(rows.steps) == 1


def test_a_reader_that_stops_holds_up_nobody() -> None:
    """Its answer is written to its end, and so are the others."""
    batch = ContinuousBatch(CountingRows())
    slow = batch.tokens(job([7], most=50))
    assert first(slow) == 7
    assert len(written(batch, job([8], most=200))) == 200
    assert len([token for token in slow if token is not None]) == 49


def test_one_that_fails_fails_alone() -> None:
    """On reading, on running the model, or on choosing: the others get all of their tokens."""

    def refuse(_: int) -> int:
        raise ValueError("nothing to choose")

    rows = CountingRows()
    rows.gate.clear()
    batch = ContinuousBatch(rows)
    good = [job([n, 2]) for n in range(1, 6)]
    bad = [job([BAD]), job([4, BAD]), job([5], choose=refuse)]
    with ThreadPoolExecutor(9) as pool:
        opening = pool.submit(written, batch, good[0])
        until(lambda: len(rows.rows) == 1)
        rest = [pool.submit(written, batch, each) for each in [*bad, *good[1:]]]
        until(lambda: len(batch._line) == 7)
        rows.gate.set()
        for each, message in zip(rest, ("read", "written", "choose"), strict=False):
            with pytest.raises((RuntimeError, ValueError), match=message):
                each.result()
        for each, asked in zip([opening, *rest[3:]], good, strict=True):
            assert each.result() == written(ContinuousBatch(CountingRows()), asked)
    assert max(rows.steps) > 1  # they were together
    until(lambda: idle(batch))


def test_those_who_came_first_are_first() -> None:
    """With room for one, in the order of asking; a long one is not passed by for ever."""
    rows = CountingRows()
    rows.gate.clear()
    batch = ContinuousBatch(rows, most_tokens=30)
    with ThreadPoolExecutor(4) as pool:
        pool.submit(written, batch, job([1]))
        until(lambda: len(rows.rows) == 1)
        for place, most in enumerate((200, 4, 4), 1):
            pool.submit(written, batch, job([2], most))
            until(lambda place=place: len(batch._line) == place)  # type: ignore[misc]
        rows.gate.set()
    # The first, the long one alone, then the last two, which fit together.
    assert rows.steps == [1] * 210 + [2] * 4


def test_long_prompts_are_read_between_steps() -> None:
    """New prompts do not keep those who write for long: at most so many tokens are read at once."""
    rows = CountingRows()
    rows.gate.clear()
    batch = ContinuousBatch(rows)
    half = [1] * (MOST_READ // 2)
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(written, batch, job([3], most=30))]
        until(lambda: len(rows.rows) == 1)
        asked += [pool.submit(written, batch, job(half, most=30)) for _ in range(4)]
        asked += [pool.submit(written, batch, job(half * 4, most=2))]
        until(lambda: len(batch._line) == 5)
        rows.gate.set()
        assert [len(each.result()) for each in asked[:5]] == [30] * 5
    assert sum(rows.read) == 6 and max(rows.read) <= 2
    assert rows.steps[:2] == [1, 3]


def test_an_error_of_our_own_reaches_everybody() -> None:
    """Nobody waits for ever when the thread that writes dies."""

    class Broken(CountingRows):
        def leave(self, row: int) -> None:
            raise KeyError(row)

    rows = Broken()
    rows.gate.clear()
    batch = ContinuousBatch(rows)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(written, batch, job([n], most)) for n, most in ((1, 1), (2, 50))]
        until(lambda: len(rows.rows) + len(batch._line) == 2)
        rows.gate.set()
        with pytest.raises(RuntimeError, match="KeyError"):
            asked[1].result()
    until(lambda: idle(batch))
    assert not rows.rows and rows.rested == 1
