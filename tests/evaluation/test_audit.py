"""Auditing answers of other systems: each shape by hand, and what lines may get wrong."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rag.errors import ConfigError
from rag.evaluation.audit import audit
from rag.evaluation.citation_shapes import read, read_sources, recognise
from rag.evaluation.citing import MalformedAnswer, claimed
from rag.evaluation.runs import Item
from rag.evaluation.submissions import read_shared, read_submissions
from rag.evaluation.suite_metrics import PRODUCT, parted

CATS = "Cats sleep all day. They drink cold milk."
DOGS = "Dogs bark at strangers.\nThey need long walks."


@dataclass(frozen=True)
class Span:
    """Words that decide."""

    source: int
    start: int
    end: int


@dataclass(frozen=True)
class Word:
    """What the checker below says."""

    verdict: str
    score: float
    evidence: tuple[Span, ...] = ()


def check(claim: str, sources: Sequence[str]) -> Word:
    """Call a claim supported when one source holds all of its words."""
    words = set(claim.casefold().strip(".").split())
    for number, source in enumerate(sources):
        if words <= set(source.casefold().replace(".", " ").split()):
            return Word("supported", 1.0, (Span(number, 0, 4),))
    return Word("unsupported", 0.0)


def judged(item: Item) -> dict[str, float]:
    """Return what the checker and gold say of an answer, without the floors."""
    return {name: value for name, value in item.values.items() if parted(name)[1] == PRODUCT}


def audited(path: Path, *lines: Any) -> list[Item]:
    """Return the items of answers, a line each."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return audit(read_submissions(path).answers, check)


def cited(value: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return each claim with the first name of what it cites."""
    found = claimed(read(value), "en")
    return [(claim.text, [ref.keys[0] for ref in claim.references]) for claim in found]


NATIVE = {
    "question": "What do cats do?",
    "answer": "Cats sleep all day. [1] They fly. [2]",
    "abstained": False,
    "claims": [
        {"text": "Cats sleep all day.", "start": 0, "end": 23, "citations": [1]},
        {"text": "They fly.", "start": 24, "end": 37, "citations": [2, 7]},
    ],
    "citations": [
        {
            "n": 1,
            "document_id": "d1",
            "source": "cats.md",
            "title": "Cats",
            "start": 0,
            "end": 19,
            "quote": "Cats sleep all day.",
        },
        {
            "n": 2,
            "document_id": "d1",
            "source": "cats.md",
            "title": "Cats",
            "start": 20,
            "end": 29,
            "quote": "They fly.",
        },
    ],
}
RESPONSES = {
    "output": [
        {
            "type": "file_search_call",
            "results": [
                {"file_id": "f1", "filename": "cats.txt", "text": "Cats sleep all day."},
                {"file_id": "f1", "filename": "cats.txt", "text": "They drink cold milk."},
            ],
        },
        {
            "type": "message",
            "content": [
                {
                    "type": "output_text",
                    "text": "Cats sleep all day. They drink beer.",
                    "annotations": [
                        {"type": "file_citation", "file_id": "f1", "filename": "x", "index": 18},
                        {"type": "file_citation", "file_id": "f9", "filename": "y", "index": 36},
                    ],
                }
            ],
        },
    ]
}
CHAT_TEXT = "Cats sleep all day ([cats](https://cats.example)). Dogs bark at strangers."
CHAT = {
    "choices": [
        {
            "message": {
                "role": "assistant",
                "content": CHAT_TEXT,
                "annotations": [
                    {
                        "type": "url_citation",
                        "url_citation": {
                            "url": "https://cats.example",
                            "title": "cats",
                            "start_index": 19,
                            "end_index": 49,
                        },
                    }
                ],
            }
        }
    ]
}
THREAD = {
    "role": "assistant",
    "content": [
        {
            "type": "text",
            "text": {
                "value": "Cats sleep all day.【4:0†source】 Dogs bark.",
                "annotations": [
                    {
                        "type": "file_citation",
                        "text": "【4:0†source】",
                        "start_index": 19,
                        "end_index": 31,
                        "file_citation": {"file_id": "f1"},
                    }
                ],
            },
        }
    ],
}
ANTHROPIC = {
    "type": "message",
    "content": [
        {"type": "text", "text": "I found this: "},
        {
            "type": "text",
            "text": "cats sleep all day",
            "citations": [
                {
                    "type": "char_location",
                    "cited_text": "Cats sleep all day. ",
                    "document_index": 0,
                    "document_title": "Cats",
                    "start_char_index": 0,
                    "end_char_index": 20,
                }
            ],
        },
        {"type": "text", "text": ". "},
        {
            "type": "text",
            "text": "Dogs need long walks.",
            "citations": [
                {
                    "type": "page_location",
                    "cited_text": "They need long walks.",
                    "document_index": 1,
                    "document_title": None,
                    "start_page_number": 2,
                    "end_page_number": 3,
                },
                {
                    "type": "content_block_location",
                    "cited_text": "Dogs bark.",
                    "document_index": 2,
                    "document_title": None,
                    "start_block_index": 0,
                    "end_block_index": 1,
                },
            ],
        },
    ],
}
ANTHROPIC_SOURCES = [
    {
        "type": "document",
        "title": "Cats",
        "source": {"type": "text", "media_type": "text/plain", "data": CATS},
    },
    {"pages": ["Dogs bark at strangers. ", "They need long walks."]},
    {
        "type": "document",
        "source": {
            "type": "content",
            "content": [{"type": "text", "text": "Dogs bark."}, {"type": "text", "text": "Woof."}],
        },
    },
]
COHERE_1 = {
    "text": "Cats sleep all day. Dogs bark.",
    "citations": [
        {"start": 0, "end": 19, "text": "Cats sleep all day.", "document_ids": ["doc_0"]}
    ],
    "documents": [{"id": "doc_0", "title": "Cats", "snippet": CATS}],
}
COHERE_2 = {
    "message": {
        "role": "assistant",
        "content": [{"type": "text", "text": "Cats sleep all day. Dogs bark."}],
        "citations": [
            {
                "start": 0,
                "end": 19,
                "text": "Cats sleep all day.",
                "type": "TEXT_CONTENT",
                "sources": [
                    {"type": "document", "id": "doc:0", "document": {"id": "0", "snippet": CATS}}
                ],
            }
        ],
    }
}
PLAIN = {"answer": "Cats sleep all day [1]. Dogs bark. [2, 3]", "sources": [CATS, DOGS]}

SHAPES = {
    "native": (
        NATIVE,
        [("Cats sleep all day.", ["d1"]), ("They fly.", ["d1", "citation 7"])],
    ),
    "openai responses": (
        RESPONSES,
        [("Cats sleep all day.", ["f1"]), ("They drink beer.", ["f9"])],
    ),
    "openai chat": (
        CHAT,
        [("Cats sleep all day.", ["https://cats.example"]), ("Dogs bark at strangers.", [])],
    ),
    "openai message": (THREAD, [("Cats sleep all day.", ["f1"]), ("Dogs bark.", [])]),
    "anthropic": (
        ANTHROPIC,
        [("I found this: cats sleep all day.", ["0"]), ("Dogs need long walks.", ["1", "2"])],
    ),
    "cohere": (COHERE_1, [("Cats sleep all day.", ["doc_0"]), ("Dogs bark.", [])]),
    "plain": (PLAIN, [("Cats sleep all day.", ["[1]"]), ("Dogs bark.", ["[2]", "[3]"])]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_recognised_and_its_citations_found(shape: str) -> None:
    """Worked by hand: which claim cites what; marks are no part of a claim."""
    value, expected = SHAPES[shape]
    assert recognise(value) == shape
    assert cited(value) == expected


def test_both_versions_of_cohere_say_the_same() -> None:
    """In v2 the documents come inside the citations."""
    assert recognise(COHERE_2) == "cohere"
    assert [texts for texts, _ in cited(COHERE_2)] == [texts for texts, _ in cited(COHERE_1)]
    assert read(COHERE_2).sources["doc:0"].text == CATS


def test_a_native_answer_worked_by_hand(tmp_path: Path) -> None:
    """One claim of two is supported; one citation of three counts; an invented quote is told.

    [1] stands where it says. [2] is no quote of its source, though that says of cats what it
    likes, and supports nothing. [7] does not exist.
    """
    (item,) = audited(tmp_path / "a", {**NATIVE, "id": "x", "sources": {"d1": CATS}})
    assert item.id == "x" and item.question == "What do cats do?"
    assert judged(item) == {
        "citation recall": 1 / 2,
        "citation precision": pytest.approx(1 / 3),
        "claims cited": 1,
        "citations valid": pytest.approx(2 / 3),
        "quotes verbatim": 1 / 2,
        "locations right": 1 / 2,
    }
    assert [claim.verdict for claim in item.claims] == ["supported", "unsupported"]
    (source,) = item.claims[0].sources
    assert source.text[source.start : source.end] == "Cats sleep all day."
    assert [source.source for source in item.claims[1].sources] == [
        "d1: the quote does not stand in this source",
        "citation 7: there is no such source",
    ]


def test_without_sources_quotes_are_taken_as_they_are(tmp_path: Path) -> None:
    """Nothing can be said then of whether they are verbatim: those metrics are left out."""
    (item,) = audited(tmp_path / "a", NATIVE)
    assert item.values["citation recall"] == 1
    assert "quotes verbatim" not in item.values and "locations right" not in item.values
    assert item.values["citations valid"] == 0  # of [7], which the answer itself lacks


def test_an_answer_of_openai_worked_by_hand(tmp_path: Path) -> None:
    """The first sentence rests on what was found in the file, the second on a file of nowhere."""
    (item,) = audited(tmp_path / "a", RESPONSES)
    assert judged(item) == {
        "citation recall": 1 / 2,
        "citation precision": 1 / 2,
        "claims cited": 1,
        "citations valid": 1 / 2,
    }


def test_an_answer_of_openai_chat_worked_by_hand(tmp_path: Path) -> None:
    """Sources come by their address; an uncited claim counts 0 in recall alone."""
    (item,) = audited(tmp_path / "a", {"response": CHAT, "sources": {"https://cats.example": CATS}})
    assert judged(item) == {
        "citation recall": 1 / 2,
        "citation precision": 1,
        "claims cited": 1 / 2,
        "citations valid": 1,
    }


def test_an_answer_of_anthropic_worked_by_hand(tmp_path: Path) -> None:
    """Characters, pages and blocks: each quote is verbatim, where it is said to stand.

    The second claim has "need long walks" in its page, but "Dogs" in another source: neither
    supports it, alone or together.
    """
    (item,) = audited(tmp_path / "a", {"response": ANTHROPIC, "sources": ANTHROPIC_SOURCES})
    assert item.values["quotes verbatim"] == item.values["locations right"] == 1
    assert item.values["citations valid"] == 1
    assert item.values["citation recall"] == 0
    assert item.type == "answer"


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({"start_page_number": 1, "end_page_number": 2}, 2 / 3),
        ({"start_page_number": 9, "end_page_number": 12}, 2 / 3),
        ({"start_page_number": 1, "end_page_number": 3}, 1),
    ],
)
def test_a_wrong_page_is_told(tmp_path: Path, change: dict[str, int], right: float) -> None:
    """The quote is there, on another page than the citation says."""
    value = json.loads(json.dumps(ANTHROPIC))
    value["content"][3]["citations"][0] |= change
    (item,) = audited(tmp_path / "a", {"response": value, "sources": ANTHROPIC_SOURCES})
    assert item.values["quotes verbatim"] == 1
    assert item.values["locations right"] == pytest.approx(right)


@pytest.mark.parametrize("value", [COHERE_1, COHERE_2])
def test_an_answer_of_cohere_worked_by_hand(tmp_path: Path, value: dict[str, Any]) -> None:
    """One sentence of two is cited, and supported by the whole document."""
    (item,) = audited(tmp_path / "a", value)
    assert judged(item) == {
        "citation recall": 1 / 2,
        "citation precision": 1,
        "claims cited": 1 / 2,
        "citations valid": 1,
    }
    (source,) = item.claims[0].sources
    assert source.text[source.start : source.end] == "Cats"  # what the checker decided by


def test_marks_in_plain_text_worked_by_hand(tmp_path: Path) -> None:
    """A mark behind the full stop belongs to the sentence before; [3] is beyond the sources."""
    (item,) = audited(tmp_path / "a", PLAIN)
    assert judged(item) == {
        "citation recall": 1,
        "citation precision": pytest.approx(2 / 3),
        "claims cited": 1,
        "citations valid": pytest.approx(2 / 3),
    }


def test_gold_is_used_where_lines_carry_it(tmp_path: Path) -> None:
    """Labels, answers and sources of people, beside what the checker says."""
    line = {
        **PLAIN,
        "labels": ["supported", "unsupported"],
        "answers": ["all day"],
        "gold_sources": ["[2]"],
    }
    values = audited(tmp_path / "a", line)[0].values
    assert values["verdict right"] == 1 / 2
    assert values["gold contained"] == 1 and values["exact match"] == 0
    assert values["gold cited"] == 1


def test_refusals_are_an_outcome_of_their_own(tmp_path: Path) -> None:
    """They have no citation metrics, and count as abstained."""
    native = {
        "question": "?",
        "answer": "Unknown.",
        "abstained": True,
        "claims": [],
        "citations": [],
    }
    refusal = {"choices": [{"message": {"content": None, "refusal": "No.", "annotations": []}}]}
    items = audited(tmp_path / "a", native, refusal, {**PLAIN, "abstained": True}, PLAIN)
    assert [item.columns["abstained"] for item in items] == [1, 1, 1, 0]
    assert [bool(item.values) for item in items] == [False, False, False, True]


def test_a_sentence_that_only_announces_needs_no_citation(tmp_path: Path) -> None:
    """ "Here is what I found:" states nothing."""
    (item,) = audited(tmp_path / "a", {**PLAIN, "answer": "I found:\nCats sleep all day. [1]"})
    assert item.values["claims cited"] == item.values["citation recall"] == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        ('{"answer": 5}', "no shape that is known"),
        ('{"id": "a", "answer": "x", "claims": [{"start": 0}], "citations": []}', "'citations'"),
        ('{"answer": "x", "claims": 5, "citations": []}', "looks like native, but is malformed"),
        ('{"answer": "x", "sources": "y"}', "neither an object nor a list"),
        ('{"answer": "x", "sources": [{"id": "y"}]}', "without a text"),
        ('{"answer": "x", "labels": ["true"]}', "label 'true'"),
        ('{"answer": "A cat.", "labels": ["supported", "supported"]}', "2 labels for 1 claims"),
        ('{"answer": "x", "seconds": "long"}', "no numbers"),
        ('{"answer": "\\ud800"}', "UTF-8"),
        ('{"answer": "x", "seconds": NaN}', "NaN"),
        ('{"response": 5}', "response that is not an object"),
        (
            '{"content": [{"type": "text", "text": "x", "citations": [{"type": "odd"}]}]}',
            "type 'odd'",
        ),
        (
            '{"text": "abc abc", "citations": [{"start": 9, "end": 9, "text": "abc",'
            ' "document_ids": []}]}',
            "does not stand at 9",
        ),
    ],
)
def test_a_malformed_line_is_told_and_the_others_go_on(
    tmp_path: Path, line: str, told: str
) -> None:
    """One error names the file, the line and what is wrong."""
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps(PLAIN)}\n\n{line}\n{json.dumps(NATIVE)}\n", encoding="utf-8")
    found = read_submissions(path)
    assert [one.shape for one in found.answers] == ["plain", "native"]
    (error,) = found.errors
    assert error.startswith(f"{path}, line 3 ") and told in error and "\n" not in error


def test_an_id_twice_is_told(tmp_path: Path) -> None:
    """Items are matched by id when audits are compared."""
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps({**PLAIN, 'id': 'x'})}\n" * 2, encoding="utf-8")
    found = read_submissions(path)
    assert len(found.answers) == 1 and "'x'" in found.errors[0]


@pytest.mark.parametrize("text", ["", "\n", "nonsense\n"])
def test_a_file_without_an_answer_is_refused(tmp_path: Path, text: str) -> None:
    """With the first of its errors."""
    path = tmp_path / "a.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no answer"):
        read_submissions(path)


def test_sources_may_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    """Every line may cite them; those of a line come first."""
    shared = tmp_path / "s.jsonl"
    shared.write_text(json.dumps({"id": "d1", "text": CATS}) + "\n", encoding="utf-8")
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(NATIVE) + "\n", encoding="utf-8")
    (one,) = audit(read_submissions(path, read_shared(shared)).answers, check)
    assert one.values["quotes verbatim"] == 1 / 2
    shared.write_text('{"text": "nameless"}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="line 1 names no source"):
        read_shared(shared)


def test_white_space_does_not_make_a_quote_another() -> None:
    """A line break in the source is a space in the quote; a letter that differs is found out."""
    from rag.evaluation.audit import _find

    assert _find("strangers. They", DOGS, (0, 0)) == (13, 28)
    assert _find("strangers. We", DOGS, (0, 0)) is None
    assert _find("  ", DOGS, (0, 0)) is None
    assert _find("a", "banana", (2, 3)) == (3, 4)


def test_sources_that_are_no_texts_are_refused() -> None:
    """A PDF as bytes has to come as pages."""
    with pytest.raises(MalformedAnswer, match="pages"):
        read_sources([{"type": "document", "source": {"type": "base64", "data": "JVBERi0="}}])


def test_floors_stand_beside_the_checker(tmp_path: Path) -> None:
    """What a judge would give that supports everything, and one that counts words; neither
    forgives a mark of no source."""
    line = {"id": "1", "answer": "Cats bark. [1] Cats sleep. [1]", "sources": ["Cats sleep."]}
    (item,) = audited(tmp_path / "a", line)
    assert item.values["citation recall [floor: always supported]"] == 1.0
    assert item.values["citation recall [floor: lexical overlap]"] == 0.5
    (wrong,) = audited(tmp_path / "b", {**line, "answer": "Cats sleep. [2]"})
    assert wrong.values["citation precision [floor: always supported]"] == 0.0


def test_a_refusal_contains_no_gold_answer(tmp_path: Path) -> None:
    """As of our own answers: it counts among the answers, and nothing is said of its citations."""
    line = {"id": "1", "answer": "I do not know about milk.", "sources": ["Cats drink milk."]}
    gold = {"abstained": True, "answers": ["milk"], "gold_sources": ["1"]}
    (item,) = audited(tmp_path / "a", {"response": line, **gold})
    assert item.values == {"gold contained": 0.0, "exact match": 0.0, "token F1": 0.0}
