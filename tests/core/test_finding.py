"""Which of several sentences holds the answer: from places in the joined text to places in one."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.finding import Finding, find
from rag.testing import OverlapReader
from rag.types import Reading

LINES = st.lists(st.text("ab \n年", max_size=6), min_size=1, max_size=5)


class Fixed:
    """Says always the same."""

    name = "fixed"

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """Return the one reading."""
        assert len(passages) == 1
        return [Reading(self.start, self.end, -0.5, -2.0)]


def test_a_place_in_the_second_sentence() -> None:
    """ "One." takes five characters with its line break; "1998" begins three after that."""
    found = find(Fixed(8, 12), "When?", ["One.", "In 1998."])
    assert found == Finding(1, 3, 7, -0.5, -2.0)


def test_a_stretch_over_two_sentences_ends_with_the_first() -> None:
    """A quote has one place; what follows in another source is no part of it."""
    assert find(Fixed(2, 9), "When?", ["One. ", "In 1998."]) == Finding(0, 2, 4, -0.5, -2.0)


def test_the_fake_finds_the_sentence_that_speaks_of_it() -> None:
    """The whole way, with a reader that compares words."""
    sentences = ["The wall is thick.", "The tower was built in 1998.", "It rains."]
    found = find(OverlapReader(), "When was the tower built?", sentences)
    assert found is not None and found.sentence == 1 and found.null < 0


@pytest.mark.parametrize("sentences", [[], [""], [" ", "\n"]])
def test_nothing_to_read(sentences: list[str]) -> None:
    """No sentence, or none with a character in it."""
    assert find(OverlapReader(), "When?", sentences) is None


@given(LINES, st.data())
def test_the_characters_found_are_those_of_the_reading(
    lines: list[str], data: st.DataObject
) -> None:
    """Whatever the reader points at, the finding names a beginning of it, in its own sentence."""
    whole = "\n".join(line.replace("\n", " ") for line in lines)
    words = [i for i, character in enumerate(whole) if character.strip()]
    if not words:
        return
    start = data.draw(st.sampled_from(words))
    end = data.draw(st.sampled_from([i + 1 for i in words if i >= start]))
    found = find(Fixed(start, end), "When?", lines)
    assert found is not None
    said = lines[found.sentence][found.start : found.end]
    assert said.strip()
    assert whole[start:end].startswith(said.replace("\n", " "))
