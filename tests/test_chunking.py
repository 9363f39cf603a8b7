"""Passages: exact offsets, whole coverage, limits kept, boundaries respected."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platformdirs import user_cache_path

from rag.chunking import chunk, embedded_text, page_of
from rag.protocols import Tokenizer
from rag.testing import WordTokenizer
from rag.types import Heading, Parsed, Span

WORDS = WordTokenizer()


class SpacedTokenizer:
    """Counts the space before a word to its token and cuts words in threes."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        spans = []
        start = 0
        for end in range(1, len(text) + 1):
            if end == len(text) or end - start == 3 or (text[end] == " " and end > start):
                spans.append((start, end))
                start = end
        return spans


class UnevenTokenizer(WordTokenizer):
    """Counts more in a short text than in a long one, like a tokenizer cut off from context."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        spans = super().offsets(text)
        return spans if len(text) > 2000 else [*spans, *spans[: len(spans) // 5]]


def texts(parsed: Parsed, spans: list[Span]) -> list[str]:
    return [parsed.text[span.start : span.end] for span in spans]


def words(passages: list[str]) -> list[int]:
    return [len(WORDS.offsets(passage)) for passage in passages]


def prose(sentences: int, seed: int = 0) -> str:
    return " ".join(f"Sentence {seed + i} has exactly eight plain words." for i in range(sentences))


@st.composite
def documents(draw: st.DrawFn) -> Parsed:
    blocks = draw(
        st.lists(
            st.one_of(
                st.sampled_from(["\n\n", "\n", " ", "Слово за слово. ", "一句话。", "字" * 40]),
                st.text(max_size=30),
                st.just("A plain sentence of seven short words. "),
            ),
            max_size=60,
        )
    )
    text = "".join(blocks)
    starts = draw(st.lists(st.integers(0, max(len(text) - 1, 0)), unique=True, max_size=8))
    levels = st.integers(1, 5)
    headings = [Heading(start, draw(levels), f"H{start}") for start in sorted(starts) if text]
    return Parsed(text, draw(st.sampled_from(["", "Title"])), tuple(headings))


@pytest.mark.slow
@given(
    documents(),
    st.sampled_from([WORDS, SpacedTokenizer(), UnevenTokenizer()]),
    st.integers(4, 40),
    st.integers(0, 20),
)
def test_passages_of_any_document(
    parsed: Parsed, tokenizer: Tokenizer, most: int, overlap: int
) -> None:
    """Spans are exact, trimmed, in order, within limits, and leave out nothing."""
    spans = chunk(
        parsed, tokenizer, max_tokens=most, overlap_tokens=overlap, embedded_tokens=most + 20
    )
    covered = 0
    for span, text in zip(spans, texts(parsed, spans), strict=True):
        assert text and text == text.strip()
        assert len(tokenizer.offsets(text)) <= most or len(text.split()) == 1
        assert not parsed.text[covered : span.start].strip()
        covered = max(covered, span.end)
    assert not parsed.text[covered:].strip()
    starts = [span.start for span in spans]
    assert starts == sorted(set(starts))
    assert [span.end for span in spans] == sorted(span.end for span in spans)


def test_paragraphs_are_kept_whole() -> None:
    """Paragraphs that fit are not cut, and boundaries between them do not overlap."""
    paragraphs = [prose(5, seed) for seed in range(0, 60, 5)]
    parsed = Parsed("\n\n".join(paragraphs), "T")
    found = texts(parsed, chunk(parsed, WORDS, max_tokens=100, embedded_tokens=200))
    assert "\n\n".join(found) == parsed.text


def test_long_paragraphs_overlap_by_sentences() -> None:
    """Passages of one paragraph begin and end with whole sentences, and share some."""
    parsed = Parsed(prose(60), "T")
    spans = chunk(parsed, WORDS, max_tokens=100, overlap_tokens=20, embedded_tokens=200)
    found = texts(parsed, spans)
    assert all(text.startswith("Sentence") and text.endswith(".") for text in found)
    for before, span in pairwise(spans):
        shared = parsed.text[span.start : before.end]
        assert words([shared])[0] in (8, 16)
    assert max(words(found)) <= 100


def test_chinese_is_cut_at_sentences() -> None:
    """A paragraph without spaces is cut after its full stops."""
    parsed = Parsed("这是一个没有空格的句子。" * 60, "题")
    found = texts(parsed, chunk(parsed, WORDS, max_tokens=100, embedded_tokens=200))
    assert len(found) > 5
    assert all(text.endswith("。") for text in found)


def section(title: str, level: int, size: int) -> str:
    return f"{'#' * level} {title}\n\n{prose(size)}\n\n"


def with_headings(*sections: tuple[str, int, int]) -> Parsed:
    text, headings = "", []
    for title, level, size in sections:
        headings.append(Heading(len(text), level, title))
        text += section(title, level, size)
    return Parsed(text, "Book", tuple(headings))


def test_sections_are_not_mixed() -> None:
    """Sections large enough stand alone, each with its path."""
    parsed = with_headings(("A", 1, 10), ("B", 2, 10), ("C", 3, 10), ("D", 2, 10))
    spans = chunk(parsed, WORDS, max_tokens=120, embedded_tokens=200)
    assert [span.section for span in spans] == ["A", "A > B", "A > B > C", "A > D"]
    assert [text.split("\n")[0] for text in texts(parsed, spans)] == [
        "# A",
        "## B",
        "### C",
        "## D",
    ]


def test_small_sections_are_joined() -> None:
    """Sections of a line or two share a passage."""
    parsed = with_headings(("A", 1, 0), ("B", 2, 1), ("C", 2, 1), ("D", 3, 1), ("E", 2, 10))
    spans = chunk(parsed, WORDS, max_tokens=120, embedded_tokens=200)
    assert [span.section for span in spans] == ["A", "A > E"]


def test_sections_are_not_joined_out_of_their_parent() -> None:
    """The last small section of a chapter is not joined to the next chapter."""
    parsed = with_headings(("A", 1, 14), ("B", 2, 2), ("E", 1, 2))
    spans = chunk(parsed, WORDS, max_tokens=120, embedded_tokens=200)
    assert [span.section for span in spans] == ["A", "A > B", "E"]


def test_deep_headings_give_the_path() -> None:
    """Headings below the third level do not part a section; its passages know them."""
    parsed = with_headings(("A", 1, 8), ("B", 4, 8), ("C", 4, 8))
    spans = chunk(parsed, WORDS, max_tokens=100, embedded_tokens=200)
    assert [span.section for span in spans] == ["A", "A > B", "A > C"]


def test_headings_stay_with_their_text() -> None:
    """A line that looks like a heading is not left at the end of a passage."""
    parts = [part for i in range(12) for part in (f"Heading {i}", prose(4, i * 4))]
    parsed = Parsed("\n\n".join(parts), "T")
    found = texts(parsed, chunk(parsed, WORDS, max_tokens=100, embedded_tokens=200))
    assert len(found) > 3
    assert all(text.startswith("Heading") and text.endswith(".") for text in found)


def test_embedded_text_fits() -> None:
    """The section counts: text gives way to them where the limit is tight."""
    parsed = Parsed("# S\n\n" + prose(60), "A title of several words " * 2, (Heading(0, 1, "S"),))
    for span in (spans := chunk(parsed, WORDS, max_tokens=64, embedded_tokens=64)):
        text = embedded_text(span.section, parsed.text[span.start : span.end])
        assert len(WORDS.offsets(text)) <= 64
    assert spans


@pytest.mark.parametrize(
    ("place", "expected"), [("A > B", "A > B\ntext"), (" A ", "A\ntext"), ("", "text")]
)
def test_embedded_text(place: str, expected: str) -> None:
    """Where a passage stands is said once, above its text."""
    assert embedded_text(place, "text") == expected


def test_long_places_are_cut() -> None:
    """A section path takes a bounded part of what is embedded."""
    assert len(embedded_text("s" * 5000, "")) < 130


def test_pages() -> None:
    """A passage is on the page that holds its first character."""
    assert [page_of((0, 10, 10, 20), start) for start in (0, 9, 10, 25)] == [1, 1, 3, 4]
    assert page_of((), 5) is None


def test_nothing_to_cut() -> None:
    """A document without text has no passages."""
    assert chunk(Parsed(" \n ", "T"), WORDS) == []


@pytest.mark.slow
def test_long_line_without_boundaries() -> None:
    """Time grows with the length of the text, where there is no place to cut as well."""
    parsed = Parsed("字" * 100_000, "T")
    started = time.perf_counter()
    spans = chunk(parsed, WORDS)
    assert time.perf_counter() - started < 8
    assert sum(span.end - span.start for span in spans) >= 100_000


@pytest.mark.model
def test_real_tokenizer() -> None:
    """The default embedder's own tokenizer keeps the limits, in four languages."""
    from tokenizers import Tokenizer as Loaded

    folder = user_cache_path("rag") / "models" / "intfloat--multilingual-e5-small"
    loaded = Loaded.from_file(str(folder / "tokenizer.json"))

    class Real:
        def offsets(self, text: str) -> list[tuple[int, int]]:
            spans: list[tuple[int, int]] = loaded.encode(text, add_special_tokens=False).offsets
            return spans

    languages = [
        "这是一个没有空格的句子,它很长。",
        "Это предложение на русском. ",
        "Ez egy magyar mondat, amely elég hosszú. ",
    ]
    text = "\n\n".join([prose(80), *(sentence * 80 for sentence in languages)])
    parsed = Parsed(text, "Title 标题")
    spans = chunk(parsed, Real(), embedded_tokens=505)
    sizes = [len(Real().offsets(passage)) for passage in texts(parsed, spans)]
    assert max(sizes) <= 224
    assert sorted(sizes)[len(sizes) // 2] > 150
    assert all(passage[-1] in ".。" for passage in texts(parsed, spans))
