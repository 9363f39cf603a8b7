"""PDF: pages, outline, and the ways in which a PDF can fail."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from rag.errors import LoadError
from rag.loaders import load
from tests.loaders.loader_files import FILES, pdf, write


def test_pages_are_joined_and_their_starts_kept(tmp_path: Path) -> None:
    """An offset tells the page: text[pages[i]:pages[i + 1]] is page i and a line end."""
    parsed = load(pdf(tmp_path / "a.pdf", [["one", "two"], [], ["three"]]))
    assert parsed.text == "one\ntwo\n\nthree"
    assert parsed.pages == (0, 8, 9)
    assert parsed.headings == ()


def test_a_pdf_of_a_real_program_in_three_languages() -> None:
    """LibreOffice's export: outline, lists, a table, Hungarian, Russian and Chinese."""
    parsed = load(FILES / "libreoffice.pdf")
    assert parsed.title == "Három nyelv"
    assert parsed.metadata == {"author": "Kovács Ágnes", "date": "2026-11-21"}
    assert [(each.level, each.title) for each in parsed.headings] == [
        (1, "Magyar bevezető"),
        (1, "Русский раздел"),
        (1, "中文部分"),
        (2, "Táblázat"),
    ]
    for each in parsed.headings:
        assert parsed.text[each.start :].startswith(each.title + "\n")
    assert "Az árvíztűrő tükörfúrógép a magyar ékezetes betűk próbája. A\nnyelv" in parsed.text
    assert "• файл с параметрами\n• файл с кодом" in parsed.text
    assert parsed.text[parsed.pages[1] :].startswith("中文部分\n语言模型通过预测文本")


def test_a_word_parted_by_a_hyphen_is_joined(tmp_path: Path) -> None:
    """Only where pdfium takes the hyphen for one of typesetting: not in "3-5"."""
    parsed = load(pdf(tmp_path / "a.pdf", [["it is hyphen-", "ated on pages 3-", "5 only"]]))
    assert parsed.text == "it is hyphenated on pages 3-\n5 only"


def test_outline_entries_are_headings_where_they_stand_as_a_line(tmp_path: Path) -> None:
    """A number before the title is allowed for; a mention in prose is no heading."""
    path = tmp_path / "a.pdf"
    parsed = load(pdf(path, [["Scope", "x"], ["Part two", "Scope is told above"]], outline=True))
    assert [(each.start, each.title) for each in parsed.headings] == [(0, "Scope"), (8, "Part two")]


@pytest.mark.parametrize("title", ["", "untitled", "Microsoft Word - a.docx", "report_v2.tex", "-"])
def test_a_senseless_title_gives_way_to_the_first_line(title: str, tmp_path: Path) -> None:
    """Programs fill the title in when their users do not."""
    assert load(pdf(tmp_path / "a.pdf", [["First line", "x"]], title=title)).title == "First line"


def test_a_sensible_title_and_the_author_are_kept(tmp_path: Path) -> None:
    """The document information counts where a person wrote it."""
    parsed = load(pdf(tmp_path / "a.pdf", [["x"]], title="Annual report", author="Ann"))
    assert (parsed.title, parsed.metadata["author"]) == ("Annual report", "Ann")
    assert len(parsed.metadata["date"]) == len("2024-05-01")


def test_an_encrypted_pdf_says_so(tmp_path: Path) -> None:
    """The message names the remedy."""
    path = pdf(tmp_path / "a.pdf", [["x"]], password="secret")
    with pytest.raises(LoadError, match=r"a\.pdf is encrypted .* without the password"):
        load(path)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_truncated_pdf_is_damaged(share: float, tmp_path: Path) -> None:
    """Half a download is an error."""
    data = (FILES / "libreoffice.pdf").read_bytes()
    with pytest.raises(LoadError, match="is no PDF, or a damaged or truncated one"):
        load(write(tmp_path / "a.pdf", data[: int(len(data) * share)]))


@pytest.mark.slow
def test_flipped_bytes_are_survived(tmp_path: Path) -> None:
    """A damaged PDF is read as far as pdfium reads it, or is an error."""
    data = (FILES / "libreoffice.pdf").read_bytes()
    for place in range(500, len(data), len(data) // 16):
        broken = data[:place] + bytes(60) + data[place + 60 :]
        try:
            parsed = load(write(tmp_path / "a.pdf", broken))
        except LoadError:
            continue
        assert parsed.pages[0] == 0
        assert all(before < after for before, after in pairwise(parsed.pages))


# Not getrusage: what that tells of a child begins with the memory of its parent.
READ = """
import re, sys
from pathlib import Path
from rag.loaders import load
parsed = load(Path(sys.argv[1]))
print(len(parsed.pages), parsed.text.count(" | "))
print(int(re.search("VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads its memory from /proc")
def test_two_thousand_pages_take_little_memory(tmp_path: Path) -> None:
    """A table on every other page; what is kept is the text (60 MiB where it was measured)."""
    once, many = pdfium.PdfDocument(FILES / "report.en.pdf"), pdfium.PdfDocument.new()
    for _ in range(1000):
        many.import_pages(once)
    many.save(tmp_path / "a.pdf")
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "a.pdf")],
        capture_output=True,
        text=True,
        check=True,
    )
    told, peak = done.stdout.splitlines()
    assert told == "2000 7000"
    assert int(peak) < 400
