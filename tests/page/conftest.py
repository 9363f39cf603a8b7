"""What the tests of the page start from: a running service, and Chromium to look at it with."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import getsource
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rag.config import Config
from rag.ingest import ingest
from rag.testing import HashEmbedder
from tests.evaluation.browser import NAMES
from tests.page.served import MILK, SLEEP

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "corpus"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
SECONDS = 60


@pytest.fixture(scope="session")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the sample corpus and a note on cats; not to be changed."""
    place = tmp_path_factory.mktemp("page")
    shutil.copytree(CORPUS, place / "docs", ignore=shutil.ignore_patterns("SOURCES.md"))
    (place / "docs/cats.md").write_text(f"# Cats\n\n{MILK} {SLEEP}\n", encoding="utf-8")
    config = Config(index_dir=place / "indexes")
    ingest([place / "docs"], "default", HashEmbedder(), config)
    return config.index_dir


@contextmanager
def process(*command: object) -> Iterator[str]:
    """Run a service that tells its address in a line of JSON; yield the address."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environ,
        cwd=ROOT,
    )
    try:
        assert running.stdout is not None
        yield json.loads(running.stdout.readline())["url"]
    finally:
        running.kill()
        running.communicate()


@pytest.fixture(scope="module")
def service(indexes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service over a copy of the index, whose answers come slowly."""
    copy = tmp_path_factory.mktemp("service") / "indexes"
    shutil.copytree(indexes, copy)
    with process("-m", "tests.page.served", copy) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium without a window.

    For a module, not longer: while it is open, this thread counts as one with a running loop.
    """
    driver = pytest.importorskip(
        "playwright.sync_api", reason="THE PAGE IS NOT TESTED: playwright is not installed"
    )
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("THE PAGE IS NOT TESTED: no browser, none of " + ", ".join(NAMES))
    with driver.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@dataclass
class Seen:
    """What a page did besides showing itself."""

    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def strange(self, origin: str) -> list[str]:
        """Return the requests that left the origin."""
        return [url for url in self.requests if not url.startswith((origin + "/", "blob:"))]


class Windows:
    """Opens pages and watches them."""

    def __init__(self, browser: "Browser", url: str) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.url = url
        self.seen = Seen()

    def open(self, *, ready: bool = True, phone: bool = False, **options: Any) -> "Page":
        """Return the page, opened in a browser that knows nothing yet."""
        page = self.blank(phone=phone, **options)
        page.goto(self.url + "/")
        if ready:
            page.wait_for_selector("body[data-ready]")
        return page

    def blank(self, *, phone: bool = False, **options: Any) -> "Page":
        """Return a page that is watched, with nothing on it."""
        size = PHONE if phone else DESKTOP
        given = {"viewport": size, "locale": "en-GB", "has_touch": phone, "is_mobile": phone}
        context = self._browser.new_context(**{**given, **options})
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1_000)
        context.on("request", lambda request: self.seen.requests.append(request.url))
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self.seen.complaints.append(str(error)))
        page.on("console", self._said)
        return page

    def _dialog(self, dialog: Any) -> None:
        self.seen.dialogs.append(dialog.message)
        dialog.dismiss()

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.seen.complaints.append(message.text)

    def close(self) -> None:
        """Close them."""
        for context in self._contexts:
            context.close()


@pytest.fixture
def windows(browser: "Browser", service: str) -> Iterator[Windows]:
    """Opens the page; nothing that it asks for may leave the service, and nothing may fail."""
    found = Windows(browser, service)
    yield found
    found.close()
    assert found.seen.strange(service) == []
    assert found.seen.dialogs == []
    assert found.seen.complaints == []


def ask(page: "Page", question: str) -> "Any":
    """Ask a question, wait for the whole answer, and return where it stands."""
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.wait_for_selector("#send:not([hidden])")
    turn = page.locator(".turn").last
    turn.locator(".opinions").wait_for()
    return turn


def eventually(page: "Page", holds: Callable[[], object]) -> None:
    """Wait until something holds: what a page shows comes a moment after what was done to it."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, getsource(holds).strip()
        page.wait_for_timeout(50)
