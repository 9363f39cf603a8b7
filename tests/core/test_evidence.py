"""Evidence is the text to the letter: sentences once each, quotes within their limits."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evidence import (
    MARKER_CHARACTERS,
    QUOTE_CHARACTERS,
    QUOTES,
    choose_quotes,
    gather,
    overlap,
    select,
    speaking,
    with_headers,
)
from rag.fusion import Retrieval, background
from rag.testing import HashEmbedder
from rag.types import Evidence, Hit, Passage

NEUTRAL = np.array([0.0, 0.1, 0.2], dtype=np.float32)
BACKGROUND = background({"en": NEUTRAL}, {"en": 3}, {"en": NEUTRAL})


def passage(
    text: str, start: int = 0, end: int | None = None, *, section: str = "", document: str = "d"
) -> Passage:
    """Return a stretch of a document as a passage."""
    end = len(text) if end is None else end
    return Passage(
        id=f"{document}:{start}",
        document_id=document,
        source=f"{document}.txt",
        title="Title",
        text=text[start:end],
        start=start,
        end=end,
        page=None,
        section=section,
        language="en",
    )


def found(*passages: Passage, weights: dict[str, float] | None = None) -> Retrieval:
    """Return the passages as hits, the first the best."""
    hits = tuple(
        Hit(each, rank, score=-float(rank), similarity=0.5, overlap=0.0)
        for rank, each in enumerate(passages, start=1)
    )
    return Retrieval("Does the cat sleep?", hits, weights or {}, BACKGROUND)


def texts(evidence: Sequence[Evidence]) -> list[str]:
    """Return the texts of evidence."""
    return [item.text for item in evidence]


def scored(text: str, *scores: float) -> list[Evidence]:
    """Return the sentences of a text with the scores given, best first."""
    items = sorted(
        select(found(passage(text)), gather(found(passage(text)), None)),
        key=lambda item: item.start,
    )
    assert len(items) == len(scores)
    given = [replace(item, score=score) for item, score in zip(items, scores, strict=True)]
    return sorted(given, key=lambda item: -item.score)


# -- candidates ------------------------------------------------------------------------------


def test_every_sentence_is_a_candidate_at_its_place() -> None:
    """Text and offsets of each sentence, counted into the document."""
    text = "Skipped. One cat sleeps. 两只狗叫。It is late!\nA line without a stop\n"
    evidence = select(found(passage(text, 9)), gather(found(passage(text, 9)), None))
    assert sorted(texts(evidence), key=text.index) == [
        "One cat sleeps.",
        "两只狗叫。",
        "It is late!",
        "A line without a stop",
    ]
    assert all(text[item.start : item.end] == item.text for item in evidence)


def test_passages_that_overlap_give_each_sentence_once() -> None:
    """A sentence in two passages is one candidate, of the passage that was found first."""
    text = "First sentence here. Second sentence here. Third sentence here."
    hits = found(passage(text, 21), passage(text, 0, 42))
    evidence = select(hits, gather(hits, None))
    assert sorted(texts(evidence)) == sorted(text.replace(". ", ".|").split("|"))
    (second,) = [item for item in evidence if item.text.startswith("Second")]
    assert second.passage.start == 21


def test_the_same_sentence_in_two_documents_is_two_candidates() -> None:
    """They are told apart by where they stand."""
    text = "The same sentence."
    hits = found(passage(text), passage(text, document="e"))
    assert len(select(hits, gather(hits, None))) == 2


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("- A list item here.", "A list item here."),
        ("* A list item here.", "A list item here."),
        ("12. The twelfth item.", "12. The twelfth item."),
        ("19. században épült.", "19. században épült."),
        ("- 40 degrees is cold.", "- 40 degrees is cold."),
        ("> A quoted line.", "A quoted line."),
        ("• A bullet here.", "A bullet here."),
        ("– A dash before it.", "A dash before it."),
        ("-5 degrees were measured.", "-5 degrees were measured."),
        ("2024 was a warm year.", "2024 was a warm year."),
    ],
)
def test_list_marks_are_not_quoted(line: str, sentence: str) -> None:
    """The mark is left out and the offsets move with it."""
    text = f"Before it.\n{line}\nAfter it."
    hits = found(passage(text))
    evidence = {item.text: item for item in select(hits, gather(hits, None))}
    item = evidence[sentence]
    assert text[item.start : item.end] == sentence


@pytest.mark.parametrize("line", ["# Heading", "###### Deep one", "Setext", "---", "***", "…", "—"])
def test_headings_and_rules_are_no_evidence(line: str) -> None:
    """What is a heading, or says nothing, is never quoted."""
    text = f"{line}\n\nOnly this sentence counts."
    hits = found(passage(text, section="Guide > Setext"))
    assert texts(select(hits, gather(hits, None))) == ["Only this sentence counts."]


@pytest.mark.parametrize(
    "line",
    [
        "![A diagram of the parts](docs/parts.png)",
        "[![PyPI version](https://img.example/v.svg)](https://pypi.example/project/x)",
        '<p align="center"><img src="logo.svg" alt="The logo"></p>',
        "![logo][logo-url]",
    ],
)
def test_pictures_are_no_evidence(line: str) -> None:
    """A reader sees no words there; a passage of nothing else is no hit of an answer."""
    hits = found(passage(f"{line}\n\nOnly this sentence counts."))
    assert texts(select(hits, gather(hits, None))) == ["Only this sentence counts."]
    both = found(passage(f"{line}\n{line}"), passage("It counts.", document="e"))
    assert [hit.passage.text for hit in speaking(both).hits] == ["It counts."]
    alone = found(passage(line))
    assert speaking(alone) == alone


@pytest.mark.parametrize(
    "line",
    [
        "See [the manual](https://x.example/manual) for details.",
        "Use `List<String>` for names.",
        "The manual is at https://x.example/manual.",
        "With a < b and c > d it holds.",
        "Press ![the key](key.png) for two seconds.",
    ],
)
def test_sentences_with_markup_are_evidence(line: str) -> None:
    """Whole, as they stand."""
    hits = found(passage(line))
    assert texts(select(hits, gather(hits, None))) == [line]


@pytest.mark.parametrize(
    "line",
    [
        "Does the cat sleep?",
        "*And how long does a cat sleep?*",
        "(猫睡觉吗？)",
        "Cat | Sleeps\nCat: Tom; Sleeps: long",
        "| Cat | Sleeps |\n|---|---|\n| Tom | long |",
    ],
)
def test_what_repeats_the_question_does_not_answer_it(line: str) -> None:
    """Other questions, and the header of a table."""
    first, *more = line.splitlines()
    hits = found(passage(f"{line}\n\nOnly this sentence counts."))
    left = texts(select(hits, gather(hits, None)))
    assert first not in left and "Only this sentence counts." in left
    assert len(left) == 1 + bool(more)


@pytest.mark.parametrize(
    ("question", "left"), [("What is a cat?", ["An animal."]), ("Why?", ["Cat", "An animal."])]
)
def test_a_bare_name_does_not_explain_itself(question: str, left: list[str]) -> None:
    """As the terms of a glossary stand; for other questions it is a line like any other."""
    hits = replace(found(passage("Cat\n\nAn animal.")), question=question)
    assert sorted(texts(select(hits, gather(hits, None)))) == sorted(left)


def test_what_repeats_the_question_is_better_than_nothing() -> None:
    """Sentences that say it again confirm it; without any, what there is remains."""
    for text in ("The cat does sleep.", "Does the cat sleep?"):
        assert texts(select(found(passage(text)), gather(found(passage(text)), None))) == [text]


def test_what_two_documents_say_in_the_same_words_is_quoted_once() -> None:
    """Spaces make no other words."""
    hits = found(
        passage("The cat sleeps all day."), passage("The cat  sleeps all day.", document="e")
    )
    assert texts(choose_quotes(select(hits, gather(hits, None)))) == ["The cat sleeps all day."]


def test_no_hits_give_no_evidence() -> None:
    """Nothing found, or nothing in what was found."""
    assert select(found(), gather(found(), None)) == []
    assert (
        select(found(passage("# Title\n\n---\n")), gather(found(passage("# Title\n\n---\n")), None))
        == []
    )


def test_sentences_with_the_question_s_terms_are_better() -> None:
    """By terms, with an embedder and without."""
    text = "Dogs bark loudly. Cats drink cold milk. Fish swim."
    hits = found(passage(text), weights={"cats": 0.5, "milk": 0.5})
    for embedder in (None, HashEmbedder()):
        evidence = select(hits, gather(hits, embedder))
        assert evidence[0].text == "Cats drink cold milk."
        assert [item.score for item in evidence] == sorted(
            (item.score for item in evidence), reverse=True
        )


def test_the_sentence_after_one_that_repeats_the_question_gains() -> None:
    """Of two sentences without its terms, the one that follows the terms is before the other."""
    text = "Nothing much. Cats drink milk. They like it. Something else."
    hits = found(passage(text), weights={"cats": 0.5, "milk": 0.5})
    order = texts(select(hits, gather(hits, None)))
    assert order[0] == "Cats drink milk."
    assert order.index("They like it.") < order.index("Something else.")


def test_overlap_counts_each_term_once() -> None:
    """The weights of the terms that occur, however often."""
    weights = {"cats": 0.25, "milk": 0.75}
    assert overlap(weights, "Cats, cats and cats.") == 0.25
    assert overlap(weights, "Milk for cats") == 1.0
    assert overlap(weights, "Nothing") == overlap({}, "Milk") == 0.0


# -- quotes ----------------------------------------------------------------------------------


def test_neighbours_become_one_quote_to_the_letter() -> None:
    """Two sentences side by side are quoted with what lies between them."""
    text = "Far off before.\n\nThe cat sleeps.  \nIt dreams too. Unrelated end."
    quotes = choose_quotes(scored(text, -99, 5, 5, -99))
    assert "The cat sleeps.  \nIt dreams too." in texts(quotes)[0]
    assert all(text[quote.start : quote.end] == quote.text for quote in quotes)


def test_items_of_a_list_become_one_quote() -> None:
    """The mark between two items is a part of the quote, which stays verbatim."""
    text = "- The cat sleeps.\n- The dog barks."
    assert texts(choose_quotes(scored(text, 5, 5))) == ["The cat sleeps.\n- The dog barks."]


@pytest.mark.parametrize(
    "text",
    [
        "Product: lamp; Price: 12\nProduct: chair; Price: 40",
        "| lamp | 12 |\n| chair | 40 |",
        "The lamp costs twelve.\n\nThe chair costs forty.",
    ],
)
def test_a_neighbour_beyond_a_border_has_to_be_worth_it(text: str) -> None:
    """The next row of a table, or paragraph, is quoted for what it says, not for its place."""
    first = text.splitlines()[0]
    assert texts(choose_quotes(scored(text, 9, 1))) == [first]
    assert len(" ".join(texts(choose_quotes(scored(text, 9, 8.5))))) > len(first)


@pytest.mark.parametrize(("unit", "quoted"), [("slide", "First."), ("page", "First. Second.")])
def test_text_goes_on_from_page_to_page_but_not_from_slide_to_slide(unit: str, quoted: str) -> None:
    """A sentence on the next slide is no continuation; one on the next page is."""
    text = "First. Second."
    place = replace(passage(text), page_starts=(7,), unit=unit)
    evidence = [
        Evidence(place, text[start:end], start, end, score)
        for start, end, score in ((0, 6, 9.0), (7, 14, 1.0))
    ]
    assert texts(choose_quotes(evidence)) == [quoted]


@pytest.mark.parametrize("colon", [":", "\uff1a"])
def test_what_a_colon_introduces_is_quoted_over_any_border(colon: str) -> None:
    """Of a Chinese text too, whose colon is as wide as its characters."""
    text = f"\u6709\u4e24\u79cd\u732b{colon}\n\n\u9ed1\u732b\u3002"
    assert texts(choose_quotes(scored(text, 9, 1))) == [text]


def test_the_best_sentence_is_quoted_first() -> None:
    """Quotes come by the best sentence in each, not in the order of the text."""
    far = " ".join(f"Filler number {n} goes here." for n in range(8))
    text = f"The good one. {far} The better one."
    quotes = choose_quotes(scored(text, 5, *[-99] * 8, 6))
    assert "The better one." in quotes[0].text


def test_what_is_far_worse_is_not_quoted() -> None:
    """Of two sentences in different documents, one that scores far below is left out."""
    hits = found(passage("The best one is this."), passage("A worse one.", document="e"))
    one, other = select(hits, gather(hits, None))
    best, worse = replace(one, score=9), replace(other, score=-99)
    assert choose_quotes([best, worse]) == [best]
    assert len(choose_quotes([best, replace(other, score=9)])) == 2


def test_a_long_best_sentence_stands_alone() -> None:
    """One that fills the answer by itself is quoted whole, and nothing else."""
    long = "word " * (QUOTE_CHARACTERS // 5 - 1) + "end."
    quotes = choose_quotes(scored(f"{long} Short one.", 9, 8.9))
    assert texts(quotes) == [long]


def test_nothing_to_choose_from() -> None:
    """No evidence, no quotes."""
    assert choose_quotes([]) == []


SENTENCES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "The cat sleeps.",
                "两只狗在叫。",
                "Кошка пьёт молоко, а собака спит.",
                "A sentence that is rather longer than the others, with a clause or two in it. ",
                "It costs 3.5 and more!",
                "A line without an end",
                "And so on: ",
            ]
        ),
        st.sampled_from([" ", "\n", "\n\n", "\n- ", "  \n\t> ", "\n1. ", "\n# Heading\n"]),
    ),
    min_size=1,
    max_size=14,
)


@pytest.mark.slow
@given(
    SENTENCES,
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 300)), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_quotes_are_verbatim_and_short(
    parts: list[tuple[str, str]], cuts: list[tuple[int, int]], chance: "st.random.Random"
) -> None:
    """Of any passages of any text: in place to the letter, few, short, apart, the best first."""
    text = "".join(sentence + gap for sentence, gap in parts)
    passages = [
        passage(text, start, min(len(text), start + length))
        for start, length in cuts
        if start < len(text)
    ]
    evidence = select(found(*passages), gather(found(*passages), HashEmbedder()))
    assert all(text[item.start : item.end] == item.text for item in evidence)
    assert len({(item.passage.document_id, item.end) for item in evidence}) == len(evidence)
    shuffled = [replace(item, score=chance.uniform(-9, 9)) for item in evidence]
    for ranked in (evidence, sorted(shuffled, key=lambda item: -item.score)):
        quotes = choose_quotes(ranked)
        assert bool(quotes) == bool(ranked) and len(quotes) <= QUOTES
        for quote in quotes:
            assert text[quote.start : quote.end] == quote.text
            assert quote.passage.start <= quote.start < quote.end <= quote.passage.end
            assert quote.text == quote.text.strip()
        size = sum(len(quote.text) + MARKER_CHARACTERS for quote in quotes)
        assert size <= QUOTE_CHARACTERS or quotes == [ranked[0]]
        if ranked:
            best = ranked[0]
            assert any(q.start <= best.start and best.end <= q.end for q in quotes)


def test_a_row_is_quoted_with_its_header() -> None:
    """To the letter, before the first of its rows, and not twice."""
    text = "| cat | sleeps |\n|---|---|\n| Tom | always |\n| Kit | never |\nA cat sleeps."
    whole = passage("Intro.\n" + text, start=7, end=7 + len(text))

    def quote(words: str) -> Evidence:
        start = 7 + text.index(words)
        return Evidence(whole, words, start, start + len(words), 1.0)

    first, second, prose = (
        quote("| Tom | always |"),
        quote("| Kit | never |"),
        quote("A cat sleeps."),
    )
    header = quote("| cat | sleeps |")

    def read(document: str, start: int, end: int) -> str:
        return ("Intro.\n" + text)[start:end] if document == "d" else ""

    assert list(with_headers([first, second, prose], read)) == [header, first, second, prose]
    assert list(with_headers([prose], read)) == [prose]
    assert list(with_headers([header, second], read)) == [header, second]
    assert list(with_headers([second, header], read)) == [header, second]
    assert list(with_headers([second], lambda *_: "changed since")) == [second]


def test_a_header_may_stand_in_an_earlier_passage() -> None:
    """It is cited where it stands in the document."""
    text = "| cat | sleeps |\n|---|---|\n" + "| Tom | always |\n" * 40 + "| Kit | never |"
    start = text.index("| Kit")
    later = passage(text, start=start)
    row = Evidence(later, text[start:], start, len(text), 1.0)
    header, again = with_headers([row], lambda _, first, last: text[first:last])
    assert again == row
    assert (header.text, header.start, header.end) == ("| cat | sleeps |", 0, 16)
