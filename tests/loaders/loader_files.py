"""Builds small real files for the tests of the loaders."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import docx
import odfdo
import openpyxl
import pptx
from docx.document import Document
from fpdf import FPDF
from PIL import Image

from rag.types import Parsed

FILES = Path(__file__).parent / "files"

RUSSIAN = "Большие языковые модели состоят из двух основных компонентов: весов и кода."
CHINESE = "语言模型通过预测文本中的下一个词来学习,词向量表示单词之间的相似性。"
TAIWANESE = "臺灣的天氣在夏天非常炎熱,語言模型可以預測下一個詞,並且產生流暢的文字。"
HUNGARIAN = (
    "A nagy nyelvmodellek működését ritkán értjük: a gépi tanulás nehezen követhető, sőt rejtő."
)
JAPANESE = "東京は日本の首都であり、世界最大の都市のひとつです。昨日は雨が降っていました。"


def pdf(path: Path, pages: list[list[str]], outline: bool = False, **info: str) -> Path:
    """Write a PDF of one text line per string; with outline, a page's first line is an entry."""
    writer = FPDF()
    writer.set_font("Helvetica", size=12)
    writer.set_title(info.get("title", ""))
    writer.set_author(info.get("author", ""))
    for lines in pages:
        writer.add_page()
        if outline and lines:
            writer.start_section(lines[0])
        for line in lines:
            writer.cell(text=line, new_x="LMARGIN", new_y="NEXT")
    if info.get("password"):
        writer.set_encryption("owner", user_password=info["password"])
    path.write_bytes(bytes(writer.output()))
    return path


def scan(path: Path) -> Path:
    """Write a PDF whose only page is a picture."""
    writer = FPDF()
    writer.add_page()
    writer.image(Image.new("RGB", (20, 20), "red"))
    path.write_bytes(bytes(writer.output()))
    return path


def document() -> Document:
    """Return an empty DOCX without the properties that python-docx puts into it."""
    made = docx.Document()
    made.core_properties.author = ""
    return made


def save(made: Document, path: Path) -> Path:
    """Write made to path."""
    made.save(str(path))
    return path


def write(path: Path, content: str | bytes) -> Path:
    """Write content to path, text as UTF-8 without touching its line ends."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def by_page(parsed: Parsed) -> list[str]:
    """Return the text of each page, without the blanks around it."""
    ends = [*parsed.pages[1:], len(parsed.text)]
    return [parsed.text[a:b].strip() for a, b in zip(parsed.pages, ends, strict=True)]


def sections(parsed: Parsed) -> list[tuple[int, str, str]]:
    """Return level and title of each heading, and the line that it starts."""
    lines = (parsed.text[each.start :].split("\n", 1)[0] for each in parsed.headings)
    return [(h.level, h.title, line) for h, line in zip(parsed.headings, lines, strict=True)]


def deck(path: Path, slides: Sequence[tuple[str, str]]) -> Path:
    """Write a PPTX with a slide for each title and text."""
    made = pptx.Presentation()
    for title, text in slides:
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, text
    made.save(str(path))
    return path


def book(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    """Write an XLSX with these rows in each sheet."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def odt(path: Path, sections: Sequence[tuple[str, str]]) -> Path:
    """Write an ODT with a heading of level 1 and a paragraph for each title and text."""
    made = odfdo.Document("text")
    made.body.clear()
    for title, text in sections:
        made.body.append(odfdo.Header(1, title))
        made.body.append(odfdo.Paragraph(text))
    made.save(path)
    return path


def repacked(source: Path, path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """Write to path the package source with one of its parts changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name == part else content)
    return path
