"""EPUB: chapters in the order of the spine, their headings, and what a book may not do."""

import zipfile
from pathlib import Path

import pytest

from rag.errors import LoadError
from rag.loaders import load
from tests.loaders.loader_files import FILES, sections

CONTAINER = '<container><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>'


def book(path: Path, chapters: dict[str, str | bytes], **parts: str | bytes) -> Path:
    """Write an EPUB of these chapters; parts are added or replace others by name."""
    kind = "application/xhtml+xml"
    items = "".join(f'<item id="{n}" href="{n}" media-type="{kind}"/>' for n in chapters)
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    package = f"<package><metadata/><manifest>{items}</manifest><spine>{spine}</spine></package>"
    files = {"META-INF/container.xml": CONTAINER, "book.opf": package, **chapters, **parts}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_book_of_libreoffice_in_hungarian() -> None:
    """Its chapters mark no headings; the table of contents tells them. Its language is no help."""
    parsed = load(FILES / "libreoffice-hu.epub")
    assert parsed.text == (
        "Bevezetés\n\nA nagy nyelvmodellek működését ritkán értjük. A tanulás nehezen "
        "követhető.\n\nA második bekezdés itt áll.\n\nMérések\n\nAz Adam optimalizáló "
        "paraméterenként 12 bájtot igényel.\n\nMemória\n\nA súlyok két bájtot foglalnak el.\n\n"
        "Típus | Bájt\nbf16 | 2\n\nelső pont\n\nmásodik pont"
    )
    assert parsed.title == "A gépi tanulás jelentése"
    assert [each.start for each in parsed.headings] == [0, 116]
    assert sections(parsed) == [(1, "Bevezetés", "Bevezetés"), (1, "Mérések", "Mérések")]
    assert parsed.metadata == {"date": "2026-11-21"}


def test_a_book_of_libreoffice_in_russian_and_chinese() -> None:
    """Two scripts, an author, a note's mark in the text."""
    parsed = load(FILES / "libreoffice-ru.epub")
    assert parsed.text == (
        "Глава первая\n\nБольшие языковые модели состоят из весов и кода.\n\n"
        "Глава вторая: 语言模型\n\n语言模型通过预测文本中的下一个词来学习。\n\nСноска1."
    )
    assert [(each.start, each.title) for each in parsed.headings] == [
        (0, "Глава первая"),
        (64, "Глава вторая: 语言模型"),
    ]
    assert (parsed.title, parsed.metadata["author"]) == ("Как устроены модели", "Анна Петрова")


def test_a_book_of_epub_2_in_chinese() -> None:
    """Cover and contents are left out, notes kept; an unmarked chapter gets its label.

    The chapters have an empty title and empty anchors as XML writes them, an entity, a header
    and an aside; one file is twice in the spine, one is missing.
    """
    parsed = load(FILES / "epub2.epub")
    assert parsed.text == (
        "第一章\n\n语言模型 预测下一个词。\n\n例子\n\n今天天气很好。\n\n旁注：天气。\n\n"
        "第二章 词向量\n\n词向量表示单词之间的相似性。\n\n注释一。"
    )
    assert [(each.start, each.level, each.title) for each in parsed.headings] == [
        (0, 1, "第一章"),
        (19, 2, "例子"),
        (40, 1, "第二章 词向量"),
    ]
    assert parsed.title == "语言模型入门"
    assert parsed.metadata == {
        "author": "王小明, 李四", "lang": "zh-CN", "date": "2023-11-05",
        "publisher": "示例出版社",
    }  # fmt: skip


def test_navigation_and_cover_of_epub_3_are_left_out(tmp_path: Path) -> None:
    """By the manifest's property, by the landmarks, and by the body's own type."""
    ops = 'xmlns:epub="http://www.idpf.org/2007/ops"'
    nav = (
        f'<html {ops}><body><nav epub:type="toc"><a href="one.xhtml">One</a></nav>'
        '<nav epub:type="landmarks"><a epub:type="cover" href="front.xhtml">C</a></nav>'
    )
    names = ("nav.xhtml", "front.xhtml", "inner.xhtml", "one.xhtml")
    kind = 'media-type="application/xhtml+xml"'
    items = "".join(f'<item id="{n}" href="{n}" {kind}/>' for n in names[1:])
    items += f'<item id="nav.xhtml" href="nav.xhtml" {kind} properties="nav"/>'
    spine = "".join(f'<itemref idref="{name}"/>' for name in names)
    package = f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>"
    path = book(
        tmp_path / "a.epub",
        {"front.xhtml": "<p>cover</p>", "one.xhtml": "<p>Text.</p>",
         "inner.xhtml": f'<html {ops}><body class="x" epub:type="cover"><p>c</p></body></html>'},
        **{"book.opf": package, "nav.xhtml": nav},
    )  # fmt: skip
    assert load(path).text == "One\n\nText."


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"META-INF/container.xml": "<x/>"}, "names no package"),
        ({"META-INF/container.xml": ""}, "is no EPUB"),
        ({"book.opf": "\0"}, r"damaged part book\.opf"),
        ({"book.opf": "<package/>"}, "holds no text"),
    ],
)
def test_a_broken_package_is_refused(parts: dict[str, str], told: str, tmp_path: Path) -> None:
    """The error names the part."""
    with pytest.raises(LoadError, match=told) as caught:
        load(book(tmp_path / "a.epub", {"one.xhtml": "<p>Text.</p>"}, **parts))
    assert "\n" not in str(caught.value)


def test_a_chapter_that_is_missing_is_an_error(tmp_path: Path) -> None:
    """A truncated book must not pass for a whole one."""
    path = book(tmp_path / "a.epub", {"one.xhtml": "<p>Text.</p>"})
    package = zipfile.ZipFile(path).read("book.opf").decode()
    book(path, {}, **{"book.opf": package})
    with pytest.raises(LoadError, match=r"lacks its part one\.xhtml"):
        load(path)


def test_protected_books_are_refused_and_hidden_fonts_are_no_matter(tmp_path: Path) -> None:
    """Encrypted chapters are DRM; publishers of free books encrypt fonts."""
    reference = '<encryption><CipherReference URI="{}"/></encryption>'
    chapters: dict[str, str | bytes] = {"a b.xhtml": "<p>Text.</p>"}
    locked = {"META-INF/encryption.xml": reference.format("a%20b.xhtml")}
    with pytest.raises(LoadError, match="DRM"):
        load(book(tmp_path / "a.epub", chapters, **locked))
    fonts = {"META-INF/encryption.xml": reference.format("font.otf")}
    assert load(book(tmp_path / "a.epub", chapters, **fonts)).text == "Text."


@pytest.mark.slow
def test_what_is_unpacked_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chapters count together; a picture that is not read does not count."""
    monkeypatch.setattr("rag.loaders.epub_package.MAX_UNPACKED", 100_000)
    chapters: dict[str, str | bytes] = {"a.xhtml": "<p>a</p>" * 7_000, "b.xhtml": "<p>Text.</p>"}
    picture = {"big.png": "0" * 1_000_000}
    assert load(book(tmp_path / "a.epub", chapters, **picture)).text.endswith("Text.")
    chapters["b.xhtml"] = "<p>b</p>" * 7_000
    with pytest.raises(LoadError, match="unpacks to more than it should"):
        load(book(tmp_path / "a.epub", chapters))
    monkeypatch.setattr("rag.loaders.epub_package.MAX_PART", 1_000)
    with pytest.raises(LoadError, match="unpacks to more than it should"):
        load(book(tmp_path / "a.epub", {"a.xhtml": "<p>a</p>" * 200}))


def test_a_book_reads_nothing_from_outside(tmp_path: Path) -> None:
    """Entities and paths that lead out of the archive give nothing."""
    secret = tmp_path / "secret.xhtml"
    secret.write_text("<p>secret</p>", encoding="utf-8")
    outside = '<!DOCTYPE x [<!ENTITY e SYSTEM "' + secret.as_uri() + '">]>'
    path = book(tmp_path / "a.epub", {"../secret.xhtml": outside + "<p>&e;Text.</p>"})
    assert load(path).text.replace("&e;", "") == "Text."
