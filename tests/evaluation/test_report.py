"""The report: what it shows, and that nothing a document says can run in it."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rag.errors import ConfigError
from rag.evaluation import charts, pages
from rag.evaluation.charts import Axis, Chart, Point, Series
from rag.evaluation.report import HTML, MARKDOWN, VERDICTS, html, write
from rag.evaluation.report_cases import MOST_OF_A_LANGUAGE, worst
from rag.evaluation.report_charts import drawn
from rag.evaluation.report_tables import by_part, by_system
from rag.evaluation.runs import Item, ShownClaim, Source
from tests.evaluation.browser import PHONE, chromium
from tests.evaluation.made_runs import answers, item, written

pytestmark = pytest.mark.slow

HOSTILE = (
    "<script>document.title='stolen'</script>",
    "</script><script>document.title='stolen'</script>",
    "<img src=x onerror=\"document.title='stolen'\">",
    '"><svg onload="document.title=\'stolen\'">',
    "[link](javascript:document.title='stolen')",
    "<a href=\"javascript:document.title='stolen'\">x</a>",
    "{{ 7 * 7 }} {% raw %}",
    "' onfocus='document.title=1' autofocus='",
    "<!--<script>",
    "\u202egnp.exe\u202c and \u2066isolated",
    "\x00\x1b[31mred\x07",
    "]]><![CDATA[<style>body{display:none}</style>",
)


def hostile() -> list[Item]:
    """Return items that are hostile in every field that a document or a person can fill."""
    return [
        item(
            f"{number}{text}",
            {"citation recall": 0.0, text: 0.5},
            lang=text,
            type=text,
            columns={"gold": number % 2, "score": 0.5, f"score [{text}]": 0.5},
            seconds={text: 1.0},
            cost={text: 2.0},
            question=text,
            answer=text,
            gold=(text,),
            claims=(
                ShownClaim(text, text, 0.5, (Source(text, text * 2, 3, len(text)),), text),
                ShownClaim(text, "supported", 0.5, (Source(text, text, 0, 99),), "unsupported"),
            ),
        )
        for number, text in enumerate(HOSTILE)
    ]


class Elements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def attacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report of hostile items."""
    # Names of metrics that nobody knows have no direction; here they are data, too.
    from rag.evaluation import figures

    monkeypatch.setattr(figures, "higher_is_better", lambda metric: True)
    folder = written(tmp_path / "run", hostile(), config={"x": HOSTILE[0]}, suite=HOSTILE[1]).folder
    write(folder)
    return folder


def test_nothing_of_a_document_becomes_markup(attacked: Path) -> None:
    """The page has the elements of our template alone, none with a handler or a link out."""
    page = (attacked / HTML).read_text(encoding="utf-8")
    elements = Elements(page).found
    assert [tag for tag, _ in elements].count("script") == 2
    assert not {tag for tag, _ in elements} & {"img", "iframe", "object", "link", "base", "embed"}
    for tag, attributes in elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        assert "autofocus" not in attributes
        assert (attributes.get("href") or "#").startswith("#")


def test_language_attributes_hold_languages_only(attacked: Path) -> None:
    """What is no language code becomes the unknown language."""
    page = (attacked / HTML).read_text(encoding="utf-8")
    assert {a["lang"] for _, a in Elements(page).found if "lang" in a} == {"en", ""}


def test_characters_that_steer_are_shown_by_name(attacked: Path) -> None:
    """No control and no change of direction is left in the text of the page."""
    page = (attacked / HTML).read_text(encoding="utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page)
    assert "⟨right-to-left override⟩gnp.exe" in page


def test_markdown_holds_no_markup_of_a_document(attacked: Path) -> None:
    """Tags, links and rows of tables are text."""
    told = (attacked / MARKDOWN).read_text(encoding="utf-8")
    assert not re.search(r"(?<!\\)<\w", told)
    assert not re.search(r"(?<!\\)\]\(javascript", told)
    assert "\x1b" not in told and "\u202e" not in told


def test_a_browser_runs_nothing_that_a_document_says(attacked: Path, tmp_path: Path) -> None:
    """Opened from the disk: no script but ours runs, nothing is asked for, no complaint is made."""
    with chromium(tmp_path / "profile") as page:
        page.open(attacked / HTML)
        assert page.run("document.title").startswith("</script>")
        assert page.run("document.querySelectorAll('script').length") == 2
        assert page.asked == [(attacked / HTML).as_uri()]
        assert page.said == []
        assert page.run("document.querySelectorAll('article').length") == len(HOSTILE)
        # Were one to get in nevertheless, the page's policy forbids it.
        page.run(
            "document.body.append(Object.assign(document.createElement('script'),"
            " {textContent: 'document.title = 1'}))"
        )
        assert page.run("document.title").startswith("</script>")
        assert any("Content Security Policy" in told for told in page.said)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A report of answers in five languages."""
    folder = written(tmp_path / "run", answers(60)).folder
    write(folder)
    return folder / HTML


def test_marks_are_kept_and_saved_as_claims(report: Path, tmp_path: Path) -> None:
    """A mark outlives a reload; the file saved is claims with the label that a person gave."""
    with chromium(tmp_path / "profile") as page:
        page.open(report)
        assert page.run("document.getElementById('save').disabled") is True
        chosen = page.run(
            "(() => { const form = document.querySelector('.form');"
            " form.querySelector('select').value = form.querySelectorAll('option')[1].value;"
            " form.querySelector('textarea').value = 'it says \\u2028 so';"
            " form.querySelector('select').dispatchEvent(new Event('input', {bubbles: true}));"
            " return [Number(form.dataset.claim), form.querySelector('select').value]; })()"
        )
        page.open(report)
        assert page.run("document.getElementById('count').textContent") == "1 verdict is marked."
        assert page.run("document.querySelector('.form textarea').value") == "it says \u2028 so"
        page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        page.run(
            "globalThis.saved = null; const make = URL.createObjectURL;"
            " URL.createObjectURL = (blob) => { blob.text().then((t) => saved = t);"
            " return make(blob); };"
            " document.getElementById('save').click()"
        )
        lines = page.call(
            "Runtime.evaluate",
            expression="new Promise((done) => setTimeout(() => done(saved), 200))",
            awaitPromise=True,
            returnByValue=True,
        )["result"]["value"]
    (line,) = lines.strip().split("\n")
    claim = json.loads(line)
    assert chosen == [0, claim["label"]] and claim["note"] == "it says \u2028 so"
    assert claim["label"] in VERDICTS and claim["claim"] and claim["sources"]
    saved = tmp_path / "marks.jsonl"
    saved.write_text(line + "\n", encoding="utf-8")
    from rag.evaluation.formats import claims

    assert [case.claim for case in claims(saved).cases] == [claim["claim"]]


def test_a_phone_shows_it_without_sideways_scrolling(report: Path, tmp_path: Path) -> None:
    """At 390 pixels only the tables scroll, each in its own box, which the keyboard reaches."""
    with chromium(tmp_path / "profile") as page:
        page.call("Emulation.setDeviceMetricsOverride", **PHONE)
        page.open(report)
        assert page.run("document.documentElement.scrollWidth") == 390
        boxes = "[...document.querySelectorAll('.scroll')]"
        assert page.run(f"{boxes}.every((box) => box.tabIndex === 0)")
        assert page.run(f"{boxes}.every((box) => box.getAttribute('aria-label'))")


def test_it_prints(report: Path, tmp_path: Path) -> None:
    """On paper there are pages, and no buttons."""
    with chromium(tmp_path / "profile") as page:
        page.open(report)
        assert page.printed().startswith(b"%PDF-")
        page.call("Emulation.setEmulatedMedia", media="print")
        shown = "getComputedStyle(document.querySelector('{}')).display"
        assert page.run(shown.format(".tools")) == page.run(shown.format(".judge")) == "none"
        assert page.run(shown.format("table")) == "table"


def test_every_control_has_a_name_and_every_chart_a_description(report: Path) -> None:
    """Screen readers are told what a field is for, and what a chart shows."""
    page = report.read_text(encoding="utf-8")
    assert page.count("<select") == len(re.findall(r"<label>It should be <select", page))
    assert page.count("<textarea") == len(re.findall(r"<label>Note <textarea", page))
    ids = re.findall(r'role="img" aria-labelledby="(\S+) (\S+)"', page)
    assert len(ids) == 3
    for title, description in ids:
        assert re.search(rf'<title id="{title}">[^<]+<', page)
        assert re.search(rf'<desc id="{description}">[^<]{{20,}}<', page)
    assert page.count("<caption>") == page.count("<table>")


def test_items_have_the_language_they_are_in(report: Path) -> None:
    """Fonts, hyphens and voices follow the language of each text."""
    page = report.read_text(encoding="utf-8")
    assert {"en", "zh", "ru", "hu", "de"} <= {a.get("lang") for _, a in Elements(page).found}


def test_the_product_stands_first_with_baselines_beside_it(tmp_path: Path) -> None:
    """Systems are columns; each figure has its interval; parts have tables of their own."""
    run = written(tmp_path / "run", answers(40))
    table = by_system(run.figures, run.items)
    assert table.head == ("metric", "product", "quote-only", "floor: lexical overlap")
    name, (mine, quoting, floor) = table.rows[0]
    assert name == "gold contained\u00a0↑" and mine is not None and quoting is not None
    assert mine.low <= mine.value <= mine.high and floor is None
    assert [part.head[0] for part in by_part(run.figures)] == ["lang", "type"]


def reports(folder: Path) -> tuple[str, str]:
    """Return both reports of a run, as they read."""
    write(folder)
    page = re.sub(r"<[^>]+>", "", (folder / HTML).read_text(encoding="utf-8"))
    return page, (folder / MARKDOWN).read_text(encoding="utf-8").replace("\\", "")


def test_small_parts_are_named(tmp_path: Path) -> None:
    """A language of two questions has no column, and a line that says why."""
    few = [item(f"r{n}", {"gold contained": 1.0}, lang="ru") for n in range(2)]
    many = [item(f"e{n}", {"gold contained": 1.0}) for n in range(3)]
    for told in reports(written(tmp_path / "run", [*few, *many]).folder):
        assert "By language, with fewer than 3 items and so without figures: ru (2)." in told


def test_few_items_have_no_interval_and_n_is_told(tmp_path: Path) -> None:
    """A metric that two items have is shown with its n alone."""
    some = [item(f"e{n}", {"gold contained": 1.0}) for n in range(3)]
    some[0] = replace(some[0], values={"gold contained": 1.0, "token F1": 0.5})
    page, told = reports(written(tmp_path / "run", some).folder)
    assert "| 0.500, n 1 |" in told and "| 1.000 [1.000, 1.000], n 3 |" in told
    assert "0.500 n 1" in page and "1.000 1.000–1.000, n 3" in page


def test_items_are_counted_in_whole_numbers(tmp_path: Path) -> None:
    """Few items give no axis with halves of an item."""
    some = [item(f"e{n}", {"gold contained": 1.0}, seconds={"total": n + 1.0}) for n in range(3)]
    (latency,) = (one for one in drawn(some) if one.title == "Latency")
    labels = re.findall(r'text-anchor="end"[^>]*>([^<]*)<', latency.picture)
    assert labels == ["0", "1"]


def test_what_others_report_stands_below_the_figures(tmp_path: Path) -> None:
    """Both reports show the anchors of the data set, escaped."""
    known = {"name": "x", "anchors": "people: .70 <b>"}
    some = [item(f"e{n}", {"gold contained": 1.0}) for n in range(3)]
    page, told = reports(written(tmp_path / "run", some, dataset=known).folder)
    assert "Others report: people: .70 &lt;b&gt;" in page
    assert told.index("| gold contained") < told.index("Others report: people: .70 <b>")


def test_metrics_without_a_figure_are_named(tmp_path: Path) -> None:
    """Where every question has an answer, nothing can be said of refusals, and that is said."""
    columns = {"answerable": 1, "abstained": 0, "correct": 1, "confidence": 0.5}
    some = [item(f"e{n}", {"gold contained": 1.0}, columns=columns) for n in range(4)]
    for told in reports(written(tmp_path / "run", some).folder):
        assert "Without a figure: abstention precision (nothing was refused)" in told
        assert "abstention recall, abstention F1 (every question has an answer)" in told


def test_worst_cases_say_what_would_have_been_right(tmp_path: Path) -> None:
    """A question without an answer, a refusal, and a claim, which is no answer to anything."""
    bad = {"wrong answer": 1.0}
    claim = ShownClaim("Cats bark.", "supported", 0.9, (Source("a", "x", 0, 1),), "unsupported")
    some = [
        item("q1", bad, question="Why?", answer="So.", columns={"answerable": 0, "abstained": 0}),
        item("q2", bad, question="Who?", answer="Nothing is said.", columns={"abstained": 1}),
        item(
            "c1",
            {"verdict right": 0.0},
            answer="Cats bark.",
            gold=("unsupported",),
            claims=(claim,),
        ),
    ]
    page, told = reports(written(tmp_path / "run", some).folder)
    assert "Gold none: the documents do not answer it" in page and "Abstained Nothing" in page
    assert "gold: none, the documents do not answer it" in told and "abstained: Nothing" in told
    assert "- c1, en, all\n  - supported, gold: unsupported: Cats bark." in told
    assert "Gold unsupported" not in page


def test_worst_cases_are_of_every_language() -> None:
    """One language that fails throughout does not hide the others."""
    bad = [item(f"a{n}", {"gold contained": 0.0}, lang="ru") for n in range(99)]
    some = [item(f"b{n}", {"gold contained": 0.5}, lang="hu") for n in range(3)]
    good = [item("c", {"gold contained": 1.0}, lang="de")]
    found = [shown.item.lang for shown in worst([*good, *some, *bad])]
    assert found == ["ru"] * MOST_OF_A_LANGUAGE + ["hu"] * 3


def test_a_verdict_that_is_surely_wrong_is_worse_than_one_in_doubt() -> None:
    """Items are ordered by how far they fall short."""
    made = [
        item(str(score), claims=(ShownClaim("x", "supported", score, (), "unsupported"),))
        for score in (0.6, 0.95, 0.8)
    ]
    assert [shown.item.id for shown in worst(made)] == ["0.95", "0.8", "0.6"]


def test_a_run_that_is_not_finished_has_a_report_too(tmp_path: Path) -> None:
    """It says that figures are missing, and shows the items that are there."""
    run = replace(written(tmp_path / "run", answers(6), finished=None), figures=())
    assert "There are no figures" in html(run)
    write(run.folder)
    assert "not finished" in (run.folder / MARKDOWN).read_text(encoding="utf-8")


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    """The error names the file that is missing."""
    with pytest.raises(ConfigError, match=r"manifest\.json"):
        write(tmp_path)


def test_a_report_is_the_same_each_time(tmp_path: Path) -> None:
    """The same run gives the same bytes."""
    run = written(tmp_path / "run", answers(20))
    assert html(run) == html(run)


@pytest.mark.parametrize(
    ("text", "span", "shown"),
    [
        ("a < b", (2, 3), "a <mark>&lt;</mark> b"),
        ("abc", (0, 0), "abc"),
        ("abc", (-5, 99), "<mark>abc</mark>"),
        ("abc", (2, 1), "abc"),
        ("\u202eab", (0, 1), "<mark>⟨right-to-left override⟩</mark>ab"),
    ],
)
def test_highlighting_marks_the_span_and_escapes_all(
    text: str, span: tuple[int, int], shown: str
) -> None:
    """Spans beyond the text mark what there is."""
    assert pages.highlighted(text, *span) == shown


def test_a_chart_worked_by_hand() -> None:
    """The corners of the axes are the corners of the drawing; text is escaped."""
    axis = Axis("<b>", 0, 1)
    series = [Series("s", [Point(0, 0), Point(1, 1, 0.5, 1.0)], marks=True)]
    picture = str(charts.svg(Chart("c", "t", "d & e", axis, axis, series, diagonal=True)))
    assert 'class="line s0" d="M52.0 254.0L468.0 12.0"' in picture
    assert 'class="interval s0" d="M468.0 133.0L468.0 12.0"' in picture
    assert "&lt;b&gt;" in picture and "d &amp; e" in picture and "<b>" not in picture
    assert re.findall(r'text-anchor="end">([^<]+)', picture) == [
        "0",
        "0.2",
        "0.4",
        "0.6",
        "0.8",
        "1",
    ]


def test_a_thinned_curve_keeps_its_ends() -> None:
    """The last point is what is risked when everything is answered."""
    points = [Point(n, n) for n in range(1_000)]
    found = charts.thinned(points, most=50)
    assert len(found) == 50 and found[0] == points[0] and found[-1] == points[-1]
