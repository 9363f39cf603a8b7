"""PPTX: slides in order, notes marked, and packages that are not to be trusted."""

from pathlib import Path
from typing import Any

import pptx
import pytest
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls
from pptx.util import Inches

from rag.errors import LoadError
from rag.loaders import load
from tests.loaders.loader_files import FILES, deck, repacked, write

SLIDE = "ppt/slides/slide1.xml"


@pytest.mark.slow
def test_titles_lists_notes_and_boxes_come_in_order(tmp_path: Path) -> None:
    """The title first, then shapes as they are read aloud, groups opened; then the notes."""
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "Plan\vB"
    slide.placeholders[1].text = "one\ntwo"
    box = slide.shapes.add_group_shape().shapes.add_textbox(0, 0, Inches(2), Inches(1))
    box.text_frame.text = "A box\vof text"
    slide.notes_slide.notes_text_frame.text = "Say hello.\nThen stop."
    made.save(str(tmp_path / "a.pptx"))
    parsed = load(tmp_path / "a.pptx")
    assert parsed.text == (
        "Plan B\n\n- one\n- two\n\nA box of text\n\nSpeaker notes\n\nSay hello.\n\nThen stop."
    )
    assert [(each.level, each.title) for each in parsed.headings] == [
        (1, "Plan B"),
        (2, "Speaker notes"),
    ]
    assert (parsed.title, parsed.unit, parsed.pages) == ("Plan B", "slide", (0,))
    assert "author" not in parsed.metadata


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ftr", "sldNum", "dt"])
def test_footers_dates_and_slide_numbers_are_left_out(kind: str, tmp_path: Path) -> None:
    """They stand on every slide and say nothing of it."""
    path = deck(tmp_path / "a.pptx", [("Title", "body")])
    made = pptx.Presentation(str(path))
    box = made.slides[0].shapes.add_textbox(0, 0, Inches(1), Inches(1))
    box.text_frame.text = "page 7 of 9"
    mark = parse_xml(f'<p:ph {nsdecls("p")} type="{kind}" idx="12"/>')
    box._element.nvSpPr.find("{*}nvPr").append(mark)
    made.save(str(path))
    assert load(path).text == "Title\n\n- body"


@pytest.mark.slow
def test_a_slide_without_text_is_an_empty_page(tmp_path: Path) -> None:
    """Numbers of slides stay those of the program; a picture has no words."""
    made = pptx.Presentation()
    for layout in (6, 6, 5, 6):
        made.slides.add_slide(made.slide_layouts[layout])
    made.slides[2].shapes.title.text = "Third"
    made.save(str(tmp_path / "a.pptx"))
    parsed = load(tmp_path / "a.pptx")
    assert (parsed.text, parsed.pages) == ("Third", (0, 0, 0, 5))


@pytest.mark.slow
def test_an_empty_deck_and_other_packages_are_errors(tmp_path: Path) -> None:
    """Each is named in one line."""
    with pytest.raises(LoadError, match="holds no text"):
        load(deck(tmp_path / "a.pptx", []))
    with pytest.raises(LoadError, match="is encrypted, or an old PowerPoint file"):
        load(write(tmp_path / "b.pptx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)))
    with pytest.raises(LoadError, match="is no PPTX, or a damaged one"):
        load(write(tmp_path / "c.pptx", (FILES / "libreoffice.docx").read_bytes()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace(b"</a:t>", b"&x;</a:t>").replace(
            b"<p:sld ", b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><p:sld ', 1
        ),
        lambda xml: xml.replace(b"</p:spTree>", b"<p:grpSp>" * 3000 + b"</p:spTree>"),
        lambda xml: xml.replace(b"<a:tc ", b'<a:tc gridSpan="1000000000" rowSpan="1000000000" '),
        lambda xml: xml[: len(xml) // 2],
    ],
)
def test_hostile_slides_are_read_or_refused_and_fetch_nothing(change: Any, tmp_path: Path) -> None:
    """Entities of other files, nests, spans over everything, a slide cut off."""
    part = "ppt/slides/slide3.xml" if b"gridSpan" in change(b"<a:tc ") else SLIDE
    path = repacked(FILES / "python_ru.pptx", tmp_path / "a.pptx", part, change)
    try:
        text = load(path).text
        assert Path("/etc/hostname").read_text().strip() not in text
    except LoadError as error:
        assert "\n" not in str(error)
