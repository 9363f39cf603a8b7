"""ODT: the body in order, notes, hidden text, and packages that are not to be trusted."""

import zipfile
from pathlib import Path

import pytest

from rag.errors import LoadError
from rag.loaders import load
from tests.loaders.loader_files import FILES, odt, repacked, write

CONTENT = "content.xml"
HUNGARIAN = FILES / "libreoffice_hu.odt"


def body(path: Path, xml: str) -> Path:
    """Write an ODT whose body is xml."""
    plain = odt(path.with_name("plain.odt"), [("HEADING", "BODY")])

    def change(content: bytes) -> bytes:
        start = content.index(b"<text:h")
        end = content.index(b"</office:text>")
        return content[:start] + xml.encode() + content[end:]

    return repacked(plain, path, CONTENT, change)


@pytest.mark.slow
def test_text_is_read_as_the_program_shows_it(tmp_path: Path) -> None:
    """Spaces, tabs, breaks, fields, links and readings; notes and boxes follow; comments do not."""
    xml = (
        '<text:p>a<text:s text:c="2"/>b<text:tab/>c<text:line-break/>d <text:span>e</text:span>'
        "<!-- no --> f\n   g<text:a>h</text:a><text:ruby><text:ruby-base>漢</text:ruby-base>"
        "<text:ruby-text>kan</text:ruby-text></text:ruby><office:annotation><text:p>X</text:p>"
        '</office:annotation><text:note text:note-class="footnote"><text:note-citation>1'
        "</text:note-citation><text:note-body><text:p>A note.</text:p></text:note-body></text:note>"
        "<draw:frame><draw:text-box><text:p>A box.</text:p></draw:text-box></draw:frame></text:p>"
    )
    assert load(body(tmp_path / "a.odt", xml)).text == "a  b\tc\nd e f gh漢\n\nA note.\n\nA box."


@pytest.mark.slow
def test_contents_deleted_and_hidden_text_are_left_out_sections_are_read(tmp_path: Path) -> None:
    """A table of contents repeats; what is hidden or deleted is seen by no reader."""
    xml = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>X</text:p>"
        "</text:deletion></text:changed-region></text:tracked-changes>"
        "<text:table-of-content><text:index-body><text:p>Y</text:p></text:index-body>"
        '</text:table-of-content><text:section text:display="none"><text:p>Z</text:p>'
        "</text:section><text:section><text:p>seen</text:p></text:section>"
    )
    assert load(body(tmp_path / "a.odt", xml)).text == "seen"


@pytest.mark.slow
def test_merged_and_nested_tables(tmp_path: Path) -> None:
    """A covered cell has the text of the one that covers it; a table in a table is layout."""
    cell = "<table:table-cell{}><text:p>{}</text:p></table:table-cell>"
    covered = "<table:covered-table-cell/>"
    rows = [
        cell.format("", "Town")
        + cell.format(' table:number-columns-spanned="2"', "2023")
        + covered,
        cell.format(' table:number-rows-spanned="2"', "Riga") + cell.format("", "5") * 2,
        covered + cell.format("", "6") * 2,
    ]
    table = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    outer = (
        "<table:table><table:table-row><table:table-cell><table:table>{}</table:table>"
        "</table:table-cell><table:table-cell><text:p>right</text:p></table:table-cell>"
        "</table:table-row></table:table>"
    )
    assert load(body(tmp_path / "a.odt", outer.format(table))).text == (
        "Town | 2023\nTown: Riga; 2023: 5; 2023: 5\nTown: Riga; 2023: 6; 2023: 6\n\nright"
    )


@pytest.mark.slow
def test_counts_in_the_file_are_bounded(tmp_path: Path) -> None:
    """A cell that stands for a hundred million, and a space, cost next to nothing."""
    many = b'<table:table-cell table:number-columns-repeated="100000000" '
    spaces = b'<text:s text:c="1000000000"/>havonta'
    path = repacked(
        HUNGARIAN,
        tmp_path / "a.odt",
        CONTENT,
        lambda xml: xml.replace(b"<table:table-cell ", many).replace(b"havonta", spaces),
    )
    assert 1_000 < len(load(path).text) < 100_000


@pytest.mark.slow
def test_a_table_of_too_many_cells_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that stand for many are counted as many."""
    monkeypatch.setattr("rag.loaders.odt_text.MAX_CELLS", 1_000)
    rows = b'<table:table-row table:number-rows-repeated="1000">'
    path = repacked(
        HUNGARIAN, tmp_path / "a.odt", CONTENT, lambda x: x.replace(b"<table:table-row>", rows)
    )
    with pytest.raises(LoadError, match=r"^a\.odt is too large: more than 1,000 cells"):
        load(path)


@pytest.mark.slow
def test_entities_are_not_expanded(tmp_path: Path) -> None:
    """A billion laughs and another file's content end as an error."""
    laughs = b'<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%b">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    for entities in (laughs, b'<!ENTITY j SYSTEM "file:///etc/hostname">'):
        with pytest.raises(LoadError, match="is no ODT, or a damaged one"):
            load(
                repacked(
                    HUNGARIAN,
                    tmp_path / "a.odt",
                    CONTENT,
                    lambda xml, dtd=entities: xml.replace(b"havonta", b"&j;").replace(
                        b"?>", b"?><!DOCTYPE d [" + dtd + b"]>", 1
                    ),
                )
            )


@pytest.mark.slow
def test_what_is_no_odt_says_so(tmp_path: Path) -> None:
    """Encrypted, of another kind, another package, a bomb, or empty: each is named."""
    secret = repacked(
        HUNGARIAN,
        tmp_path / "a.odt",
        "META-INF/manifest.xml",
        lambda xml: xml.replace(b"</manifest", b"<manifest:encryption-data/></manifest", 1),
    )
    with pytest.raises(LoadError, match="is encrypted; save a copy"):
        load(secret)
    sheet = repacked(
        HUNGARIAN, tmp_path / "b.odt", "mimetype", lambda x: x.replace(b".text", b".spreadsheet")
    )
    with pytest.raises(LoadError, match="is no text but a spreadsheet"):
        load(sheet)
    with pytest.raises(LoadError, match="is no ODT, or a damaged one"):
        load(write(tmp_path / "c.odt", (FILES / "libreoffice.docx").read_bytes()))
    with pytest.raises(LoadError, match="holds no text"):
        load(odt(tmp_path / "d.odt", []))
    with zipfile.ZipFile(tmp_path / "e.odt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CONTENT, bytes(20 * 1024 * 1024))
    with pytest.raises(LoadError, match=r"unpacks from \d+ KiB to 20 MiB"):
        load(tmp_path / "e.odt")
