"""Pages that real builders of documentation made: their text, whole, and their headings."""

import pytest

from rag.loaders import load
from tests.loaders.loader_files import FILES

MKDOCS = """\
Water gauge

The gauge measures the level of a river.

Install

Run this:

from gauge import read

def main():
    print(read("North"))

Option | Meaning
Option: rate; Meaning: readings per minute
Option: unit; Meaning: metre or foot

Note

Calibrate it once a year."""

SPHINX = """\
水位计手册

水位计测量河流的水位。

安装

运行以下命令：

from gauge import read

def main():
    print(read("北站"))

选项 | 含义
选项: rate; 含义: 每分钟读数

备注

每年校准一次。"""

DOCUTILS = """\
Руководство датчика

Установка

Датчик измеряет уровень реки.

1. Нажмите кнопку.
2. Прочтите уровень.

level = read("Север")

print(level)

Параметры

Параметр | Значение
Параметр: rate; Значение: измерений в минуту
Параметр: unit; Значение: метр"""

LIBREOFFICE = """\
Vízmérce kézikönyv

A vízmérce a folyó szintjét méri.

Beállítások

Beállítás | Jelentés
Beállítás: rate; Jelentés: mérés percenként

1. Nyomja meg a gombot.

2. Olvassa le a szintet."""


@pytest.mark.parametrize(
    ("name", "title", "headings", "text"),
    [
        ("mkdocs.en.html", "Gauge manual", ["Water gauge", "Install"], MKDOCS),
        ("sphinx.zh.html", "水位计手册 — 水位计 文档", ["水位计手册", "安装"], SPHINX),
        (
            "docutils.ru.html",
            "Руководство датчика",
            ["Руководство датчика", "Установка", "Параметры"],
            DOCUTILS,
        ),
        ("libreoffice.hu.html", "Vízmérce", ["Vízmérce kézikönyv", "Beállítások"], LIBREOFFICE),
    ],
)
def test_pages_of_real_builders(name: str, title: str, headings: list[str], text: str) -> None:
    """MkDocs (material), Sphinx (pydata), docutils, LibreOffice: the text and nothing around it."""
    parsed = load(FILES / name)
    assert parsed.text == text
    assert parsed.title == title
    assert [each.title for each in parsed.headings] == headings
    for each in parsed.headings:
        assert parsed.text[each.start :].startswith(each.title + "\n")
