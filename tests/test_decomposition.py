"""Which questions are several, and which only look like it."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.analysis import language as language_of
from rag.bridging import Bridge, bridge, bridging_name
from rag.decomposition import LONGEST, Shape, complex_at_all, decompose, plan

PARTS = [
    (
        "en",
        "What is BPE and how does attention work?",
        ("What is BPE?", "How does attention work (BPE)?"),
    ),
    (
        "en",
        "What is BPE and how does low-rank adaptation work?",
        ("What is BPE?", "How does low-rank adaptation work?"),
    ),
    ("en", "What is BPE? How does RLHF work?", ("What is BPE?", "How does RLHF work?")),
    ("en", "What is BPE and where is it used?", ("What is BPE?", "Where is it used (BPE)?")),
    ("en", "Please answer: 1. What is BPE? 2. Who made RLHF?", ("What is BPE?", "Who made RLHF?")),
    ("en", "(1) What is BPE? (2) Who made RLHF?", ("What is BPE?", "Who made RLHF?")),
    ("en", "What is BPE; how does RLHF work?", ("What is BPE?", "How does RLHF work?")),
    ("de", "Was ist BPE und wie funktioniert RLHF?", ("Was ist BPE?", "Wie funktioniert RLHF?")),
    ("ru", "Что такое BPE и как работает RLHF?", ("Что такое BPE?", "Как работает RLHF?")),
    ("hu", "Mi az a BPE és hogyan működik az RLHF?", ("Mi az a BPE?", "Hogyan működik az RLHF?")),
    ("zh", "BPE是什么，RLHF怎么工作？", ("BPE是什么？", "RLHF怎么工作？")),
    ("zh", "BPE是什么？RLHF怎么工作？", ("BPE是什么？", "RLHF怎么工作？")),
    (
        "zh",
        "GPT-3最大的版本有多少层,每层有多少个注意力头?",
        ("GPT-3最大的版本有多少层？", "每层有多少个注意力头 (GPT-3)？"),
    ),
]
COMPARISONS = [
    ("en", "What is the difference between BPE and WordPiece?", ("BPE", "WordPiece")),
    ("en", "How does RAG differ from fine-tuning?", ("RAG", "fine-tuning")),
    ("en", "Compare BERT with GPT-2", ("BERT", "GPT-2")),
    ("en", "BERT vs. GPT-2", ("BERT", "GPT-2")),
    ("de", "Was ist der Unterschied zwischen BERT und GPT-2?", ("BERT", "GPT-2")),
    ("de", "Worin unterscheidet sich BERT von GPT-2?", ("BERT", "GPT-2")),
    ("ru", "Чем отличается BERT от GPT-2?", ("BERT", "GPT-2")),
    ("ru", "В чём разница между BERT и GPT-2?", ("BERT", "GPT-2")),
    ("hu", "Mi a különbség a BERT és a GPT-2 között?", ("a BERT", "a GPT-2")),
    ("zh", "BERT和GPT-2有什么区别？", ("BERT", "GPT-2")),
    ("zh", "比较BERT与GPT-2", ("BERT", "GPT-2")),
]
SIMPLE = [
    ("en", "How much is spent on research and development?"),
    ("en", "What drives supply and demand?"),
    ("en", "Is it a cat or a dog?"),
    ("en", "Is it a cat? Or a dog?"),
    ("en", "When and where was Luther born?"),
    ("en", "Who discovered radium and when?"),
    ("en", "What is a city that is in France and which was founded by Romans?"),
    ("en", "What did he say about how it works and why it fails?"),
    ("en", "What is the difference between supply and demand and price?"),
    ("en", "What is the difference between 7 and 3?"),
    ("en", "Who came in 1. and who in 2. place?"),
    ("en", "Really?? What is BPE?"),
    ("en", "What is version 2.1?"),
    ("de", "Wann und wo wurde Luther geboren?"),
    ("ru", "Когда и где родился Лютер?"),
    ("ru", "Сколько стоит и сколько дней занимает предварительное обучение?"),
    ("hu", "Mikor és hol született Luther?"),
    ("zh", "什么时候和在哪里出生？"),
    ("zh", "当水加热时，会发生什么？"),
    ("es", "¿Qué es X? ¿Qué es Y?"),
]


@pytest.mark.parametrize(("language", "question", "parts"), PARTS)
def test_several_questions_are_taken_apart(
    language: str, question: str, parts: tuple[str, ...]
) -> None:
    """Each part stands alone: what it takes from the first comes along."""
    assert decompose(question, language) == parts
    assert plan(question, language).shape is Shape.PARTS


@pytest.mark.parametrize(("language", "question", "entities"), COMPARISONS)
def test_a_comparison_asks_about_each_side(
    language: str, question: str, entities: tuple[str, ...]
) -> None:
    """Two things, each with a question of its own."""
    found = plan(question, language)
    assert (found.shape, found.entities) == (Shape.COMPARISON, entities)
    assert all(entity in part for entity, part in zip(entities, found.parts, strict=True))


@pytest.mark.parametrize(("language", "question"), SIMPLE)
def test_what_only_looks_like_several_is_left_whole(language: str, question: str) -> None:
    """Joined nouns, alternatives, coordinated question words and relative clauses are one."""
    assert decompose(question, language) == (question,)


@given(st.text(max_size=200), st.sampled_from(["en", "zh", "ru", "hu", "de", "fr", ""]))
def test_a_question_without_marks_is_itself(question: str, language: str) -> None:
    """What the quick look finds simple is never changed; what is taken apart has parts."""
    parts = decompose(question, language)
    assert parts and (len(parts) > 1 or parts == (question,))
    if not complex_at_all(question):
        assert parts == (question,)


@given(
    st.lists(
        st.sampled_from(
            ["what", "is", "and", "how", "does", "it", "?", ";", ",", "a", "b", "1.", "2.", "vs"]
        ),
        max_size=30,
    )
)
def test_nothing_is_lost_between_the_parts(words: list[str]) -> None:
    """Every letter of the question that is in no part is a number or a word that joins."""
    question = " ".join(words)
    parts = decompose(question, "en")
    if plan(question, "en").shape is Shape.PARTS:
        kept = " ".join(parts).casefold()
        assert all(
            word in kept for word in words if word.isalpha() and word not in ("and", "a", "b")
        )


def test_a_very_long_question_is_not_looked_at() -> None:
    """Where the patterns could take their time they are not used."""
    question = "how do " + "a and " * LONGEST + "b differ?"
    started = time.perf_counter()
    assert decompose(question, "en") == (question,) and bridge(question, "en") is None
    shorter = "how do " + "a and " * 150 + "b differ?"
    assert decompose(shorter, "en") == (shorter,)
    assert time.perf_counter() - started < 1


BRIDGES = [
    (
        "en",
        "Who directed the film that won the Golden Bear?",
        Bridge("Which film won the Golden Bear?", "Who directed ", "?"),
    ),
    (
        "en",
        "What is the capital of the country that hosted the Olympics of 1936?",
        Bridge("Which country hosted the Olympics of 1936?", "What is the capital of ", "?"),
    ),
    (
        "de",
        "Wer leitete die Firma, die den ersten Transistor baute?",
        Bridge("die Firma, die den ersten Transistor baute?", "Wer leitete ", "?"),
    ),
    (
        "ru",
        "Кто основал компанию, которая создала AlphaGo?",
        Bridge("компанию, которая создала AlphaGo?", "Кто основал ", "?"),
    ),
    (
        "hu",
        "Ki alapította a céget, amely az AlphaGo programot írta?",
        Bridge("a céget, amely az AlphaGo programot írta?", "Ki alapította ", "?"),
    ),
    ("zh", "获得金熊奖的电影的导演是谁？", Bridge("哪个电影获得金熊奖？", "", "的导演是谁？")),
]


@pytest.mark.parametrize(("language", "question", "expected"), BRIDGES)
def test_a_description_is_found_first(language: str, question: str, expected: Bridge) -> None:
    """The inner question, and what the name found is put into."""
    assert bridge(question, language) == expected


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What is the name of the law that banned slavery?"),
        ("en", "Who was the king that signed the treaty?"),
        ("en", "How much time was left when the Broncos made the catch that won the game?"),
        ("en", "Who directed the film?"),
        ("de", "Wie heißt die Skala, die zur Messung von Hurrikanen verwendet wird?"),
        ("ru", "Как фамилия игрока, который забрал мяч?"),
        ("ru", "Кто был первым доктором, который путешествовал с парой?"),
        ("zh", "谁导演了这部电影？"),
    ],
)
def test_what_describes_its_own_answer_has_one_step(language: str, question: str) -> None:
    """A name asked for by its description needs no other name first."""
    assert bridge(question, language) is None


def test_the_name_in_between_has_to_be_the_only_one() -> None:
    """Names that the question has do not count; two new ones are one too many."""
    question = "Who directed the film that won the Golden Bear?"
    bridged = bridge(question, "en")
    assert bridged is not None
    found = bridging_name(bridged, "In 1990 the Golden Bear went to Music Box.", question, "en")
    assert bridged.outer(found) == "Who directed Music Box?"
    both = "The Golden Bear went to Music Box and to Larks on a String."
    assert bridging_name(bridged, both, question, "en") == ""


@pytest.mark.data
@pytest.mark.parametrize("language", ["en", "zh", "ru", "de"])
def test_real_questions_are_left_whole(data: Path, language: str) -> None:
    """Of XQuAD's questions none is taken apart (all have been read), and it takes microseconds."""
    articles = json.loads((data / f"xquad/xquad.{language}.json").read_text("utf-8"))["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    questions = [qa["question"] for paragraph in paragraphs for qa in paragraph["qas"]]
    assert [q for q in questions if decompose(q, language) != (q,)] == []
    assert sum(bridge(q, language) is not None for q in questions) <= 0.01 * len(questions)


@pytest.mark.data
def test_of_the_seeds_only_the_double_question_is_taken_apart(data: Path) -> None:
    """The one that asks for layers and for heads."""
    lines = (data / "seeds/questions.jsonl").read_text("utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    taken = [q for q in questions if len(decompose(q, language_of(q))) > 1]
    assert taken == ["GPT-3最大的版本有多少层,每层有多少个注意力头?"]
