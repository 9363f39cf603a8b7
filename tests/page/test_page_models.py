"""The page over the default models: a question, a written answer, its source."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.page.conftest import CORPUS, ROOT, Windows, ask, process

pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`rag serve` over the sample corpus, with the models of the demo."""
    folder = tmp_path_factory.mktemp("models") / "indexes"
    rag = ["-m", "rag.cli"]
    ingest = [sys.executable, *rag, "ingest", str(CORPUS), "--index-dir", str(folder)]
    subprocess.run(ingest, check=True, cwd=ROOT, timeout=1_200, capture_output=True)
    with process(*rag, "serve", "--port", "0", "--json", "--index-dir", folder) as url:
        yield url


def test_an_answer_of_the_default_models_is_shown_with_its_proof(windows: Windows) -> None:
    """Each claim is supported; the mark in the source is the quote; Hungarian finds English."""
    page = windows.open()
    page.set_default_timeout(300_000)
    for question in (
        "What is citation precision?",
        "Mennyi memóriát igényel paraméterenként az Adam vegyes pontosságú tanításnál?",
    ):
        turn = ask(page, question)
        verdicts = turn.locator(".claim").evaluate_all("all => all.map(e => e.dataset.verdict)")
        assert verdicts and set(verdicts) == {"supported"}
        turn.locator(".cite").first.click()
        page.locator("#source mark").wait_for()
        marked = page.locator("#source mark").text_content() or ""
        page.keyboard.press("Escape")
        turn.locator(".cite").first.hover()
        quote = page.locator("#quote blockquote").text_content() or ""
        assert quote == marked and len(quote) > 20
        page.mouse.move(5, 5)
