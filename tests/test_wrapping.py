"""Line breaks that only wrap a text, and those that end something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.sentences import sentences
from rag.wrapping import lines, unwrapped

MANUAL = """\
Most of these programs have significant advantages over their Unix
counterparts, such as greater speed, additional options, and fewer
arbitrary limits. If this file came to you as part of a tar archive of
POSIX tools, see the file INSTALL.

* New systems will have the mail spool as a real directory, which is
  what the standard asks for.
* Others keep the link.
"""


def joined(text: str) -> list[str]:
    """Return the lines, a slash where a break only wraps."""
    return [text[start:end].replace("\n", "/") for start, end in unwrapped(text)]


def test_a_wrapped_manual() -> None:
    """Lines that begin small go on, and those before which there was no room; items end."""
    assert joined(MANUAL) == [
        "Most of these programs have significant advantages over their Unix/counterparts, such as "
        "greater speed, additional options, and fewer/arbitrary limits. If this file came to you "
        "as part of a tar archive of/POSIX tools, see the file INSTALL.",
        "* New systems will have the mail spool as a real directory, which is/"
        "  what the standard asks for.",
        "* Others keep the link.",
    ]


def test_sentences_go_on_after_a_wrap() -> None:
    """A sentence holds the break that wraps it; what a generator writes has none."""
    text = "The tutorial shows how a path is declared. It is\nthe function that gets requests."
    assert [text[a:b] for a, b in sentences(text)] == [
        "The tutorial shows how a path is declared.",
        "It is\nthe function that gets requests.",
    ]
    assert len(sentences(text, wraps=False)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "Introduction to the programs of the system\nThey are many, and most of them are small.",
        "- the first item of a list that is rather long\n- the second item of it",
        "title: How to deploy an application in production\ndescription: a guide for operators",
        "| the name of the column | what it holds |\n| alpha beta gamma delta | one |",
        "the name of this column   what it holds\nalpha beta gamma delta      one and two",
        "What the options of the program mean:\nverbose output is written to the log",
        "```\nthe output of a program that writes long lines\nand more of them\n```",
        "A term of the glossary with several words\n    what the term means, indented",
        "roses are red, violets are\nblue",
        "the paragraph ends here without any full stop\n\nanother begins with a small letter",
        "大语言模型是在大量文本上训练的神经网络模型\n它们可以回答问题",
        "$ program --with many --options and arguments\noutput of the program is this line",
    ],
)
def test_what_ends_a_line_stays_ended(text: str) -> None:
    """Titles, items, fields, tables, code, definitions, verse and scripts without case."""
    assert unwrapped(text) == lines(text)


@pytest.mark.parametrize(
    "row",
    [
        "unit price: {0} Ft for each of the pieces; name: lamp number {0}",
        "name of the thing that is sold: lamp number {0}",
    ],
)
def test_rows_that_name_their_columns_each_stand_alone(row: str) -> None:
    """They begin with a small letter and are long, and none goes on with the one before."""
    text = "\n".join(row.format(number) for number in range(8))
    assert joined(text) == text.split("\n")


def test_windows_line_ends_wrap_too() -> None:
    """A carriage return and a line feed are one break."""
    text = "The first line of a wrapped paragraph goes\r\non here."
    assert unwrapped(text) == [(0, len(text))]


@given(st.lists(st.sampled_from(["word", "a b c d e f g h i j k l m n o p", "\n", " ", "X", "- "])))
def test_lines_are_only_joined(parts: list[str]) -> None:
    """Each span begins and ends with a line, in order, and between its lines is one break."""
    text = "".join(parts)
    plain, found = lines(text), unwrapped(text)
    assert {start for start, _ in found} <= {start for start, _ in plain}
    assert [end for _, end in plain if end in {e for _, e in found}] == [end for _, end in found]
    assert all("\n\n" not in text[start:end] for start, end in found)
