"""Floors and wrappers of evaluation: by hand, and what must hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.drafts import read
from rag.evaluation.counted import Counted
from rag.evaluation.floors import Always, Overlap, shared_words, words_recalled
from rag.evaluation.remembering import Remembering
from rag.protocols import Decoding, Message
from rag.testing import HashEmbedder, ScriptedGenerator

TEXTS = st.text(alphabet="abc dé猫 1.", max_size=30)


def test_the_overlap_floor_by_hand() -> None:
    """Two of three terms, the number missing: 2/3 - .3."""
    [judged] = Overlap().check([("alpha beta 5", ["beta alpha 6"])])
    assert judged.score == pytest.approx(2 / 3 - 0.3)
    assert str(judged.verdict) == "unsupported"


@given(TEXTS, TEXTS)
def test_the_overlap_floor_is_a_share(claim: str, source: str) -> None:
    """A score is from 0 to 1, and a text with words supports itself."""
    [judged] = Overlap().check([(claim, [source])])
    assert 0 <= judged.score <= 1
    [itself] = Overlap().check([(f"{claim} word", [f"{claim} word"])])
    assert itself.score == 1


@given(TEXTS, TEXTS, TEXTS)
def test_more_sources_never_lower_the_floor(claim: str, source: str, more: str) -> None:
    """Whatever is added, what was found is still there."""
    [few] = Overlap().check([(claim, [source])])
    [many] = Overlap().check([(claim, [source, more])])
    assert many.score >= few.score


def test_always_supported() -> None:
    """The floor of floors believes everything."""
    assert [one.score for one in Always().check([("x", []), ("y", ["z"])])] == [1.0, 1.0]


def test_words_by_hand() -> None:
    """Two of three words; the F1 of two and three words that share one."""
    assert words_recalled("cold milk", "cold fresh milk") == pytest.approx(2 / 3)
    assert shared_words("cold milk", "warm fresh milk") == pytest.approx(2 / 5)
    assert shared_words("", "milk") == 0.0
    with pytest.raises(ValueError, match="no word"):
        words_recalled("x", "…")


@given(st.lists(TEXTS, max_size=8), st.lists(TEXTS, max_size=8))
def test_remembering_changes_nothing(first: list[str], second: list[str]) -> None:
    """Vectors are those of the embedder, and each text is read once."""
    plain, wrapped = HashEmbedder(), HashEmbedder()
    remembering = Remembering(wrapped)
    for texts in (first, second, first):
        if texts:
            assert (remembering.embed_passages(texts) == plain.embed_passages(texts)).all()
            assert (remembering.embed_queries(texts) == plain.embed_queries(texts)).all()
        ours, theirs = remembering.embed_tokens(texts), plain.embed_tokens(texts)
        for one, other in zip(ours, theirs, strict=True):
            assert (one.spans == other.spans).all() and (one.vectors == other.vectors).all()
    assert wrapped.embedded == len({*first, *second})
    assert (remembering.name, remembering.dim) == (plain.name, plain.dim)


def test_remembering_forgets_the_oldest() -> None:
    """No more than so many texts are kept."""
    embedder = HashEmbedder()
    remembering = Remembering(embedder, most=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        remembering.embed_passages([text])
    assert embedder.embedded == 4  # a, b, c, and b once more


def test_counting_passes_everything_on() -> None:
    """Text and its end are the generator's; tokens in and out add up over calls."""
    generator = ScriptedGenerator(["one two three four"])
    counted = Counted(generator)
    prompt = [Message("user", "say it")]
    assert read(counted.stream(prompt, Decoding(max_tokens=2))).text.split() == ["one", "two"]
    assert read(counted.stream(prompt, Decoding(max_tokens=9))).text == "one two three four"
    assert counted.take() == {"tokens in": 4.0, "tokens out": 6.0}
    assert counted.name == "scripted" and counted.max_tokens == generator.max_tokens


def test_a_stream_that_is_closed_is_counted() -> None:
    """Stopping early costs what was written."""
    counted = Counted(ScriptedGenerator(["one two three four"]))
    stream = counted.stream([Message("user", "go")], Decoding())
    next(stream)
    stream.close()
    assert counted.take() == {"tokens in": 1.0, "tokens out": 1.0}
