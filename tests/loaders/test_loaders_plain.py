"""Plain text, Markdown and reStructuredText: the text is the file itself."""

from pathlib import Path

import pytest

from rag.loaders import load
from rag.types import Parsed
from tests.loaders.loader_files import write


def md(tmp_path: Path, content: str) -> Parsed:
    """Load content as a Markdown file called notes.md."""
    return load(write(tmp_path / "notes.md", content))


def lines(parsed: Parsed) -> list[str]:
    """Return the line that each heading starts."""
    return [parsed.text[each.start :].split("\n", 1)[0] for each in parsed.headings]


@pytest.mark.parametrize("name", ["a.txt", "a.text", "a.log", "a.md", "a.markdown", "a.rst"])
def test_the_text_is_the_file(name: str, tmp_path: Path) -> None:
    """Quotes must be found in the file again, so nothing is tidied."""
    content = "\n  Első sor\n\n* пункт\t\n第三行   \n"
    assert load(write(tmp_path / name, "\ufeff" + content)).text == content


def test_a_text_is_titled_by_its_first_line(tmp_path: Path) -> None:
    """The first line that is not blank, where it is short enough for a title."""
    short = load(write(tmp_path / "a.txt", "\n\n  Как устроены  чат-боты \n\nТекст."))
    assert short.title == "Как устроены чат-боты"
    assert short.headings == ()
    assert load(write(tmp_path / "letter.txt", "word " * 50)).title == "letter"


def test_markdown_headings_have_levels_lines_and_plain_titles(tmp_path: Path) -> None:
    """ATX and setext headings are found; markup and attribute lists are not in the title."""
    parsed = md(
        tmp_path,
        "# One `code` **bold** [link](http://x) { #one }\n\ntext\n\nTwo\n---\n\n### Three ###\n",
    )
    assert [(each.level, each.title) for each in parsed.headings] == [
        (1, "One code bold link"),
        (2, "Two"),
        (3, "Three"),
    ]
    assert lines(parsed)[1:] == ["Two", "### Three ###"]
    assert parsed.title == "One code bold link"


def test_what_only_looks_like_a_markdown_heading_is_none(tmp_path: Path) -> None:
    """Comments in code, hashtags, headings in quotes, in lists and in HTML comments."""
    parsed = md(
        tmp_path,
        "```python\n# comment\n```\n\n    # indented code\n\n#hashtag\n\n> # quoted\n\n"
        "- # in a list\n\n<!--\n# hidden\n-->\n\n## Real\n\n~~~\n# open fence\n",
    )
    assert lines(parsed) == ["## Real"]


def test_front_matter_becomes_metadata_and_stays_in_the_text(tmp_path: Path) -> None:
    """Values stay as written, lists are joined, nested values are left out."""
    content = (
        "---\ntitle: 'A: title'\ndate: 2024-05-01\nlanguage: hu\nversion: 1.10\ndraft: yes\n"
        "authors: [Ann, Bob]\nnested: {a: 1}\n---\n# Heading\n"
    )
    parsed = md(tmp_path, content)
    assert parsed.text == content
    assert parsed.title == "A: title"
    assert lines(parsed) == ["# Heading"]
    assert parsed.metadata == {
        "date": "2024-05-01",
        "lang": "hu",
        "version": "1.10",
        "draft": "yes",
        "author": "Ann, Bob",
    }


@pytest.mark.parametrize(
    "block",
    ["title: a: b: c", "a: [1", "\ttab: x", "x: &a [*a]", "{", "a: !!python/object:os.x {}",
     '"\\UFFFFFFFF": 1', "'"],
)  # fmt: skip
def test_malformed_front_matter_is_no_error_and_no_heading(block: str, tmp_path: Path) -> None:
    """A slip in the YAML costs the metadata only."""
    parsed = md(tmp_path, f"---\n{block}\n---\n\n# Heading\n")
    assert parsed.title == "Heading"
    assert lines(parsed) == ["# Heading"]


def test_a_rule_at_the_top_is_no_front_matter(tmp_path: Path) -> None:
    """Prose between two rules stays what CommonMark says it is."""
    parsed = md(tmp_path, "---\nA sentence of prose.\n\nMore of it.\n\n---\n# Heading\n")
    assert parsed.metadata == {}
    assert [each.title for each in parsed.headings] == ["Heading"]


def test_the_title_falls_back_to_any_heading_and_then_the_name(tmp_path: Path) -> None:
    """Level 1 wins over an earlier lower level; without headings the file's stem is left."""
    assert md(tmp_path, "## Sub\n\n# Main\n").title == "Main"
    assert md(tmp_path, "text\n\n## Sub\n").title == "Sub"
    assert md(tmp_path, "only text\n").title == "notes"


def test_markdown_offsets_hold_with_windows_line_ends(tmp_path: Path) -> None:
    """Offsets count into the text after its line ends are made one kind."""
    parsed = md(tmp_path, "a\u2028b\r\n\r\n# One\r\n\r\ntext\x0c\r\n\r\n## Two\r\n")
    assert lines(parsed) == ["# One", "## Two"]


RST = """\
=====
Title
=====

:Author: Ann
:Date: 2024-05-01

Section *one*
-------------
A :unknown:`role`, ``literal``.

.. unknown:: directive

   Not a heading
   -------------

.. include:: /etc/passwd

::

    Code
    ====

Above
~~~~~
Second
------
"""


def test_rst_sections_are_headings(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """docutils finds sections by adornment; unknown roles and directives are no trouble."""
    parsed = load(write(tmp_path / "a.rst", RST))
    assert [(each.level, each.title) for each in parsed.headings] == [
        (1, "Title"),
        (2, "Section one"),
        (3, "Above"),
        (2, "Second"),
    ]
    assert lines(parsed) == ["Title", "Section *one*", "Above", "Second"]
    assert (parsed.text, parsed.title) == (RST, "Title")
    assert parsed.metadata == {"author": "Ann", "date": "2024-05-01"}
    assert capfd.readouterr() == ("", "")


def test_rst_offsets_hold_behind_odd_line_ends(tmp_path: Path) -> None:
    """docutils breaks lines at more characters than \\n; offsets follow it."""
    parsed = load(write(tmp_path / "a.rst", "a\u2028b\x0cc\x85d\n\nTitle\n=====\n\ntext\n"))
    assert lines(parsed) == ["Title"]


FRONT_MATTER = "---\ntitle: Отчёт\nLanguage: ru\ntags: [a, b]\nversion: 1.10\n---\n"


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.rst"])
def test_front_matter_is_read_in_every_text_format(name: str, tmp_path: Path) -> None:
    """The same block says the same at the top of plain text, Markdown and reStructuredText."""
    content = FRONT_MATTER + "\nPart\n====\n\nтекст\n"
    parsed = load(write(tmp_path / name, content))
    assert (parsed.text, parsed.title) == (content, "Отчёт")
    assert parsed.metadata == {"lang": "ru", "tags": "a, b", "version": "1.10"}


def test_rst_front_matter_is_no_section_and_moves_no_offset(tmp_path: Path) -> None:
    """Two rules around a line are a section title to docutils; here they are front matter."""
    parsed = load(write(tmp_path / "a.rst", FRONT_MATTER + "\nPart\n====\n\n:Author: Ann\n"))
    assert [each.title for each in parsed.headings] == ["Part"]
    assert lines(parsed) == ["Part"]
    assert parsed.metadata["author"] == "Ann"


def test_a_rule_at_the_top_of_a_text_is_no_front_matter(tmp_path: Path) -> None:
    """The first line of the text stays its title where the rules enclose prose."""
    parsed = load(write(tmp_path / "a.txt", "---\nA sentence of prose.\n---\nMore.\n"))
    assert (parsed.title, parsed.metadata) == ("---", {})
