"""Drafts to claims and claims to answers, with every marker accounted for."""

import re
from itertools import chain, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.citations import CitedClaim, DraftClaim, cite, compose, draft_claims, halves
from rag.types import Evidence, Judgement, Passage, Verdict

Row = tuple[str, tuple[int, ...], tuple[int, ...]]

GOLDEN: list[tuple[str, str, int, str, list[Row]]] = [
    ("a marker before the stop", "en", 2, "Cats sleep [1].", [("Cats sleep.", (1,), ())]),
    ("a marker after the stop", "en", 2, "Cats sleep. [1]", [("Cats sleep.", (1,), ())]),
    ("a marker at the stop", "en", 2, "Cats sleep.[1]", [("Cats sleep.", (1,), ())]),
    (
        "markers after both stops",
        "en",
        2,
        "Cats sleep. [1] Dogs bark. [2]",
        [("Cats sleep.", (1,), ()), ("Dogs bark.", (2,), ())],
    ),
    (
        "markers before both stops",
        "en",
        2,
        "Cats sleep [2]. Dogs bark [1].",
        [("Cats sleep.", (2,), ()), ("Dogs bark.", (1,), ())],
    ),
    ("several markers", "en", 3, "Cats sleep [1][3] [2].", [("Cats sleep.", (1, 3, 2), ())]),
    ("several after the stop", "en", 3, "Cats sleep. [3] [1]", [("Cats sleep.", (3, 1), ())]),
    ("a marker twice", "en", 2, "Cats [1] sleep [1].", [("Cats sleep.", (1,), ())]),
    ("a marker inside", "en", 2, "Cats [2] sleep a lot.", [("Cats sleep a lot.", (2,), ())]),
    ("an invented marker", "en", 2, "Cats sleep [3].", [("Cats sleep.", (), (3,))]),
    ("zero is no marker", "en", 2, "Cats sleep [0][2].", [("Cats sleep.", (2,), (0,))]),
    ("no evidence at all", "en", 0, "Cats sleep [1].", [("Cats sleep.", (), (1,))]),
    ("no markers", "en", 2, "Cats sleep. Dogs bark.", [
        ("Cats sleep.", (), ()),
        ("Dogs bark.", (), ()),
    ]),
    ("a question", "en", 1, "Do cats sleep? [1] Yes!", [
        ("Do cats sleep?", (1,), ()),
        ("Yes!", (), ()),
    ]),
    ("a quotation", "en", 1, 'He said "cats sleep." [1]', [('He said "cats sleep."', (1,), ())]),
    ("no stop", "en", 1, "Cats sleep [1]", [("Cats sleep", (1,), ())]),
    ("Chinese", "zh", 2, "猫在睡觉。[1]狗在叫[2]。", [
        ("猫在睡觉。", (1,), ()),
        ("狗在叫。", (2,), ()),
    ]),
    ("Chinese, excited", "zh", 2, "猫在睡觉吗\uff1f[1]狗在叫\uff01 [2]", [
        ("猫在睡觉吗\uff1f", (1,), ()),
        ("狗在叫\uff01", (2,), ()),
    ]),
    ("Hungarian abbreviation", "hu", 1, "A ház kb. öt méter magas [1].", [
        ("A ház kb. öt méter magas.", (1,), ()),
    ]),
    ("Russian", "ru", 2, "Кошки спят. [1] Собаки лают. [2]", [
        ("Кошки спят.", (1,), ()),
        ("Собаки лают.", (2,), ()),
    ]),
    ("decimals", "en", 1, "It costs 3.5 [1] or 1,600.25 euros.", [
        ("It costs 3.5 or 1,600.25 euros.", (1,), ()),
    ]),
    ("list items", "en", 2, "- Cats sleep [1].\n- Dogs bark [2].", [
        ("- Cats sleep.", (1,), ()),
        ("- Dogs bark.", (2,), ()),
    ]),
    ("blank lines", "en", 1, "\n\nCats sleep [1].\n\n\n", [("Cats sleep.", (1,), ())]),
    ("nothing", "en", 1, "", []),
    ("markers alone", "en", 1, "[1] [2]", []),
    ("marks alone", "en", 1, "... !", []),
    ("years in brackets", "en", 1, "Cats slept [2024].", [("Cats slept [2024].", (), ())]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "count", "draft", "expected"),
    [row[1:] for row in GOLDEN],
    ids=[row[0] for row in GOLDEN],
)
def test_drafts_are_split_into_claims(
    language: str, count: int, draft: str, expected: list[Row]
) -> None:
    """Each sentence with the evidence that it cites, and the markers that are made up."""
    assert draft_claims(draft, count, language) == [DraftClaim(*row) for row in expected]


def test_an_abbreviation_before_a_number_is_no_end() -> None:
    """Hungarian "kb. 5" (about 5) stands within one claim."""
    claims = draft_claims("A ház kb. 5 méter magas [1].", 1, "hu")
    assert claims == [DraftClaim("A ház kb. 5 méter magas.", (1,), ())]


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Cats sleep", "Dogs bark a lot", "Fish swim in 3.5 rivers"]),
            st.lists(st.integers(0, 9), max_size=3),
            st.booleans(),
        ),
        max_size=6,
    ),
    st.integers(0, 9),
)
def test_no_marker_is_lost_or_changes_its_sentence(
    parts: list[tuple[str, list[int], bool]], count: int
) -> None:
    """Markers before or after the stop: all are recorded, each with its own sentence."""
    draft = ""
    for text, markers, after in parts:
        marked = "".join(f" [{n}]" for n in markers)
        draft += f"{text}.{marked} " if after else f"{text}{marked}. "
    claims = draft_claims(draft, count, "en")
    assert [claim.text for claim in claims] == [f"{text}." for text, _, _ in parts]
    for claim, (_, markers, _) in zip(claims, parts, strict=True):
        assert set(claim.cited) | set(claim.invented) == set(markers)
        assert all(1 <= n <= count for n in claim.cited)
        assert not any(1 <= n <= count for n in claim.invented)


@given(st.text(alphabet="ab .[]()12\n-!?。猫\"'", max_size=60))
def test_any_draft_can_be_read(draft: str) -> None:
    """Whatever a generator writes: claims with words, and no marker left in them."""
    for claim in draft_claims(draft, 3, "en"):
        assert re.search(r"\w", claim.text) and claim.text == claim.text.strip()
        assert not re.search(r"\[[12]{1,3}\]", claim.text)


# -- composing -------------------------------------------------------------------------------


def evidence(start: int, text: str = "quote", document: str = "d") -> Evidence:
    """Return evidence on the third of three pages, or before."""
    passage = Passage(
        id=f"passage of {document}",
        document_id=document,
        source=f"{document}.pdf",
        title="Title",
        text=" " * 100,
        start=0,
        end=100,
        page=1,
        section="",
        language="en",
        page_starts=(30, 60),
    )
    return Evidence(passage, text, start, start + len(text), 1.0)


GOOD = Judgement(Verdict.SUPPORTED, 0.9)


def test_an_answer_carries_its_markers_and_its_claims_their_places() -> None:
    """Text, offsets and numbers of two claims that share a quote."""
    first, second = evidence(0, "first"), evidence(40, "second")
    text, claims, citations = compose(
        [
            CitedClaim("猫 sleeps.", (second,), GOOD),
            CitedClaim("Dogs 😀 bark.", (first, second), GOOD),
        ]
    )
    assert text == "猫 sleeps. [1] Dogs 😀 bark. [2] [1]"
    assert [text[claim.start : claim.end] for claim in claims] == [
        "猫 sleeps. [1]",
        "Dogs 😀 bark. [2] [1]",
    ]
    assert [(claim.text, claim.citations) for claim in claims] == [
        ("猫 sleeps.", (1,)),
        ("Dogs 😀 bark.", (2, 1)),
    ]
    assert [(citation.n, citation.quote) for citation in citations] == [(1, "second"), (2, "first")]
    assert {(claim.verdict, claim.score) for claim in claims} == {(Verdict.SUPPORTED, 0.9)}


def test_quotes_in_different_documents_have_different_numbers() -> None:
    """The same words at the same place of another document are another citation."""
    claims = [CitedClaim("A.", (evidence(0), evidence(0, document="e")), GOOD)]
    text, _, citations = compose(claims)
    assert text == "A. [1] [2]" and [c.document_id for c in citations] == ["d", "e"]


def test_a_claim_without_evidence_has_no_marker() -> None:
    """It stands as it is."""
    text, claims, citations = compose([CitedClaim("A.", (), GOOD)])
    assert (text, claims[0].citations, citations) == ("A.", (), ())
    assert compose([]) == ("", (), ())


@pytest.mark.parametrize(("start", "page"), [(0, 1), (29, 1), (30, 2), (59, 2), (60, 3), (90, 3)])
def test_a_citation_names_the_page_of_its_quote(start: int, page: int) -> None:
    """Not the page on which the passage begins."""
    citation = cite(evidence(start), 7)
    assert (citation.n, citation.page) == (7, page)
    assert (citation.start, citation.end, citation.quote) == (start, start + 5, "quote")
    assert (citation.source, citation.title) == ("d.pdf", "Title")
    assert (citation.document_id, citation.passage_id) == ("d", "passage of d")


@given(
    st.lists(
        st.tuples(
            st.text(min_size=1, max_size=12).filter(lambda text: "[" not in text),
            st.lists(st.integers(0, 4), max_size=3, unique=True),
        ),
        max_size=6,
    )
)
@example([("a", [0]), ("| b |", [1]), ("| c |", []), ("d", [1])])
def test_composed_answers_can_be_taken_apart(parts: list[tuple[str, list[int]]]) -> None:
    """Each claim is where it says, with its markers, a row of a table on a line of its own; numbers
    run from 1 in order, none unused."""
    text, claims, citations = compose(
        [CitedClaim(said, tuple(evidence(at) for at in places), GOOD) for said, places in parts]
    )
    for claim, (said, places) in zip(claims, parts, strict=True):
        markers = "".join(f" [{n}]" for n in claim.citations)
        assert text[claim.start : claim.end] == said + markers
        assert [citations[n - 1].start for n in claim.citations] == places
    rows = [said.lstrip().startswith("|") for said, _ in parts]
    gaps = ["\n" if any(pair) else " " for pair in pairwise(rows)] + [""]
    said = [text[claim.start : claim.end] for claim in claims]
    assert "".join(chain.from_iterable(zip(said, gaps, strict=False))) == text
    assert [citation.n for citation in citations] == list(range(1, len(citations) + 1))
    used = dict.fromkeys(n for claim in claims for n in claim.citations)
    assert list(used) == [citation.n for citation in citations]


@pytest.mark.parametrize(
    ("claim", "parts"),
    [
        (
            "The tower was built in 1889, and the bridge was opened in 1890.",
            ("The tower was built in 1889", "and the bridge was opened in 1890."),
        ),
        (
            "模型有七十亿参数，而训练数据有两万亿词元。",
            ("模型有七十亿参数", "而训练数据有两万亿词元。"),
        ),
        ("A modell kicsi, de a kontextus hosszú.", ("A modell kicsi", "de a kontextus hosszú.")),
        ("Кошка пьёт молоко; собака спит в саду.", ("Кошка пьёт молоко", "собака спит в саду.")),
        ("It has red, green, and blue lamps.", None),
        ("One; two.", None),
        ("", None),
    ],
)
def test_halves_of_compound_sentences(claim: str, parts: tuple[str, str] | None) -> None:
    """Two main clauses are parted; an enumeration and a stub are not."""
    assert halves(claim) == parts
