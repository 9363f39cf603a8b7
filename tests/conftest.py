"""What tests of several folders share."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from rag import reading
from rag.parsing import InProcess

# Beside the checkout, unless RAG_TEST_DATA says otherwise.
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"
# A file system in memory (Linux), and what the fast tests may need of it.
MEMORY = Path("/dev/shm")
ROOM = 512 * 1024 * 1024


settings.register_profile("whole", max_examples=40, deadline=None)
settings.register_profile("fast", max_examples=5, deadline=None)


def without_slow_tests(config: pytest.Config) -> bool:
    """Whether this is a run of the fast tests alone."""
    return "not slow" in config.getoption("markexpr")


def pytest_configure(config: pytest.Config) -> None:
    """Spare a run without slow tests what only a whole run needs: many examples, and a disk.

    What is committed is synced, for which the fast tests would wait most of their time: where
    there is room, they keep their files in memory.
    """
    fast = without_slow_tests(config)
    settings.load_profile("fast" if fast else "whole")
    if fast and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


# Bytes: among the files that loaders are tested with is Python in other encodings.
NOT_FAST = re.compile(
    rb'importorskip\("(torch|openai)"\)|^pytestmark = .*mark\.(slow|model|data)\b', re.MULTILINE
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files without a fast test, or that need torch or openai, out of a run of these.

    The imports alone take seconds.
    """
    if collection_path.suffix != ".py" or not without_slow_tests(config):
        return None
    return True if NOT_FAST.search(collection_path.read_bytes()) else None


@pytest.fixture(scope="session", autouse=True)
def parsing_in_process() -> Iterator[None]:
    """Read files in the process of the test: starting another takes longer than most tests.

    Tests of the processes, and of the command line as a program, are not concerned.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "open_parser", lambda processes, ocr: InProcess(ocr))
        yield


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of development data; tests that need it skip, saying so, without it."""
    folder = Path(os.environ.get("RAG_TEST_DATA") or DEFAULT)
    if not folder.is_dir():
        pytest.skip(f"the development data is not at {folder}; set RAG_TEST_DATA to its folder")
    return folder
