"""Which files are read, which are passed over, and how a failure reads."""

import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import LoadError
from rag.loaders import LOADERS, LOADERS_VERSION, kind, load, skip_reason
from rag.loaders.source import iso_date
from tests.loaders.loader_files import write


@pytest.mark.slow
def test_importing_the_package_imports_no_parser() -> None:
    """Commands that read no files do not pay for the parsers."""
    code = "import sys, rag.loaders; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pypdfium2", "docx", "lxml", "docutils", "markdown_it", "yaml", "chardet"}
    heavy |= {"pptx", "openpyxl", "odfdo"}
    assert heavy.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "text"),
        ("A.MD", "markdown"),
        ("a.rst", "rst"),
        ("a.XHTML", "html"),
        ("a.pdf", "pdf"),
        ("a.docx", "docx"),
        ("a.json", "json"),
        ("a.ndjson", "jsonl"),
        ("a.ipynb", "ipynb"),
        ("a.epub", "epub"),
        ("a.eml", "eml"),
        ("a.mbox", "mbox"),
        ("a.R", "code"),
        ("a.pdf.meta.json", None),
        ("a.pptx", "pptx"),
        ("a.xlsx", "xlsx"),
        ("a.ODT", "odt"),
        ("a.csv", "csv"),
        ("a.tsv", "csv"),
        ("~$a.docx", None),
        (".hidden.md", None),
        ("a.png", None),
        ("README", None),
    ],
)
def test_kind_goes_by_the_suffix(name: str, expected: str | None) -> None:
    """The suffix decides, in any case; lock and hidden files are of no kind."""
    assert kind(Path(name)) == expected


def test_every_suffix_has_a_loader_and_no_reason_to_skip() -> None:
    """`kind`, `skip_reason` and LOADERS agree on what is read."""
    assert all(kind(Path(f"a{suffix}")) for suffix in LOADERS)
    assert not any(skip_reason(Path(f"a{suffix}")) for suffix in LOADERS)
    assert LOADERS_VERSION >= 1


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("photo.JPG", "an image"),
        ("film.mp4", "a video"),
        ("all.tar.gz", "an archive"),
        ("tool.exe", "a program"),
        ("old.doc", "save it as .docx"),
        ("old.msg", "save it as .eml"),
        ("a.pdf.meta.json", "is metadata of a.pdf"),
        ("old.ppt", "save it as .pptx"),
        ("macros.xlsm", "save it as .xlsx"),
        ("table.ods", "save it as .xlsx"),
        ("~$report.docx", "a lock file"),
        (".env", "a hidden file"),
        ("README", "no suffix"),
        ("data.xyz", ".xyz files are not read"),
    ],
)
def test_a_skipped_file_says_why(name: str, part: str) -> None:
    """The reason names what the file is, or what to do about it."""
    assert part in (skip_reason(Path(name)) or "")


def test_loading_a_kind_that_is_not_read_fails_with_the_reason(tmp_path: Path) -> None:
    """`load` does not guess at other kinds."""
    with pytest.raises(LoadError, match=r"photo\.png was not read: an image"):
        load(write(tmp_path / "photo.png", b"\x89PNG"))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", sorted(LOADERS))
def test_missing_and_empty_files_fail_in_one_clear_line(suffix: str, tmp_path: Path) -> None:
    """Every loader tells a file that is not there from one without content."""
    with pytest.raises(LoadError, match=r"^gone\S+ is not there"):
        load(tmp_path / f"gone{suffix}")
    with pytest.raises(LoadError, match="holds no text: the file is empty"):
        load(write(tmp_path / f"empty{suffix}", b""))


@pytest.mark.parametrize(
    "suffix", [".txt", ".md", ".rst", ".html", ".jsonl", ".py", ".csv", ".tsv"]
)
def test_white_space_only_holds_no_text(suffix: str, tmp_path: Path) -> None:
    """A file of blanks is not the same as an empty one, and no document either."""
    with pytest.raises(LoadError, match="holds no text"):
        load(write(tmp_path / f"blank{suffix}", " \n\t\r\n"))


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    """A folder named like a document is reported, not read."""
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(LoadError, match="not a file"):
        load(tmp_path / "folder.txt")


def test_a_file_beyond_the_limit_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit keeps one file from filling the memory."""
    monkeypatch.setattr("rag.loaders.source.MAX_BYTES", 10)
    with pytest.raises(LoadError, match="too large"):
        load(write(tmp_path / "a.txt", "eleven char"))


def test_whatever_a_parser_raises_is_a_load_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser's own exception never reaches the caller bare."""
    import rag.loaders.text

    def broken(path: Path) -> None:
        raise RuntimeError("first line\nsecond")

    monkeypatch.setattr(rag.loaders.text, "load", broken)
    with pytest.raises(LoadError, match="RuntimeError: first line second") as caught:
        load(write(tmp_path / "a.txt", "x"))
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_name_with_a_line_end_stays_on_one_line(tmp_path: Path) -> None:
    """An error is one line whatever the file is called."""
    with pytest.raises(LoadError) as caught:
        load(tmp_path / "two\nlines.txt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-05-01", "2024-05-01"),
        ("2024-05-01T10:00:00+02:00", "2024-05-01"),
        ("2024. 5. 1.", "2024-05-01"),
        ("2024年5月1日", "2024-05-01"),
        ("2024-05", "2024-05"),
        ("2024", "2024"),
        ("D:20240501103000+01'00'", "2024-05-01"),
        ("20240501", "2024-05-01"),
        ("Wed, 01 May 2024 10:00:00 GMT", "2024-05-01"),
        ("2024-13-40", ""),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_dates_become_iso_dates_or_nothing(written: str, expected: str) -> None:
    """Dates are compared as strings, so only one form is let through."""
    assert iso_date(written) == expected


def test_a_date_that_is_not_understood_is_kept_under_another_key(tmp_path: Path) -> None:
    """Nothing that a file says is lost, and no filter compares it."""
    parsed = load(write(tmp_path / "a.md", "---\ndate: last spring\n---\ntext\n"))
    assert parsed.metadata == {"date_as_written": "last spring"}
