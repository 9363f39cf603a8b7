"""What holds for every file, whatever is in it."""

import csv
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import LoadError
from rag.loaders import LOADERS, load
from rag.loaders.source import clean
from rag.types import Parsed
from tests.loaders.loader_files import FILES, book, deck, document, odt, save, write

FEW = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Pieces from which the markup of every format can arise by chance, and what breaks parsers.
MARKUP = (
    "# |## |\n|\r\n|\r|\n\n|---|===|~~~|```|- |> |<p>|</p>|<h1>|</h1>|<h2>|<li>|<ul>|<ol>|</ul>|"
    "<table>|<tr>|<td>|</td>|</table>|<pre>|</pre>|<br>|<main>|<nav>|</nav>|<div hidden>|<title>|"
    "a|word |Ő|слово|语言|:: |.. x::|`a`|*|_|\0|\x0c|\x85|\u2028|\ufeff|\ud800|😀|&amp;|&#0;|"
    '&#xD800;|title: x\n|{#id}|%PDF-1.7|\t|    |<!--|-->|<![CDATA[|]]>|<?xml |é|{|}|[|]|"|,|\\|1'
)
PIECES = st.sampled_from(MARKUP.split("|"))
TEXTS = st.lists(PIECES, max_size=40).map("".join)
WORDS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12)

CELLS = st.text(
    st.characters(categories=("L", "N", "P", "S")) | st.sampled_from('\n\r\t ";,'), max_size=6
)


def check(parsed: Parsed) -> None:
    """Assert the invariants of `Parsed`."""
    text = parsed.text
    assert text.strip()
    assert not any(each in "\0\r" or "\ud800" <= each <= "\udfff" for each in text)
    starts = [each.start for each in parsed.headings]
    assert all(0 <= start < len(text) for start in starts)
    assert all(before < after for before, after in pairwise(starts))
    assert all(start == 0 or text[start - 1] in "\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
               for start in starts)  # fmt: skip
    assert all(each.title.strip() and each.level >= 1 for each in parsed.headings)
    assert parsed.pages == () or parsed.pages[0] == 0
    assert list(parsed.pages) == sorted(parsed.pages)
    for value in (parsed.title, *parsed.metadata, *parsed.metadata.values()):
        assert value.strip()
        assert value.isprintable() or not any(each in value for each in "\0\r\ud800")
    assert "\n" not in parsed.title


def attempt(path: Path, data: bytes) -> None:
    """Load data from path: what comes is a valid document or a LoadError of one line.

    Scans are not read: seconds a page, and damage does not reach tesseract but as a picture.
    """
    try:
        check(load(write(path, data), ocr="off"))
    except LoadError as error:
        assert str(error).startswith(path.name)
        assert "\n" not in str(error)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", sorted(LOADERS))
@FEW
@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_are_a_document_or_a_load_error(
    suffix: str, data: bytes, tmp_path: Path
) -> None:
    """No file, under any suffix, raises anything else."""
    attempt(tmp_path / f"a{suffix}", data)


@pytest.mark.slow
@pytest.mark.parametrize(
    "suffix", [".txt", ".md", ".rst", ".html", ".jsonl", ".py", ".c", ".csv", ".tsv"]
)
@FEW
@given(text=TEXTS, codec=st.sampled_from(["utf-8", "utf-16", "cp1251"]))
def test_arbitrary_markup_keeps_the_invariants(
    suffix: str, text: str, codec: str, tmp_path: Path
) -> None:
    """Offsets stay in range and in order however broken the markup is."""
    errors = "ignore" if codec == "cp1251" else "surrogatepass"
    attempt(tmp_path / f"a{suffix}", text.encode(codec, errors))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    sorted(file.name for file in FILES.iterdir() if file.suffix not in (".c", ".py", ".sql")),
)
@FEW
@given(data=st.data())
def test_damaged_packages_are_a_document_or_a_load_error(
    name: str, data: Any, tmp_path: Path
) -> None:
    """Real files with some bytes overwritten."""
    content = bytearray((FILES / name).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place : place + 8] = data.draw(st.binary(min_size=1, max_size=8))
    attempt(tmp_path / name, bytes(content))


@pytest.mark.slow
@FEW
@given(sections=st.lists(st.tuples(st.integers(1, 6), WORDS, WORDS), min_size=1, max_size=8))
def test_headings_of_markdown_and_html_start_the_line_of_their_title(
    sections: list[tuple[int, str, str]], tmp_path: Path
) -> None:
    """text[start:] begins with the line that holds the title, in order and complete."""
    md = "\n\n".join(f"{'#' * level} {title}\n\n{text}" for level, title, text in sections)
    html = "".join(f"<h{level}>{title}</h{level}><p>{text}" for level, title, text in sections)
    expected = [(level, title) for level, title, _ in sections]
    for name, content in (("a.md", md), ("a.html", f"<meta charset=utf-8>{html}")):
        parsed = load(write(tmp_path / name, "\ufeff" + content))
        check(parsed)
        assert [(each.level, each.title) for each in parsed.headings] == expected
        for each in parsed.headings:
            assert each.title in parsed.text[each.start :].split("\n", 1)[0]


@pytest.mark.slow
@settings(FEW, max_examples=4)
@given(sections=st.lists(st.tuples(st.integers(1, 9), WORDS, WORDS), min_size=1, max_size=4))
def test_headings_of_docx_start_the_line_of_their_title(
    sections: list[tuple[int, str, str]], tmp_path: Path
) -> None:
    """The same for a document of Word."""
    made = document()
    for level, title, text in sections:
        made.add_heading(title, level)
        made.add_paragraph(text)
    parsed = load(save(made, tmp_path / "a.docx"))
    check(parsed)
    assert [(each.level, each.title) for each in parsed.headings] == [s[:2] for s in sections]
    for each in parsed.headings:
        assert parsed.text[each.start :].split("\n", 1)[0] == each.title


@pytest.mark.slow
@settings(FEW, max_examples=6)
@given(sections=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4))
def test_headings_of_slides_sheets_and_odt_start_the_line_of_their_title(
    sections: list[tuple[str, str]], tmp_path: Path
) -> None:
    """The same for slides, sheets and a document of LibreOffice; pages begin with them."""
    for path in (
        deck(tmp_path / "a.pptx", sections),
        # Names of sheets are compared without case, so they get numbers.
        book(tmp_path / "a.xlsx", {f"{n} {t}": [[x]] for n, (t, x) in enumerate(sections)}),
        odt(tmp_path / "a.odt", sections),
    ):
        parsed = load(path)
        check(parsed)
        titles = [each.title.split(" ")[-1] for each in parsed.headings]
        assert titles == [title for title, _ in sections]
        for each in parsed.headings:
            assert parsed.text[each.start :].split("\n", 1)[0] == each.title
        if path.suffix != ".odt":
            assert parsed.pages == tuple(each.start for each in parsed.headings)


@pytest.mark.slow
@FEW
@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
)
def test_line_n_of_a_csv_file_is_its_record_n(
    rows: list[list[str]], delimiter: str, tmp_path: Path
) -> None:
    """As many lines as records, quoted line ends or not, and no cell of one in another's."""
    made = StringIO(newline="")
    csv.writer(made, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    path = write(tmp_path / "a.csv", f"sep={delimiter}\n{made.getvalue()}")
    try:
        parsed = load(path)
    except LoadError:
        return
    check(parsed)
    lines = parsed.text.split("\n")
    assert len(lines) == len(rows) + 1
    for line, row in zip(lines[1:], rows, strict=True):
        assert all(" ".join(clean(cell).split()) in line for cell in row)
