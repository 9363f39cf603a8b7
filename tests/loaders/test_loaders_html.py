"""HTML: what a reader of the page reads."""

from pathlib import Path

import pytest

from rag.errors import LoadError
from rag.loaders import load
from rag.types import Parsed
from tests.loaders.loader_files import HUNGARIAN, RUSSIAN, write

PAGE = """<!DOCTYPE html>
<html lang="en"><head>
<title>A  page | Site</title>
<meta name="author" content="Ann"><meta name="description" content="About pages">
<meta property="article:published_time" content="2024-05-01T10:00:00Z">
<style>p { color: red }</style><script>var x = "<p>script</p>";</script>
</head><body>
<header><a href="/">Site name</a></header>
<nav><ul><li>Menu</li></ul></nav>
<main>
<h1>Main   heading<a class="headerlink" href="#x">¶</a></h1>
<p>First <b>bold</b>, <i>it</i>alic
and <a href="x">link</a>.</p><p>Second&nbsp;paragraph &amp; more.<br>New line.</p>
<h2>A list</h2>
<ul><li>one</li><li>two<ul><li>inner</li></ul></li></ul>
<ol start="3"><li><p>three</p></li><li>four</li></ol>
<table><tr><th>Name</th><th>Value</th></tr><tr><td><p>a</p></td><td></td><td>b<br>c</td></tr></table>
<pre>
def f():
    return 1

</pre>
<form><label>Search</label> <input value="typed"><button>Go</button></form>
<p hidden>hidden</p><p style="display: none">gone</p><noscript>no script</noscript>
<template>template</template><aside>An aside of the article.</aside>
</main>
<footer>Copyright</footer>
</body></html>"""

TEXT = """\
Main heading

First bold, italic and link.

Second paragraph & more.
New line.

A list

- one
- two
  - inner

3. three

4. four

Name | Value
Name: a; b c

def f():
    return 1

Search

An aside of the article."""


def html(tmp_path: Path, content: str | bytes) -> Parsed:
    """Load content as a file called page.html."""
    return load(write(tmp_path / "page.html", content))


def body(tmp_path: Path, content: str) -> str:
    """Return the text of a page with this body."""
    return html(tmp_path, f"<!DOCTYPE html><body>{content}").text


def test_a_page_reads_as_its_reader_reads_it(tmp_path: Path) -> None:
    """Blocks, lists, tables and code are laid out; furniture and hidden text are gone."""
    parsed = html(tmp_path, PAGE)
    assert parsed.text == TEXT
    assert parsed.title == "A page | Site"
    assert parsed.metadata == {
        "lang": "en",
        "author": "Ann",
        "description": "About pages",
        "date": "2024-05-01",
    }


def test_headings_start_their_line(tmp_path: Path) -> None:
    """Offsets point into the text that came out, not into the source."""
    parsed = html(tmp_path, PAGE)
    assert [(each.level, each.title) for each in parsed.headings] == [
        (1, "Main heading"),
        (2, "A list"),
    ]
    for each in parsed.headings:
        assert parsed.text[each.start :].startswith(each.title + "\n")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>one</p>two<div>three</div>four", "one\n\ntwo\nthree\nfour"),
        ("a<span>b</span> <em>c </em> d", "ab c d"),
        ("<p> <b> </b> x</p>", "x"),
        ("<p>语言模型\n    通过预测</p>", "语言模型通过预测"),
        ("<p>soft\u00adhyphen a<wbr>b</p>", "softhyphen ab"),
        ("a<!-- comment -->b<?pi ?>c", "abc"),
        ("<h2></h2><ul><li></li><li>x</li></ul>", "- x"),
        ("<ul><li><p>a</p><p>b</p></li><li>c</li></ul>", "- a\n\nb\n\n- c"),
        ("<dl><dt>t</dt><dd>d</dd></dl>", "t\nd"),
        ("<pre>a\n\n  <span>b</span>  c<br>d\n</pre>after", "a\n\n  b  c\nd\n\nafter"),
        ("<p>x<sup>2</sup></p><hr><p>y</p>", "x2\n\ny"),
        ('<i aria-hidden="true">icon</i>text', "text"),
        ('<div aria-hidden="true">behind a dialog</div>', "behind a dialog"),
        ("<details><summary>More</summary>inside</details>", "More\ninside"),
        ("<select><option>no</option></select><textarea>no</textarea>yes", "yes"),
        ("plain text, no element at all", "plain text, no element at all"),
    ],
)
def test_blocks_and_inline_elements(source: str, expected: str, tmp_path: Path) -> None:
    """White space comes from the layout, never from the way the source is written."""
    assert body(tmp_path, source) == expected


def test_boilerplate_is_left_out_only_outside_the_article(tmp_path: Path) -> None:
    """An article's own header belongs to it, the site's does not."""
    text = body(
        tmp_path,
        "<header>site</header><aside>ads</aside><div role=search>find</div>"
        "<article><header><h1>Title</h1></header>text</article>"
        "<article>other</article><footer>legal</footer>",
    )
    assert text == "Title\n\ntext\n\nother"


def test_a_lone_article_is_the_content_unless_it_is_short(tmp_path: Path) -> None:
    """A teaser in an <article> does not hide the page around it."""
    long, short = "long text " * 20, "short"
    assert body(tmp_path, f"<div>menu</div><article>{long}</article>") == long.strip()
    assert "long text" in body(tmp_path, f"<p>{long}</p><article>{short}</article>")


def test_navigation_within_the_content_is_left_out(tmp_path: Path) -> None:
    """Contents, ways down, pages before and after: by role, by tag, or by class and links."""
    link = '<a href="x">Next page</a>'
    text = body(
        tmp_path,
        f'<div role="main"><h1>Title</h1><div class="contents topic">{link} {link}</div>'
        f'<nav class="page-toc">{link}</nav><div role="doc-toc">{link}</div>'
        f'<ul class="breadcrumb"><li>{link}</li><li>Here</li></ul><p>text</p>'
        f'<div class="related">{link} | {link}</div><div class="pagination">1 {link}</div></div>',
    )
    assert text == "Title\n\ntext"


def test_what_is_named_like_navigation_but_says_something_stays(tmp_path: Path) -> None:
    """A class alone proves nothing: links have to make up most of the text."""
    text = body(
        tmp_path,
        '<div class="contents">The contents of the box: <a href="x">a key</a> and a map.</div>'
        '<div class="toc sidebar"><p>A sidebar with prose.</p></div>',
    )
    assert text == "The contents of the box: a key and a map.\n\nA sidebar with prose."


def test_the_article_within_main_is_the_content(tmp_path: Path) -> None:
    """What stands around it leads elsewhere, unless the page's heading is among that."""
    around = '<p>Edit this page</p><footer>previous <a href="x">Water</a></footer>'
    article = "<article>long text long text long text long text long text</article>"
    assert "Edit" not in body(tmp_path, f"<main>{article}{around}</main>")
    text = body(tmp_path, f"<main><h1>Title</h1>{article}{around}</main>")
    assert text.startswith("Title\n\nlong text")


@pytest.mark.parametrize(
    "source",
    [
        "<pre>a = 1\n\nb = 2\n  c\n</pre>",
        "<pre>\n<span>a = 1</span>\n\n<span>b = 2</span>\n  c</pre>",
        "<pre><code><span></span>a = 1\n<b></b>\nb = 2\n  c\n\n</code></pre>",
        '<pre><span class="linenos">1</span>a = 1\n<span class="linenos">2</span>\n'
        '<span class="linenos">3</span>b = 2\n<span class="linenos">4</span>  c</pre>',
    ],
)
def test_code_keeps_its_lines(source: str, tmp_path: Path) -> None:
    """Also blank ones, however the lines are marked up; line numbers are no code."""
    assert body(tmp_path, source) == "a = 1\n\nb = 2\n  c"


def test_a_table_for_layout_is_read_as_blocks(tmp_path: Path) -> None:
    """Old pages place everything with tables; their cells are no data."""
    text = body(
        tmp_path,
        "<table><tr><td><h1>Title</h1><p>text</p></td><td><table>"
        "<tr><td>a</td><td>b</td></tr></table></td></tr></table>",
    )
    assert text == "Title\n\ntext\n\na | b"
    cell = "<p>one</p><p>two</p><p>three</p>"
    assert body(tmp_path, f"<table><tr><td>{cell}</td><td>four</td></tr></table>") == (
        "one\n\ntwo\n\nthree\n\nfour"
    )
    note = "<table><tr><td><div>Note</div></td><td>Do not use it.</td></tr></table>"
    assert body(tmp_path, note) == "Note\nDo not use it."
    assert body(tmp_path, "<table><tr><td>a</td><td>b</td></tr></table>") == "a | b"
    table = f"<table><tr><th>a</th><th>b</th></tr><tr><td>{cell}</td><td>four</td></tr></table>"
    assert body(tmp_path, table) == "a | b\na: one two three; b: four"


HEADED = [
    (  # cells over several columns and rows
        "<tr><th rowspan=2>Tea</th><th colspan=2>Year</th></tr><tr><th>2023</th><th>2024</th></tr>"
        "<tr><td rowspan='2'>Assam</td><td>5</td><td>6</td></tr><tr><td>7</td><td>8</td></tr>",
        "Tea | Year\nTea | 2023 | 2024\nTea: Assam; Year / 2023: 5; Year / 2024: 6\n"
        "Tea: Assam; Year / 2023: 7; Year / 2024: 8",
    ),
    (  # a head of plain cells, a caption, a label across the table, a note at its end
        "<caption>Teas</caption><thead><tr><td>Name</td><td>Land</td></tr></thead><tbody><tr>"
        "<th colspan=2>Black</th></tr><tr><td>Assam</td><td>India</td></tr></tbody>",
        "Teas\nName | Land\nBlack\nName: Assam; Land: India",
    ),
    (  # the first cell of each row is its name: a header nowhere
        "<tr><th>Land</th><td>India</td></tr><tr><th>Year</th><td>new</td></tr>",
        "Land | India\nYear | new",
    ),
    ("<tr><th>a</th><th>b</th></tr><tr><th>c</th><th>d</th></tr>", "a | b\nc | d"),
    ("<tr><td>Name<td>Price<tr><td>tea<td>5<tr><td>milk<td>6<tr><td>oil<td>7",
     "Name | Price\nName: tea; Price: 5\nName: milk; Price: 6\nName: oil; Price: 7"),
    ("<tr><th>茶\n叶</th><th>b<wbr>c</th></tr><tr><td><b>x</b>y</td><td>1<br>2</td></tr>",
     "茶叶 | bc\n茶叶: xy; bc: 1 2"),
    ("<tr><td rowspan=0>x</td><td colspan=-3>y</td></tr><tr><td>z</td></tr>", "x | y\nx | z"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "text"), HEADED)
def test_a_row_keeps_its_header(table: str, text: str, tmp_path: Path) -> None:
    """As in sheets: a row is found alone, and says what its values are."""
    assert body(tmp_path, f"<p>Before</p><table>{table}</table>after") == (
        f"Before\n\n{text}\n\nafter"
    )


@pytest.mark.slow
def test_cells_that_cover_a_million_others_cover_themselves(tmp_path: Path) -> None:
    """A page must not cost its square: neither in columns, nor in rows, nor in text."""
    wide = "<tr><td colspan=1000 rowspan=65534>wide</td><td>x</td></tr>" + "<tr></tr>" * 6_000
    assert body(tmp_path, f"<table>{wide}</table>") == "wide | x"
    long = f"<tr><td rowspan=999>{'long ' * 400}</td></tr>" + "<tr><td>x</td></tr>" * 999
    assert len(body(tmp_path, f"<table>{long}</table>")) < 10_000
    cells = "<tr>" + "<td rowspan=99 colspan=99>y</td>" * 60 + "</tr>"
    assert len(body(tmp_path, f"<table>{cells * 60}</table>")) < 1_000_000


def test_xhtml_is_read_with_its_declaration(tmp_path: Path) -> None:
    """XML declarations, namespaces and empty elements are understood."""
    source = (
        '<?xml version="1.0" encoding="windows-1250"?>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" lang="hu"><head><title/>'
        f'<script src="x"/></head><body><h1>ő</h1><p>{HUNGARIAN}</p></body></html>'
    )
    parsed = load(write(tmp_path / "a.xhtml", source.encode("cp1250")))
    assert parsed.text == f"ő\n\n{HUNGARIAN}"
    assert (parsed.title, parsed.metadata["encoding"]) == ("ő", "cp1250")


@pytest.mark.parametrize(
    ("meta", "codec"),
    [
        ('<meta charset="windows-1251">', "cp1251"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">', "koi8-r"),
        ("", "cp1251"),
        ('<meta charset="utf-8">', "cp1251"),
        ('<meta charset="iso-8859-1">', "utf-8"),
        ("", "utf-16"),
    ],
)
def test_the_encoding_is_declared_or_detected(meta: str, codec: str, tmp_path: Path) -> None:
    """The page's own word counts where its bytes do not contradict it."""
    page = f"<html><head>{meta}</head><body><p>{RUSSIAN}</p></body></html>"
    assert html(tmp_path, page.encode(codec)).text == RUSSIAN


@pytest.mark.parametrize(
    "source",
    ["<html></html>", "<body><script>app()</script></body>", "<!-- only -->", "<nav>menu</nav>"],
)
def test_a_page_without_text_is_an_error(source: str, tmp_path: Path) -> None:
    """A page that scripts fill says so instead of entering the index empty."""
    with pytest.raises(LoadError, match="holds no text: its page is empty"):
        html(tmp_path, source)


def test_external_entities_are_not_resolved(tmp_path: Path) -> None:
    """A hostile page reads no file of the machine."""
    secret = write(tmp_path / "secret.txt", "secret")
    source = f'<!DOCTYPE html [<!ENTITY x SYSTEM "{secret.as_uri()}">]><p>a &x; b</p>'
    assert "a &x; b" in html(tmp_path, source).text


def test_deep_nesting_is_no_trouble(tmp_path: Path) -> None:
    """Neither the parser nor the walk loses text below 256 levels, or recurses."""
    text = body(tmp_path, "<div>" * 1500 + "deep" + "</div>" * 1500 + "<p>after</p>")
    assert text == "deep\n\nafter"


def test_the_title_falls_back_to_a_heading_and_the_name(tmp_path: Path) -> None:
    """A page without <title> is named by its first heading, else by its file."""
    assert html(tmp_path, "<h2>Heading</h2>").title == "Heading"
    assert html(tmp_path, "<p>text</p>").title == "page"
