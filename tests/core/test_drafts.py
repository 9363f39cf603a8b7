"""Drafts that a token limit cut are shown up to their last whole sentence."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.drafts import Draft, finished, read


def test_reading_a_stream_keeps_what_it_returns() -> None:
    """The pieces are joined, and the return value tells whether they were cut off."""

    def stream(cut: bool) -> Iterator[str]:
        yield "It "
        yield "was"
        return cut  # type: ignore[return-value]

    assert read(stream(True)) == Draft("It was", True)
    assert read(stream(False)) == Draft("It was", False)
    assert read(iter(["It ", "was"])) == Draft("It was", False)
    assert read(iter([])) == Draft("", False)


@pytest.mark.parametrize(
    ("text", "language", "kept"),
    [
        ("It was built in May [1]. It is tal", "en", "It was built in May [1]."),
        ("It is tall", "en", ""),
        ("", "en", ""),
        ("It is tall.", "en", "It is tall."),
        ("It is tall [1].", "en", "It is tall [1]."),
        ("It is tall. [1]", "en", "It is tall. [1]"),
        ("It is tall. [1", "en", "It is tall."),
        ("Is it tall? Yes!", "en", "Is it tall? Yes!"),
        ("It is tall. It grew by 3.", "en", "It is tall."),
        ("It was long ago, in 1889 [1].", "en", "It was long ago, in 1889 [1]."),
        ("It is tall. It was built by Dr.", "en", "It is tall."),
        ("It is tall. It was built by J.", "en", "It is tall."),
        ("It is tall...", "en", ""),
        ("It is tall…", "en", ""),
        ("- It is tall\n", "en", "- It is tall\n"),
        ("- It is tall\n- It is o", "en", "- It is tall"),
        ("塔建于1889年。它很", "zh", "塔建于1889年。"),
        ("塔建于1889年。", "zh", "塔建于1889年。"),
        ("塔真高\uff01", "zh", "塔真高\uff01"),
        ("塔高吗\uff1f[1]", "zh", "塔高吗\uff1f[1]"),
        ("Башню построили рано [1]. Она выс", "ru", "Башню построили рано [1]."),
        ("Башню построили рано, т.", "ru", ""),
        ("A torony magas. Ez kb.", "hu", "A torony magas."),
        ("Der Turm ist hoch. Er wurde am 2.", "de", "Der Turm ist hoch."),
        ("Der Turm ist hoch. Das ist z. B.", "de", "Der Turm ist hoch."),
        ("A király neve II.", "hu", ""),
    ],
)
def test_what_is_kept_of_a_cut_draft(text: str, language: str, kept: str) -> None:
    """By hand: a sentence stays only if nothing that could follow would belong to it."""
    assert finished(Draft(text, True), language) == kept


@given(st.text())
def test_a_draft_that_is_not_cut_stays(text: str) -> None:
    """Whatever it ends with, its author was done."""
    assert finished(Draft(text, False), "en") == text


SENTENCES = st.lists(st.sampled_from(["It is tall.", "Is it?", "A 3.5 m wall [2].", "Yes! [1]"]))


@given(SENTENCES, st.integers(0, 60), st.sampled_from(["en", "de", "ru", "hu", "zh"]))
def test_a_cut_draft_keeps_whole_sentences_only(parts: list[str], at: int, language: str) -> None:
    """What is kept is a beginning of the draft, and made of sentences that were written whole."""
    text = " ".join(parts)[:at]
    kept = finished(Draft(text, True), language).rstrip(" ")
    assert text.startswith(kept)
    wholes = [" ".join(parts[:n]) for n in range(len(parts) + 1)]
    # "Yes!" is whole without the marker that the cut took.
    assert kept in wholes or kept + " [1]" in wholes
