"""OCR: which pages of a PDF go to tesseract, and what becomes of those that it can not read."""

import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest

from rag.errors import LoadError
from rag.loaders import load, ocr
from rag.loaders.ocr import OcrError, PageReader, installed
from rag.loaders.pdf_scans import Scans, ranges
from tests.loaders.loader_files import FILES, pdf, scan

SCANNED = FILES / "partly-scanned.pdf"
PAGE = np.zeros((20, 10), np.uint8)
# Says which languages it was given; reads Hungarian, whatever the picture shows.
FAKE = """#!/bin/sh
if [ "$1" = --list-langs ]; then
  printf 'List of available languages in "/x/" (4):\\neng\\nhun\\nosd\\nchi_sim\\n'; exit
fi
head -c 15 >> "$0.seen"; cat > /dev/null
echo "$4 $OMP_THREAD_LIMIT" >> "$0.seen"
"""
HUNGARIAN = "echo 'A gyűlés a régi malomban volt, és pénztárosnak Mező Annát választották.'\n"

real = pytest.mark.skipif(
    not {"eng", "rus", "hun", "chi_sim"} <= set(installed()),
    reason="tesseract with eng, rus, hun and chi_sim is not installed",
)


@pytest.fixture
def tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in for tesseract: a script, written by the test, in a folder before all others."""
    program = tmp_path / "bin" / "tesseract"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    installed.cache_clear()
    yield program
    installed.cache_clear()


def write(program: Path, script: str) -> None:
    """Make program a script."""
    program.write_text(script, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def without_tesseract(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide tesseract."""
    monkeypatch.setenv("PATH", "")
    installed.cache_clear()
    yield
    installed.cache_clear()


def test_pages_are_written_as_readers_write_them() -> None:
    """Three and more in a row are a range."""
    assert ranges([]) == ""
    assert ranges([3, 7]) == "3, 7"
    assert ranges([1, 2, 4, 5, 6, 9]) == "1, 2, 4-6, 9"


@pytest.mark.usefixtures("without_tesseract")
def test_scanned_pages_are_reported_without_tesseract() -> None:
    """The other pages are read; a blank page is no scan; page numbers stay right."""
    parsed = load(SCANNED)
    assert parsed.text == "The first page has text.\n\n\nThe last page has text."
    assert parsed.pages == (0, 25, 26, 27)
    assert parsed.metadata["scanned_pages"] == "2"
    assert "ocr_pages" not in parsed.metadata


@pytest.mark.usefixtures("without_tesseract")
def test_a_document_of_scans_alone_is_an_error_that_names_ocr() -> None:
    """It says what it found, why that was not read, and two remedies."""
    told = r"is a scan: .*1 of 1.*tesseract is not installed; install tesseract .*ocrmypdf"
    with pytest.raises(LoadError, match=told):
        load(FILES / "scan.hu.pdf")


def test_ocr_can_be_off() -> None:
    """No program is started, whether there is one or not."""
    assert load(SCANNED, ocr="off").metadata["scanned_pages"] == "2"
    with pytest.raises(LoadError, match="OCR is set to off"):
        load(FILES / "scan.zh.pdf", ocr="off")


@pytest.mark.usefixtures("without_tesseract")
def test_a_language_that_is_not_installed_is_named() -> None:
    """A setting that can not be followed is told, and is not followed in part."""
    with pytest.raises(LoadError, match=r"OCR is set to eng\+deu, but without eng, deu"):
        load(FILES / "scan.hu.pdf", ocr="eng+deu")


def test_a_small_picture_is_no_scan(tmp_path: Path) -> None:
    """A page with a logo and nothing else has no text to lose."""
    with pytest.raises(LoadError, match=r"no page \(of 1\) has any"):
        load(scan(tmp_path / "a.pdf"))
    assert "scanned_pages" not in load(pdf(tmp_path / "b.pdf", [["x"], []])).metadata


def test_a_scan_within_a_form_is_found(tmp_path: Path) -> None:
    """Two scanned pages put on one sheet: their places are told by the forms they are in."""
    source = pdfium.PdfDocument(FILES / "scan.hu.pdf")
    source.import_pages(source)
    sheet = pdfium.PdfDocument(pdfium_c.FPDF_ImportNPagesToOne(source, 3368, 2380, 2, 1))
    sheet.save(tmp_path / "a.pdf")
    with pytest.raises(LoadError, match=r"is a scan: .*1 of 1"):
        load(tmp_path / "a.pdf", ocr="off")


def test_the_language_found_goes_first(tesseract: Path) -> None:
    """A page is read again when its language was not the first; the next one is not."""
    write(tesseract, FAKE + HUNGARIAN)
    reader = PageReader()
    assert reader.languages == ("eng", "hun", "chi_sim")
    first, second = reader.read(PAGE), reader.read(PAGE)
    assert first == second and first.startswith("A gyűlés")
    seen = Path(f"{tesseract}.seen").read_bytes().replace(b"P5 10 20 255\n\0\0", b"").split(b"\n")
    assert seen == [b"eng+hun+chi_sim 1", b"hun+eng+chi_sim 1", b"hun+eng+chi_sim 1", b""]


@pytest.mark.slow
def test_marks_without_words_are_no_text(tesseract: Path) -> None:
    """What is read out of a photograph is left out, and the page reported."""
    write(tesseract, FAKE + "echo '~ | .. , a _ ;: |'\n")
    assert load(SCANNED).metadata["scanned_pages"] == "2"


def test_blanks_between_chinese_characters_are_dropped(tesseract: Path) -> None:
    """tesseract puts them there; wide gaps between columns are kept as three blanks."""
    write(tesseract, FAKE + "printf '语 言 模型  学习 GPT 4     90 \\n\\n\\n\\n下一行\\n\\f'\n")
    assert PageReader().read(PAGE) == "语言模型学习 GPT 4   90\n\n下一行"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "told"),
    [("exit 1\n", "failed with exit code 1"), ("exec sleep 60\n", "took longer than 1 s")],
)
def test_a_page_that_fails_leaves_the_others(
    script: str, told: str, tesseract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that dies or hangs costs its page and a bounded time, not the document."""
    monkeypatch.setattr(ocr, "PAGE_SECONDS", 1.0)
    write(tesseract, FAKE + script)
    with pytest.raises(OcrError, match=told):
        PageReader().read(PAGE)
    assert load(SCANNED).metadata["scanned_pages"] == "2"


def test_the_pages_of_a_document_that_are_read_are_bounded(
    tesseract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OCR of a book would take an hour; what is left out is reported."""
    monkeypatch.setattr("rag.loaders.pdf_scans.MOST_PAGES", 0)
    write(tesseract, FAKE + HUNGARIAN)
    with pytest.raises(LoadError, match="of a document, 0 scanned pages are read"):
        load(FILES / "scan.hu.pdf")


@pytest.mark.slow
def test_the_time_that_a_document_takes_is_bounded(
    tesseract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page that exceeds it is kept, those after it are reported."""
    monkeypatch.setattr("rag.loaders.pdf_scans.MOST_SECONDS", 0.001)
    write(tesseract, FAKE + HUNGARIAN)
    scans = Scans("auto")
    with closing(pdfium.PdfDocument(FILES / "scan.hu.pdf")) as document:
        assert scans.text(document[0], 1).startswith("A gyűlés")
        assert scans.text(document[0], 2) == ""
    assert scans.metadata() == {"ocr_pages": "1", "scanned_pages": "2"}
    assert "are read for 0 s" in scans.problem


@real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("scan.hu.pdf", "Pénztárosnak Mező Annát választották 17 szavazattal."),
        ("scan.zh.pdf", "下次会议定于四月九日召开。"),
        ("partly-scanned.pdf", "Казначеем избрана Анна Полева, 17 голосов."),
    ],
)
def test_scans_are_read(name: str, line: str) -> None:
    """Real pictures of text through the real tesseract, in the language they are in."""
    parsed = load(FILES / name)
    assert line in parsed.text.split("\n")
    assert parsed.metadata["ocr_pages"] == ("2" if name == SCANNED.name else "1")
    assert "scanned_pages" not in parsed.metadata
