"""The page in a real browser: asking, citations, sources, uploads, abstaining, keyboard, phone."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fpdf import FPDF

from tests.page.conftest import Windows, ask, eventually
from tests.page.served import MILK, SLEEP

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

CATS = "Does the cat drink cold milk every morning?"
CITATIONS = "What is citation precision?"
METALS = "At what temperature does gallium melt?"
MOVED = "document.querySelector('#main').dispatchEvent(new Event('scroll'))"
GONE = """() => new Promise(done => {
  setTimeout(() => done(document.querySelector('#quote').hidden), 400);
})"""


def text_of(page: "Page", selector: str) -> str:
    """Return the text of the first such element, its blanks single."""
    return " ".join((page.locator(selector).first.text_content() or "").split())


def stored(page: "Page") -> Any:
    """Return the conversations that the browser keeps."""
    return page.evaluate("JSON.parse(localStorage.getItem('rag.conversations') || '[]')")


# -- asking --


def test_claims_arrive_one_by_one_with_their_verdicts(windows: Windows) -> None:
    """The first claim is read while the second is written; none of them changes at the end."""
    page = windows.open()
    page.fill("#question", CATS)
    page.press("#question", "Enter")
    page.locator(".claim").first.wait_for()
    assert page.locator(".answer").get_attribute("aria-busy") == "true"
    assert page.locator(".claim").count() == 1
    page.evaluate("document.querySelector('.claim').dataset.seen = 'yes'")
    page.wait_for_selector("#send:not([hidden])")
    claims = page.locator(".claim")
    eventually(
        page, lambda: claims.count() == 2 and claims.first.get_attribute("data-seen") == "yes"
    )
    eventually(
        page,
        lambda: (
            MILK in text_of(page, ".claim >> nth=0") and SLEEP in text_of(page, ".claim >> nth=1")
        ),
    )
    for n in range(2):
        assert claims.nth(n).get_attribute("data-verdict") == "supported"
        assert re.search(r"Supported .*0\.\d\d|1\.00", text_of(page, f".verdict >> nth={n}"))
    eventually(page, lambda: page.locator(".sources li").count() >= 1)
    eventually(page, lambda: "every sentence checked" in text_of(page, ".about summary"))


def test_whoever_listens_is_told_each_claim_as_it_comes(windows: Windows) -> None:
    """The live region says claims with their verdicts, and when the answer is complete."""
    page = windows.open()
    ask(page, CATS)
    told = page.locator("#live p").all_text_contents()
    eventually(page, lambda: page.locator("#live").get_attribute("aria-live") == "polite")
    assert any(MILK in line and "Supported" in line for line in told)
    assert told[-1].startswith("The answer is complete")


def test_an_answer_that_is_not_wanted_any_more_is_stopped(windows: Windows) -> None:
    """The button stops it; it can be asked again."""
    page = windows.open()
    page.fill("#question", CATS)
    page.press("#question", "Enter")
    page.locator(".claim").first.wait_for()
    page.click("#stop")
    page.get_by_text("Stopped.").first.wait_for()
    eventually(page, lambda: page.locator("#send").is_visible() and stored(page) == [])
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(".opinions")
    eventually(page, lambda: page.locator(".claim").count() == 2)


def test_no_answer_is_told_with_its_reason_and_what_comes_nearest(windows: Windows) -> None:
    """The nearest passages can be opened where they stand."""
    page = windows.open()
    turn = ask(page, METALS)
    eventually(
        page, lambda: "Nothing in this collection is about this." in text_of(page, ".abstained")
    )
    nearest = turn.locator(".nearest")
    eventually(page, lambda: nearest.count() > 0 and turn.locator(".claim").count() == 0)
    nearest.first.click()
    page.locator("#source mark").wait_for()


def test_a_failure_is_told_and_the_question_can_be_asked_again(windows: Windows) -> None:
    """A busy service says when; what is not ours says that it did not work."""
    page = windows.open()
    busy = {"error": {"code": "service_unavailable", "message": "too many", "request_id": "x"}}
    page.route(
        "**/v1/ask",
        lambda route: route.fulfill(status=503, json=busy, headers={"Retry-After": "7"}),
    )
    page.fill("#question", CATS)
    page.press("#question", "Enter")
    page.get_by_text("Try again in 7 s").wait_for()
    page.unroute("**/v1/ask")
    windows.seen.complaints.clear()  # the browser reports the 503
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(".opinions")


# -- citations and sources --


def test_a_citation_shows_its_quote_and_opens_its_source(windows: Windows) -> None:
    """Hovering shows the words; a click opens the text at them, and the page as it looks."""
    page = windows.open()
    turn = ask(page, CITATIONS)
    cite = turn.locator(".cite").first
    cite.hover()
    quote = text_of(page, "#quote blockquote")
    assert "Citation precision is the share of citations" in quote
    page.locator("#quote").hover()  # on its way to the card the pointer does not lose it
    assert page.evaluate(GONE) is False
    cite.hover()
    page.evaluate(MOVED)  # as reaching a marker below the screen does, a moment later
    assert page.evaluate(GONE) is False
    page.mouse.move(5, 5)
    assert page.evaluate(GONE) is True
    cite.click()
    mark = page.locator("#source mark")
    mark.wait_for()
    eventually(page, lambda: text_of(page, "#source mark") == quote)
    eventually(
        page,
        lambda: page.evaluate(
            "() => { const m = document.querySelector('#source mark').getBoundingClientRect();"
            " return m.top > 0 && m.bottom < innerHeight; }"
        ),
    )
    page.get_by_role("tab", name="Page").click()
    page.locator("canvas[data-page='3']").wait_for()
    eventually(page, lambda: page.evaluate(YELLOW) > 500)
    page.get_by_role("button", name="Previous page").click()
    page.locator("canvas[data-page='2']").wait_for()
    eventually(page, lambda: page.evaluate(YELLOW) == 0)


YELLOW = """() => {
  const c = document.querySelector("canvas");
  const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
  let n = 0;
  for (let i = 0; i < d.length; i += 4) n += d[i] === 255 && d[i + 1] === 236 && d[i + 2] === 130;
  return n;
}"""


def grown(page: "Page", before: int) -> None:
    """Wait until the text beside an answer is longer than it was."""
    eventually(page, lambda: len(page.locator(".doc-text").text_content() or "") > before)


def test_the_rest_of_a_source_is_read_on(windows: Windows) -> None:
    """Earlier and later text come beside the passage, to the letter, until there is no more."""
    page = windows.open()
    turn = ask(page, CITATIONS)
    turn.locator(".cite").first.click()
    page.locator("#source mark").wait_for()
    for name in ("Earlier text", "Later text"):
        while page.get_by_role("button", name=name).count():
            before = page.locator(".doc-text").text_content() or ""
            page.get_by_role("button", name=name).click()
            grown(page, len(before))
    documents = httpx.get(f"{windows.url}/v1/documents").json()["documents"]
    (found,) = (each for each in documents if "retrieval-with" in each["source"])
    whole = httpx.get(f"{windows.url}/v1/documents/{found['id']}").json()["text"]
    eventually(page, lambda: page.locator(".doc-text").text_content() == whole)


def test_a_source_that_has_changed_is_told(windows: Windows) -> None:
    """What was quoted is shown instead of other words at the same place; the list says so."""
    page = windows.open()
    name = "notes on walruses.md"
    page_text = b"# Walruses\n\nA walrus weighs about 1,200 kilograms.\n"
    put(windows.url, name, page_text)
    ask(page, "How much does a walrus weigh?")
    put(windows.url, name, b"# Walruses\n\nNobody has ever weighed one of these animals here.\n")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.locator("#history .entry").first.click()
    page.get_by_text("changed since then").wait_for()
    page.locator(".cite").first.click()
    page.locator("#source .notice").wait_for()
    eventually(page, lambda: "1,200 kilograms" in text_of(page, "#source blockquote"))


def put(url: str, name: str, data: bytes) -> None:
    """Upload a file and wait until it is ingested."""
    job = httpx.post(f"{url}/v1/documents", files={"files": (name, data)}, timeout=60).json()["job"]
    assert "event: done" in httpx.get(f"{url}/v1/jobs/{job['id']}/events", timeout=60).text


# -- documents --


def pdf(folder: Path) -> Path:
    """Write a PDF of two pages, and a picture, which is not read."""
    document = FPDF()
    first = "This report is about lighthouses."
    for text in (first, "The lighthouse of Ormos is 41 metres tall."):
        document.add_page()
        document.set_font("helvetica", size=14)
        document.cell(text=text)
    document.output(str(folder / "lighthouses.pdf"))
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder / "lighthouses.pdf"


def test_a_pdf_is_uploaded_and_asked_about(windows: Windows, tmp_path: Path) -> None:
    """Its progress is shown, what is refused is named, and its page shows the passage."""
    page = windows.open()
    page.click("#open-documents")
    page.locator(".files li").first.wait_for()
    before = page.locator(".files li").count()
    page.set_input_files("#files", [pdf(tmp_path), tmp_path / "picture.png"])
    page.get_by_text("Ready. New: 1").first.wait_for()
    eventually(page, lambda: "picture.png" in text_of(page, ".notes"))
    eventually(page, lambda: page.locator(".files li").count() == before + 1)
    page.keyboard.press("Escape")
    turn = ask(page, "How tall is the lighthouse of Ormos?")
    eventually(page, lambda: "41 metres" in (turn.locator(".claims").text_content() or ""))
    # The quote begins on the first page and ends on the second.
    eventually(page, lambda: "page 1" in text_of(page, ".source-row"))
    turn.locator(".cite").first.click()
    page.get_by_role("tab", name="Page").click()
    page.locator("canvas[data-page='1']").wait_for()
    eventually(page, lambda: page.evaluate(YELLOW) > 100)
    page.get_by_role("button", name="Next page").click()
    page.locator("canvas[data-page='2']").wait_for()
    eventually(page, lambda: page.evaluate(YELLOW) > 100)


def test_a_document_is_deleted_when_asked_twice(windows: Windows) -> None:
    """The first click asks; what was kept stays, what was deleted is gone."""
    page = windows.open()
    put(windows.url, "short-lived.md", b"# Mayflies\n\nA mayfly lives for a day.\n")
    page.click("#open-documents")
    page.get_by_role("button", name="Delete short-lived.md").click()
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_role("button", name="Delete short-lived.md").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.locator(".files").get_by_text("short-lived.md").wait_for(state="detached")
    names = [each["name"] for each in httpx.get(f"{windows.url}/v1/documents").json()["documents"]]
    assert "short-lived.md" not in names


def test_a_new_collection_is_empty_and_asked_from_then_on(windows: Windows) -> None:
    """It is made, chosen, and knows nothing of the other one."""
    page = windows.open()
    page.click("#open-documents")
    page.get_by_text("New collection").click()
    page.get_by_role("textbox", name="Name").fill("manuals")
    page.get_by_role("button", name="Create").click()
    eventually(
        page, lambda: page.evaluate("document.querySelector('#collection').value === 'manuals'")
    )
    page.get_by_text("This collection has no documents yet.").wait_for()
    ask(page, CITATIONS)
    eventually(
        page,
        lambda: page.locator(".abstained").count() == 1 and page.locator(".nearest").count() == 0,
    )
    eventually(page, lambda: stored(page)[0]["collection"] == "manuals")
    httpx.delete(f"{windows.url}/v1/collections/manuals").raise_for_status()


# -- conversations, opinions, settings --


def test_conversations_stay_in_the_browser_until_they_are_deleted(windows: Windows) -> None:
    """A reload keeps them; one that is opened goes on; deleted ones are gone from storage too."""
    page = windows.open()
    ask(page, CITATIONS)
    page.click("#new-conversation")
    ask(page, METALS)
    page.reload()
    page.wait_for_selector("body[data-ready]")
    entries = page.locator("#history .entry")
    eventually(page, lambda: entries.count() == 2 and page.locator(".turn").count() == 0)
    entries.nth(1).click()
    eventually(page, lambda: text_of(page, ".question") == CITATIONS)
    with page.expect_request("**/v1/ask") as sent:
        ask(page, "And citation recall?")
    assert [turn["question"] for turn in sent.value.post_data_json["history"]] == [CITATIONS]
    eventually(page, lambda: len(stored(page)) == 2)
    page.get_by_role("button", name=re.compile("Delete the conversation.*gallium")).click()
    eventually(page, lambda: entries.count() == 1)
    page.click("#forget-all")
    assert len(stored(page)) == 1  # asked once more first
    page.click("#forget-all")
    eventually(page, lambda: stored(page) == [] and entries.count() == 0)


def test_something_else_in_the_storage_does_no_harm(windows: Windows) -> None:
    """What another program, or an older page, left there is passed over."""
    page = windows.open()
    page.evaluate("localStorage.setItem('rag.conversations', '[{\"id\": 7}, null, 3')")
    page.evaluate("localStorage.setItem('rag.settings', '[1]')")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    ask(page, CITATIONS)
    eventually(page, lambda: len(stored(page)) == 1)


def test_an_answer_is_rated_corrected_and_preferred(windows: Windows) -> None:
    """Each is stored by the service; the better of two answers is named with the other."""
    page = windows.open()
    sent: list[Any] = []
    page.on("request", lambda r: r.url.endswith("/v1/feedback") and sent.append(r.post_data_json))
    turn = ask(page, CATS)
    page.get_by_role("button", name="Good answer").click()
    turn.get_by_text("Thank you").wait_for()
    up = page.get_by_role("button", name="Good answer")
    eventually(page, lambda: up.get_attribute("aria-pressed") == "true")
    page.get_by_role("button", name="Correct").click()
    page.get_by_role("textbox", name="What would be right?").fill("Yes, at seven.")
    page.get_by_role("button", name="Send").click()
    page.locator(".correction").wait_for(state="detached")
    page.get_by_role("button", name="Compare").click()
    page.locator("#compare select").select_option(label="quotes only")
    page.get_by_role("button", name="Ask again").click()
    better = page.get_by_role("region", name="The other one").get_by_role(
        "button", name="This one is better"
    )
    eventually(
        page,
        lambda: page.evaluate("document.querySelectorAll('.side > button:enabled').length === 2"),
    )
    better.click()
    page.locator("#compare [role=status]").get_by_text("Thank you").wait_for()
    first = stored(page)[0]["turns"][0]["answer"]["id"]
    assert sent[0] == {"answer": first, "rating": "up"}
    assert sent[1] == {"answer": first, "correction": "Yes, at seven."}
    assert sent[2]["preferred_to"] == first and sent[2]["answer"].startswith("ans_")


def test_the_page_speaks_the_languages_of_its_user(windows: Windows) -> None:
    """Chosen by the browser, changed by its user, kept."""
    for locale, words in (("zh-TW", "提问"), ("ru-RU", "Спросить"), ("hu", "Kérdés elküldése")):
        page = windows.open(locale=locale)
        assert page.locator("#send").get_attribute("aria-label") == words
    page = windows.open(locale="fr-FR")
    eventually(page, lambda: page.locator("html").get_attribute("lang") == "en")
    ask(page, CITATIONS)
    page.click("#open-settings")
    page.locator("#settings select").first.select_option("hu")
    page.locator("#settings-title", has_text="Beállítások").wait_for()
    page.keyboard.press("Escape")
    eventually(page, lambda: text_of(page, ".verdict-name") == "Alátámasztva")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    eventually(page, lambda: page.locator("html").get_attribute("lang") == "hu")


def test_colours_follow_the_system_until_they_are_chosen(windows: Windows) -> None:
    """Dark where the system is; light once its user says so, after a reload too."""
    page = windows.open(color_scheme="dark")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    dark, light = "rgb(22, 24, 26)", "rgb(250, 249, 245)"
    eventually(page, lambda: page.evaluate(paper) == dark)
    page.click("#open-settings")
    page.locator("#settings select").nth(1).select_option("light")
    eventually(page, lambda: page.evaluate(paper) == light)
    page.reload()
    eventually(page, lambda: page.evaluate(paper) == light)


# -- keyboard and phone --


def test_all_of_it_is_done_with_the_keyboard_alone(windows: Windows) -> None:
    """Ask, reach a citation, hear its quote, open and leave its source, and be back again."""
    page = windows.open()
    eventually(page, lambda: page.evaluate("document.activeElement.id") == "question")
    page.keyboard.type(CITATIONS)
    page.keyboard.press("Enter")
    page.wait_for_selector(".opinions")
    focused = "document.activeElement.className"
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate(focused) == "cite":
            break
    eventually(
        page, lambda: page.evaluate(focused) == "cite" and page.locator("#quote").is_visible()
    )
    page.evaluate(MOVED)
    assert page.evaluate(GONE) is False
    described = page.evaluate("document.activeElement.getAttribute('aria-describedby')")
    eventually(page, lambda: "Citation precision" in text_of(page, f"#{described}"))
    page.keyboard.press("Escape")
    eventually(page, lambda: page.locator("#quote").is_hidden())
    page.keyboard.press("Enter")
    page.locator("#source mark").wait_for()
    eventually(page, lambda: page.evaluate("document.activeElement.closest('#source') !== null"))
    page.locator("#source [role=tab]").first.focus()
    page.keyboard.press("ArrowRight")
    page.locator("canvas[data-page='3']").wait_for()
    page.keyboard.press("Escape")
    eventually(
        page, lambda: page.locator("#source").is_hidden() and page.evaluate(focused) == "cite"
    )


def test_enter_while_a_word_is_composed_sends_nothing(windows: Windows) -> None:
    """In Chinese and Japanese it chooses the word."""
    page = windows.open()
    page.fill("#question", "什么")
    page.evaluate(
        "document.querySelector('#question').dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    eventually(page, lambda: page.locator(".turn").count() == 0)
    page.press("#question", "Shift+Enter")
    eventually(page, lambda: page.locator(".turn").count() == 0)


def test_a_phone_shows_one_thing_at_a_time(windows: Windows) -> None:
    """Nothing is wider than the screen; a tap shows the quote, and the source covers the rest."""
    page = windows.open(phone=True)
    wide = "document.documentElement.scrollWidth > innerWidth || innerWidth > 390"
    turn = ask(page, CITATIONS)
    eventually(page, lambda: not page.evaluate(wide))
    turn.locator(".cite").first.tap()
    card = page.locator("#quote").bounding_box()
    assert card and card["x"] >= 0 and card["x"] + card["width"] <= 390
    page.locator("#quote").get_by_role("button", name="Open the source").tap()
    page.locator("#source mark").wait_for()
    box = page.locator("#source").bounding_box()
    assert box and (box["width"], box["height"]) == (390, 844)
    eventually(page, lambda: page.evaluate("document.querySelector('#main').inert") is True)
    page.locator("#source").get_by_role("button", name="Close").tap()
    eventually(page, lambda: page.evaluate("document.querySelector('#main').inert") is False)
    page.get_by_role("button", name="Menu").tap()
    page.locator("#history .entry").first.wait_for()
    eventually(page, lambda: page.evaluate("document.querySelector('#main').inert") is True)
    page.locator("#new-conversation").tap()
    eventually(page, lambda: page.locator(".turn").count() == 0 and not page.evaluate(wide))
