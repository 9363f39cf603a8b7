"""Who can use the page: axe-core over its states, and a service that wants a key."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from api.database import DATABASE, ServiceDatabase
from api.keys import Keys, Scope
from rag.config import Config
from tests.api.test_service_process import serving
from tests.page.conftest import Windows, ask, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

CITATIONS = "What is citation precision?"
METALS = "At what temperature does gallium melt?"


def serious(page: "Page", where: str) -> list[str]:
    """Return what axe-core finds that keeps somebody from using the page, and where."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    response = axe.Axe().run(page).response
    assert len(response["passes"]) > 10  # it looked
    found = response["violations"]
    return [
        f"{where}: {each['id']} {node['target']} {node.get('failureSummary', '')}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(windows: Windows, scheme: str) -> None:
    """Empty, answered, no answer, quote, source, page, documents, settings, side by side."""
    page = windows.open(color_scheme=scheme, reduced_motion="reduce")
    found = serious(page, "empty")
    page.locator("#options summary").click()
    ask(page, METALS)
    found += serious(page, "no answer")
    turn = ask(page, CITATIONS)
    page.locator(".about summary").last.click()
    turn.locator(".cite").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    eventually(page, lambda: page.locator("#quote").is_visible())
    found += serious(page, "quote")
    page.keyboard.press("Enter")
    page.locator("#source mark").wait_for()
    found += serious(page, "source")
    page.get_by_role("tab", name="Page").click()
    page.locator("canvas[data-page]").wait_for()
    found += serious(page, "page")
    page.keyboard.press("Escape")
    turn.get_by_role("button", name="Correct").click()
    found += serious(page, "correction")
    page.click("#open-documents")
    page.locator(".files li").first.wait_for()
    page.get_by_role("button", name="Delete Tokens and tokenizers").click()
    found += serious(page, "documents")
    page.keyboard.press("Escape")
    page.click("#open-settings")
    found += serious(page, "settings")
    page.keyboard.press("Escape")
    turn.get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="Ask again").click()
    page.locator("#compare [role=status]").get_by_text(".").first.wait_for()
    found += serious(page, "compare")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_a_phone(windows: Windows, scheme: str) -> None:
    """The menu, an answer and its source, each over the whole screen."""
    page = windows.open(phone=True, color_scheme=scheme, reduced_motion="reduce")
    turn = ask(page, CITATIONS)
    found = serious(page, "answer")
    page.get_by_role("button", name="Menu").tap()
    found += serious(page, "menu")
    page.keyboard.press("Escape")
    turn.locator(".cite").first.tap()
    page.locator("#quote button").tap()
    page.locator("#source mark").wait_for()
    found += serious(page, "source")
    assert not found, "\n".join(found)


def test_a_key_is_asked_for_and_kept_as_its_user_wants(
    browser: "Browser", indexes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one nothing is shown; one for reading offers no upload; where passages go is told."""
    shutil.copytree(indexes, tmp_path / "indexes")
    config = Config(index_dir=tmp_path / "indexes")
    _, token = Keys(ServiceDatabase(config.index_dir / DATABASE)).create("page", [Scope.READ])
    monkeypatch.setenv("RAG_OPENAI_BASE_URL", "http://models.invalid:9000/v1")
    assert os.environ["RAG_OPENAI_BASE_URL"]
    with serving(config, "--generator", "openai:tiny") as served:
        served.ready()
        windows = Windows(browser, served.url)
        try:
            used_with_a_key(windows, token)
        finally:
            windows.close()
        assert windows.seen.strange(served.url) == [] and windows.seen.dialogs == []


def used_with_a_key(windows: Windows, token: str) -> None:
    """Open the page without a key, with a wrong one, and with a good one."""
    page: Any = windows.open()
    page.get_by_text("This service needs a key.").wait_for()
    eventually(page, lambda: page.locator("#collection option").count() == 0)
    for given in ("rag_wrong", token):
        page.fill("#key", given)
        page.get_by_role("button", name="Save").click()
        if given != token:
            page.get_by_text("This key is not accepted.").wait_for()
    page.locator("#collection option").first.wait_for(state="attached")
    eventually(page, lambda: "models.invalid:9000" in (page.locator("#sends").text_content() or ""))
    page.click("#open-documents")
    page.locator(".files li").first.wait_for()
    eventually(
        page,
        lambda: page.locator("#files").count() == 0 and page.locator(".files .icon").count() == 0,
    )
    page.keyboard.press("Escape")
    kept = "[sessionStorage.getItem('rag.key'), localStorage.getItem('rag.key')]"
    eventually(page, lambda: page.evaluate(kept) == [token, None])
    page.locator("#quote-only").evaluate("box => box.click()")
    turn = ask(page, CITATIONS)
    turn.locator(".cite").first.click()
    page.get_by_role("tab", name="Page").click()
    page.locator("canvas[data-page]").wait_for()
    page.keyboard.press("Escape")
    page.click("#open-settings")
    page.locator("#settings input[type=checkbox]").check()
    page.get_by_role("button", name="Save").click()
    eventually(page, lambda: page.evaluate(kept) == [None, token])
    page.click("#open-settings")
    page.get_by_role("button", name="Forget the key").click()
    page.get_by_text("This service needs a key.").wait_for()
    eventually(page, lambda: page.evaluate(kept) == [None, None])
    assert httpx.get(f"{windows.url}/v1/about").status_code == 401
