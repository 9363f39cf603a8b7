"""A long text in windows: nothing is lost, and everything fits."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.windows import windows


def within(room: int):
    """Return what tells whether a text has at most room characters."""
    return lambda text: len(text) <= room


def pieces(text: str, room: int) -> list[str]:
    """Return the windows' texts."""
    return [text[start:end] for start, end in windows(text, within(room))]


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("One. Two. Six.", 14, ["One. Two. Six."]),
        ("One. Two. Six.", 9, ["One. Two.", "Two. Six."]),
        ("One. Two. Six.", 8, ["One.", "Two.", "Six."]),
        ("One. Twenty-two. Six.", 12, ["One.", "Twenty-two.", "Six."]),
        ("abcdefgh", 4, ["abcd", "efgh"]),
        ("ab cdefgh", 5, ["ab cd", "efgh"]),
        ("", 5, []),
        (" \n ", 2, []),
        ("猫睡觉。狗吃饭。", 4, ["猫睡觉。", "狗吃饭。"]),
    ],
)
def test_windows_by_hand(text: str, room: int, expected: list[str]) -> None:
    """Whole sentences, the last one again where there is room for another; else halves."""
    assert pieces(text, room) == expected


@given(st.text(max_size=300), st.integers(1, 60), st.sampled_from(["en", "zh", "ru", "hu", "de"]))
def test_nothing_is_lost_and_everything_fits(text: str, room: int, language: str) -> None:
    """Each window is a stretch of the text that fits, they are in order, and cover all of it."""
    covered, before = 0, -1
    for start, end in windows(text, within(room), language):
        assert before < start < end <= start + room
        assert not text[covered:start].strip()
        before, covered = start, max(covered, end)
    assert not text[covered:].strip()


def test_neighbouring_sentences_are_read_together() -> None:
    """Of ten sentences any two neighbours stand in one window, where three fit."""
    text = " ".join(f"Sentence {n} is here." for n in range(10))
    found = pieces(text, 65)
    assert all(
        any(f"Sentence {n} " in w and f"Sentence {n + 1} " in w for w in found) for n in range(9)
    )


@pytest.mark.slow
def test_a_hundred_thousand_words_in_full() -> None:
    """Every word of a book is in a window, and the windows are not many more than needed."""
    text = " ".join(f"Word{n} stands in line {n}." for n in range(20_000))
    found = pieces(text, 2000)
    assert set(re.findall(r"Word\d+", " ".join(found))) == {f"Word{n}" for n in range(20_000)}
    assert len(found) < 1.2 * len(text) / 2000


def test_no_room_at_all() -> None:
    """A model that can read nothing is an error, not a loop."""
    with pytest.raises(ValueError, match="without room for a single character"):
        windows("One. Two.", within(0))
