"""What documents, their titles and their names say is text: 300 of them try to be more."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rag.config import Config
from rag.ingest import ingest
from rag.testing import HashEmbedder
from tests.page.conftest import Windows, ask, eventually, process
from tests.page.payloads import ORIGIN, payloads

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

PAYLOADS = payloads()
# So many files are taken at once.
BATCH = 100
# What the page is made of; nothing of a document may add to the first.
MADE = """() => ({
  strange: [...document.querySelectorAll(
    "script:not([src^='/static/']), link:not([href^='/static/']), a:not(.skip), meta[http-equiv]," +
    "img, iframe, object, embed, video, audio, base, style, template, [srcdoc]"
  )].map(each => each.outerHTML),
  handlers: [...document.querySelectorAll("*")].flatMap(each => [...each.attributes]
    .filter(one => /^on|javascript:/i.test(one.name) || /^(href|src|action)$/.test(one.name))
    .filter(one => !/^(\\/static\\/|#)/.test(one.value))
    .map(one => each.tagName + " " + one.name)),
  stolen: window.stolen ?? null,
  title: document.title,
})"""


def unharmed(page: "Page") -> None:
    """Check that the page is what we made of it."""
    found = page.evaluate(MADE)
    assert found["strange"] == [] and found["handlers"] == []
    assert found["stolen"] is None and found["title"] == "citable-rag"


def upload(url: str, files: list[tuple[str, bytes]]) -> dict[str, Any]:
    """Upload files and return the job at its end."""
    given = [("files", file) for file in files]
    response = httpx.post(f"{url}/v1/documents", files=given, timeout=120)
    assert response.status_code == 202, response.text
    job = response.json()["job"]
    httpx.get(f"{url}/v1/jobs/{job['id']}/events", timeout=300)
    found: dict[str, Any] = httpx.get(f"{url}/v1/jobs/{job['id']}").json()
    return found


def test_there_are_300_of_them() -> None:
    """All different; each is an attack of its own or an address that must not be asked."""
    assert len(PAYLOADS) == len(set(PAYLOADS)) == 300
    assert sum(ORIGIN in each for each in PAYLOADS) > 90


@pytest.fixture(scope="module")
def service(indexes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service over a folder of 300 documents: hostile names, headings and texts."""
    place = tmp_path_factory.mktemp("hostile")
    shutil.copytree(indexes, place / "indexes")
    (place / "docs").mkdir()
    for n, text in enumerate(PAYLOADS):
        name = f"{n} {text.replace('/', '')[:60]}.md".replace("\n", " ")
        words = f"# {text}\n\nQuarkle {n} says: {text}\n"
        (place / "docs" / name).write_text(words, encoding="utf-8")
    config = Config(index_dir=place / "indexes")
    report = ingest([place / "docs"], "default", HashEmbedder(), config)
    assert report.added + report.copies == 300 and not report.failed
    with process("-m", "tests.page.served", config.index_dir) as url:
        yield url


def test_documents_that_are_hostile_in_text_title_and_name_run_nothing(windows: Windows) -> None:
    """Listed, uploaded, opened one after the other, and found as the nearest passages."""
    names = [text for text in PAYLOADS if "/" not in text][:BATCH]
    files = [(f"{text}.md", f"Quarkle says: {text}\n".encode()) for text in names]
    job = upload(windows.url, files)
    assert job["state"] == "done" and not job["report"]["documents"]["failed"]
    page = windows.open()
    page.click("#open-documents")
    page.locator(".files li").first.wait_for()
    while page.get_by_role("button", name="Show more").count():
        shown = page.locator(".files li").count()
        page.get_by_role("button", name="Show more").click()
        page.locator(f".files li >> nth={shown}").wait_for()
    eventually(page, lambda: page.locator(".files li").count() >= 300)
    unharmed(page)
    assert page.evaluate(OPEN_ALL) >= 300
    unharmed(page)
    page.keyboard.press("Escape")
    for n in (3, 41, 260):
        ask(page, f"What does Quarkle {n} say?")
        unharmed(page)


# Every row is clicked, by a script: three hundred clicks of a mouse take minutes.
OPEN_ALL = """async () => {
  let opened = 0;
  for (const row of [...document.querySelectorAll(".file")]) {
    document.querySelector("#source").replaceChildren();
    row.click();
    for (let i = 0; i < 400 && !document.querySelector("#source .doc-text"); i += 1)
      await new Promise(done => setTimeout(done, 10));
    opened += document.querySelector("#source .doc-text") ? 1 : 0;
  }
  return opened;
}"""


def hostile(text: str, n: int) -> dict[str, Any]:
    """Return a passage and citation at once, hostile in every field."""
    names = ("passage_id", "document_id", "source", "title", "unit", "section", "text", "quote")
    named: dict[str, Any] = dict.fromkeys(names, text)
    return {
        **named,
        "rank": n,
        "score": 1.0,
        "n": n,
        "also_in": [text],
        "page": 1,
        "start": 0,
        "end": 9,
    }


def events(texts: list[str]) -> str:
    """Return a stream whose every word is hostile."""
    cited = [hostile(text, n) for n, text in enumerate(texts, 1)]
    whole = " ".join(texts)
    claims, at = [], 0
    for n, text in enumerate(texts, 1):
        claims.append(
            {"text": text, "start": at, "end": at + len(text), "score": 0.5, "citations": [n]}
            | {"verdict": text if n % 2 else "supported"}
        )
        at += len(text) + 1
    answer = {
        "id": texts[0],
        "question": texts[0],
        "asked": texts[1],
        "answer": whole + " " + texts[0],
        "abstained": False,
        "reason": texts[0],
        "method": texts[0],
        "claims": claims,
        "citations": cited,
        "conflicts": [{"kind": texts[0], "citations": [1, 2], "says": texts[:2]}],
        "nearest": cited,
        "trace": texts,
        "timings": {texts[0]: 1.0, "total": 1.0},
    }
    told: list[tuple[str, Any]] = [("hits", {"hits": cited})]
    for claim, citation in zip(claims, cited, strict=True):
        told.append(("citation", citation))
        told.append(("claim", {"claim": claim, "citations": [citation], "text": claim["text"]}))
    told.append(("answer", answer))
    return "".join(f"event: {name}\ndata: {json.dumps(value)}\n\n" for name, value in told)


@pytest.mark.parametrize("abstained", [False, True])
def test_an_answer_that_is_hostile_in_every_field_runs_nothing(
    windows: Windows, abstained: bool
) -> None:
    """300 claims, citations, passages and steps: while they come, afterwards, and from storage."""
    page = windows.open()
    body = events(PAYLOADS).replace('"abstained": false', f'"abstained": {str(abstained).lower()}')
    page.route(
        "**/v1/ask",
        lambda route: route.fulfill(body=body, content_type="text/event-stream"),
    )
    page.route("**/v1/answers/**", lambda route: route.fulfill(json={"sources": []}))
    ask(page, PAYLOADS[0])
    unharmed(page)
    cites = page.locator(".cite")
    for n in range(0, cites.count(), 25):
        cites.nth(n).focus()
    page.locator(".source-row").first.hover()
    page.locator(".about summary").first.click()
    unharmed(page)
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.locator("#history .entry").first.click()
    page.locator(".turn .opinions").wait_for()
    unharmed(page)
    page.get_by_role("button", name="Compare").click()
    unharmed(page)
    eventually(page, lambda: "<script>" in (page.locator("#compare").text_content() or ""))


def test_they_do_run_where_text_is_taken_for_markup(browser: "Browser") -> None:
    """On a page that believes them scripts run, dialogs open and addresses are asked for."""
    windows = Windows(browser, "http://nobody.invalid")
    page = windows.blank()
    page.evaluate(
        "all => all.forEach(text => document.body.appendChild("
        "document.createElement('div')).innerHTML = text)",
        [text for text in PAYLOADS if text.startswith(("<img", "<svg", "<details", "<audio"))],
    )
    page.wait_for_timeout(500)
    windows.close()
    assert windows.seen.dialogs and windows.seen.strange(windows.url)
