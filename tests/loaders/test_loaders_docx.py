"""DOCX: the body in order, headings by style, and packages that are not to be trusted."""

import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn

from rag.errors import LoadError
from rag.loaders import load
from tests.loaders.loader_files import FILES, document, save, write


@pytest.mark.slow
def test_paragraphs_lists_and_tables_come_in_the_order_of_the_body(tmp_path: Path) -> None:
    """Tables stay between their paragraphs; a row is a line, an item has a mark."""
    made = document()
    made.add_heading("Report", 0)
    made.add_paragraph("Before")
    table = made.add_table(2, 2)
    for cell, text in zip(table._cells, ["a", "b\nc", "", "d"], strict=True):
        cell.text = text
    made.add_paragraph("one", style="List Bullet")
    made.add_paragraph("two", style="List Number")
    made.add_paragraph("")
    made.add_heading("Második rész", 2)
    made.add_paragraph("After")
    parsed = load(save(made, tmp_path / "a.docx"))
    assert parsed.text == (
        "Report\n\nBefore\n\na | b c\nd\n\n- one\n- two\n\nMásodik rész\n\nAfter"
    )
    assert [(each.level, each.title) for each in parsed.headings] == [
        (1, "Report"),
        (2, "Második rész"),
    ]
    for each in parsed.headings:
        assert parsed.text[each.start :].startswith(each.title + "\n")
    assert parsed.title == "Report"


def test_a_docx_of_a_real_program() -> None:
    """LibreOffice's export: notes, tracked changes, nested list, spans, a text box, Russian."""
    parsed = load(FILES / "libreoffice.docx")
    assert parsed.text == (
        "Введение\n\nМодель предсказывает следующее слово в тексте. Вставленное слово.\n\n"
        "Точнее, следующий токен.\n\n- первый пункт\n  - вложенный пункт\n- второй пункт\n\n"
        "Таблица\n\nширокая | высокая\nодин | два | высокая\n\nПоследний\nабзац\n\nТекст во врезке."
    )
    assert [each.level for each in parsed.headings] == [1, 2]
    assert parsed.title == "Отчёт о проекте"
    assert parsed.metadata == {"author": "Анна Петрова", "date": "2024-05-01"}


@pytest.mark.slow
def test_properties_are_title_author_and_date(tmp_path: Path) -> None:
    """What the user wrote into the properties counts; defaults of programs do not."""
    made = document()
    made.add_paragraph("text")
    made.core_properties.title = "Annual report"
    made.core_properties.author = "Ann"
    made.core_properties.created = datetime(2024, 5, 1)
    parsed = load(save(made, tmp_path / "a.docx"))
    assert parsed.title == "Annual report"
    assert parsed.metadata == {"author": "Ann", "date": "2024-05-01"}
    made.core_properties.title = "Word Document"
    assert load(save(made, tmp_path / "named.docx")).title == "named"


@pytest.mark.slow
def test_headings_are_known_by_name_base_and_outline_level(tmp_path: Path) -> None:
    """A localised id, a style of the user's own and a bare outline level are headings."""
    made = document()
    made.styles["Heading 1"].element.set(qn("w:styleId"), "Cmsor1")
    own = made.styles.add_style("Fejezet", WD_STYLE_TYPE.PARAGRAPH)
    own.base_style = made.styles["Heading 2"]
    made.add_paragraph("Első", style="Heading 1")
    made.add_paragraph("Második", style="Fejezet")
    direct = made.add_paragraph("Harmadik")
    level = OxmlElement("w:outlineLvl")
    level.set(qn("w:val"), "2")
    direct._p.get_or_add_pPr().append(level)
    made.add_paragraph("Contents", style="TOC Heading")
    parsed = load(save(made, tmp_path / "a.docx"))
    assert [(each.level, each.title) for each in parsed.headings] == [
        (1, "Első"),
        (2, "Második"),
        (3, "Harmadik"),
    ]


@pytest.mark.slow
def test_a_merged_cell_counts_for_every_row_that_it_covers(tmp_path: Path) -> None:
    """And once in each, as in the tables of all formats."""
    made = document()
    table = made.add_table(3, 3)
    for row, name in zip(table.rows, "abc", strict=True):
        for column, cell in enumerate(row.cells):
            cell.text = f"{name}{column}"
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(1, 2).merge(table.cell(2, 2)).text = "tall"
    parsed = load(save(made, tmp_path / "a.docx"))
    assert parsed.text == "wide | a2\nb0 | b1 | tall\nc0 | c1 | tall"


def _filled(made: Any, rows: list[list[str]]) -> Any:
    """Add a table with these texts."""
    table = made.add_table(len(rows), len(rows[0]))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    return table


PARTS = [["Part", "Use"], ["valve", "closes the pipe"], ["pump", "moves water"]]
NAMED = "Part | Use\nPart: valve; Use: closes the pipe\nPart: pump; Use: moves water"


@pytest.mark.slow
def test_rows_keep_a_header_that_word_repeats_or_sets_in_bold(tmp_path: Path) -> None:
    """Without a sign, two columns of words have none: the first row may be as any other."""
    made = document()
    _filled(made, PARTS)
    assert load(save(made, tmp_path / "none.docx")).text == (
        "Part | Use\nvalve | closes the pipe\npump | moves water"
    )
    repeated = document()
    header = OxmlElement("w:tblHeader")
    _filled(repeated, PARTS).rows[0]._tr.get_or_add_trPr().append(header)
    assert load(save(repeated, tmp_path / "repeated.docx")).text == NAMED
    header.set(qn("w:val"), "0")
    assert NAMED not in load(save(repeated, tmp_path / "off.docx")).text
    bold = document()
    for cell in _filled(bold, PARTS).rows[0].cells:
        cell.paragraphs[0].runs[0].bold = True
    assert load(save(bold, tmp_path / "bold.docx")).text == NAMED


@pytest.mark.slow
def test_rows_of_values_keep_the_words_above_them(tmp_path: Path) -> None:
    """Also below cells that are merged, and in rows that begin further to the right."""
    made = document()
    rows = [["Tea", "Year", "", "Note"], ["Tea", "2023", "2024", "Note"], ["Assam", "5", "6", "a"],
            ["Sencha", "7", "8", ""], ["-", "9", "10", "b"]]  # fmt: skip
    table = _filled(made, rows)
    for row in table.rows[:2]:
        row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    table.cell(0, 1).merge(table.cell(0, 2)).text = "Year"
    last = table.rows[4]._tr
    last.remove(last.tc_lst[0])
    before = OxmlElement("w:gridBefore")
    before.set(qn("w:val"), "1")
    last.get_or_add_trPr().append(before)
    assert load(save(made, tmp_path / "a.docx")).text.split("\n")[2:] == [
        "Tea: Assam; Year / 2023: 5; Year / 2024: 6; Note: a",
        "Tea: Sencha; Year / 2023: 7; Year / 2024: 8",
        "Year / 2023: 9; Year / 2024: 10; Note: b",
    ]


@pytest.mark.slow
def test_tables_that_only_place_text_are_read_as_blocks(tmp_path: Path) -> None:
    """One cell around text, or a table in a table, is layout."""
    made = document()
    outer = made.add_table(1, 2)
    outer.cell(0, 0).text = "left"
    inner = outer.cell(0, 1).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "a", "b"
    parsed = load(save(made, tmp_path / "a.docx"))
    assert parsed.text == "left\n\na | b"


@pytest.mark.slow
def test_text_in_links_insertions_and_controls_is_read(tmp_path: Path) -> None:
    """What Word shows is read, what it has deleted or hides is not."""
    made = document()
    xml = (
        "<w:p {}><w:r><w:t>a</w:t><w:tab/></w:r><w:hyperlink><w:r><w:t>b</w:t></w:r></w:hyperlink>"
        "<w:ins><w:r><w:t>c</w:t></w:r></w:ins><w:del><w:r><w:delText>X</w:delText></w:r></w:del>"
        "<w:sdt><w:sdtContent><w:r><w:t>d</w:t></w:r></w:sdtContent></w:sdt>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>Y</w:t></w:r><w:r><w:noBreakHyphen/></w:r>"
        "<w:fldSimple><w:r><w:instrText>Z</w:instrText><w:t>e</w:t></w:r></w:fldSimple></w:p>"
    )
    control = "<w:sdt {}><w:sdtContent><w:p><w:r><w:t>f</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    made.element.body.insert(0, parse_xml(xml.format(nsdecls("w"))))
    made.element.body.insert(1, parse_xml(control.format(nsdecls("w"))))
    assert load(save(made, tmp_path / "a.docx")).text == "a\tbcd-e\n\nf"


@pytest.mark.slow
def test_a_docx_without_text_is_an_error(tmp_path: Path) -> None:
    """An empty document is reported like an empty file."""
    with pytest.raises(LoadError, match="holds no text"):
        load(save(document(), tmp_path / "a.docx"))


def _zip(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.mark.slow
def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Twenty megabytes of zeros in twenty kilobytes are refused before they are read."""
    path = _zip(tmp_path / "a.docx", {"word/document.xml": bytes(20 * 1024 * 1024)})
    with pytest.raises(LoadError, match=r"unpacks from \d+ KiB to 20 MiB"):
        load(path)


@pytest.mark.slow
def test_entities_of_a_hostile_docx_are_not_expanded(tmp_path: Path) -> None:
    """A billion laughs end as an error, or as nothing."""
    path = save(document(), tmp_path / "a.docx")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    laughs = b'<!DOCTYPE d [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%b">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    xml = parts["word/document.xml"].split(b"?>", 1)[1]
    parts["word/document.xml"] = laughs + b"]>" + xml.replace(b"<w:sectPr", b"&j;<w:sectPr", 1)
    with pytest.raises(LoadError):
        load(_zip(path, parts))


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"not a zip", "its zip archive is broken"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is encrypted, or an old Word file"),
        (b"PK\x03\x04" + bytes(100), "its zip archive is broken"),
    ],
)
def test_what_is_no_docx_says_so(data: bytes, part: str, tmp_path: Path) -> None:
    """The suffix promises a package; what else it may be is named."""
    with pytest.raises(LoadError, match=part):
        load(write(tmp_path / "a.docx", data))


def test_a_zip_of_something_else_is_no_docx(tmp_path: Path) -> None:
    """An archive under a document's name is refused in one line."""
    with pytest.raises(LoadError, match="is no DOCX, or a damaged one") as caught:
        load(_zip(tmp_path / "a.docx", {"readme.txt": b"hello"}))
    assert "\n" not in str(caught.value)


def test_a_truncated_or_damaged_docx_is_an_error_or_read(tmp_path: Path) -> None:
    """Cut anywhere it is refused; with bytes flipped it is refused or still a document."""
    data = (FILES / "libreoffice.docx").read_bytes()
    for share in (0.1, 0.5, 0.99):
        with pytest.raises(LoadError):
            load(write(tmp_path / "a.docx", data[: int(len(data) * share)]))
    for place in range(0, len(data), len(data) // 15):
        broken = BytesIO(data).getvalue()[:place] + b"\xff\xff" + data[place + 2 :]
        try:
            load(write(tmp_path / "a.docx", broken))
        except LoadError as error:
            assert "\n" not in str(error)
