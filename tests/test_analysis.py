"""Terms, numbers, languages and sentences."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.analysis import language, numbers, terms
from rag.lexical import UNKNOWN, LexicalIndex, encode_terms
from rag.sentences import MAX_LENGTH, sentences

TEXTS = st.text(
    st.one_of(
        st.sampled_from(list("ab.。!?:;,“”«»「」()[]12 \n\t\u2028-–—'\"😀字かกिё\u0301")),
        st.characters(),
    ),
    max_size=900,
)


def split(text: str, code: str = "en") -> list[str]:
    return [text[start:end] for start, end in sentences(text, code)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Transformers", ["trans"]),
        ("TRANSFORMER models", ["trans", "model"]),
        ("Straße", ["stras"]),
        ("don't l'eau", ["don", "t", "l", "eau"]),
        ("one-hot word2vec 1990s", ["one", "hot", "word", "2", "vec", "1990", "s"]),
        ("Ёлка, ёж и йод", ["елка", "еж", "и", "йод"]),
        ("Hogyan működik", ["hogya", "mukod"]),
        ("Cafe\u0301 café", ["cafe", "cafe"]),
        ("không", ["khong"]),
        ("tiếng", ["tiếng"]),
        ("الكتاب والكتاب كتاب", ["كتاب", "كتاب", "كتاب"]),
        ("नमस्ते", ["नमस्त"]),
        ("大语言模型", ["大语", "语言", "言模", "模型"]),
        ("猫", ["猫"]),
        ("GPT-3的最大版本", ["gpt", "3", "的最", "最大", "大版", "版本"]),
        ("カタカナ ﾊﾝｶｸ", ["カタ", "タカ", "カナ", "ハン", "ンカ", "カク"]),
        ("언어 모델", ["언어", "모델"]),
        ("ภาษาไทย", ["ภาษ", "าษา", "ษาไ", "าไท", "ไทย"]),
        ("a_b", ["a", "b"]),
        ("😀 — …", []),
        ("", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    """Words are cut, unspaced scripts paired, marks and accents put away."""
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,600 1600 1.600 1'600 1’600", {"1600"}),
        ("1 600", {"1600"}),
        ("1\u00a0600 1\u202f600", {"1600"}),
        ("12 345 678", {"12345678"}),
        ("1６００ ١٦٠٠ १६००", {"1600"}),
        ("1,600.5 and 1.600,5", {"1600.5"}),
        ("3.14 or 3,14", {"3.14"}),
        ("0.125", {"0.125"}),
        ("100 200 300 45", {"100", "200", "300", "45"}),
        ("12.05.2020", {"12", "05", "2020"}),
        ("GPT-4, GPT4 and v1.2.3", {"4", "1", "2", "3"}),
        ("参数有1,600个", {"1600"}),
        ("none", set()),
    ],
)
def test_numbers(text: str, expected: set[str]) -> None:
    """A number is the same number however its digits are written and grouped."""
    assert numbers(text) == expected


@pytest.mark.slow
@given(TEXTS)
def test_terms_of_any_text(text: str) -> None:
    """No text breaks the analyser, no term is empty or holds white space, numbers are terms."""
    found = terms(text)
    assert all(term and not any(map(str.isspace, term)) for term in found)
    assert numbers(text) <= set(found)


@pytest.mark.slow
@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Zs"])))
def test_terms_of_analysed_text(text: str) -> None:
    """Terms hang on words only: what stands between them makes no difference."""
    assert terms(text + " .") == terms(f"({text} …")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Что такое one-hot encoding?", "ru"),
        ("Сколько параметров у GPT-4?", "ru"),
        ("Як справи?", "uk"),
        ("Mi az a SAE?", "hu"),
        ("Mi a transformer?", "hu"),
        ("Why?", "en"),
        ("What does 注意力 mean?", "en"),
        ("Transformer 是什么?", "zh"),
        ("什么是 Low Rank Adaptation?", "zh"),
        ("我係香港人", "zh"),
        ("どうやって動作しますか", "ja"),
        ("GPT는 무엇입니까?", "ko"),
        ("¿Qué es un transformer?", "es"),
        ("Was ist Aufmerksamkeit?", "de"),
        ("สวัสดี", "th"),
        ("Τι είναι;", "el"),
        ("מה זה?", "he"),
        ("12345 67?", "und"),
        ("GPT-3", "und"),
        ("", "und"),
    ],
)
def test_language(text: str, code: str) -> None:
    """Short questions are told apart, foreign terms in them notwithstanding."""
    assert language(text) == code


@given(TEXTS)
def test_language_of_any_text(text: str) -> None:
    """Every text has a code of two letters, or is undetermined."""
    code = language(text)
    assert code == "und" or (len(code) == 2 and code.isalpha() and code.islower())


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("It was so.[1] Next [2]. Then.[3][4] End", "en", 4),
        ("He said “Yes.” Then he left.", "en", ["He said “Yes.”", "Then he left."]),
        ("Dr. Smith came. He left.", "en", ["Dr. Smith came.", "He left."]),
        ("1. First one. 2. Second.", "en", ["1. First one.", "2. Second."]),
        ("他说:“好。”然后走了。[1]下一句。", "zh", ["他说:“好。”", "然后走了。[1]", "下一句。"]),
        ("Так и т. д. в 1990 г. было. Вот.", "ru", ["Так и т. д. в 1990 г. было.", "Вот."]),
        ("A 3. rész jön. Vége.", "hu", ["A 3. rész jön.", "Vége."]),
        ("one line\nanother line\r\n\n  third  ", "en", ["one line", "another line", "third"]),
        ("def f():\n    return 1.5\n", "en", ["def f():", "return 1.5"]),
        ("😀 Hi there. 😀 Yes!", "en", ["😀 Hi there.", "😀 Yes!"]),
        ("  \n ", "en", []),
    ],
)
def test_sentences(text: str, code: str, expected: list[str] | int) -> None:
    """Sentences keep their quotes, markers and labels; a line break ends them."""
    found = split(text, code)
    assert found == expected if isinstance(expected, list) else len(found) == expected


def test_long_sentences_are_cut_at_clauses() -> None:
    """What is too long is cut after a comma, else at a space, else anywhere."""
    clauses = ("a clause of some length, " * 30).strip()
    assert all(part.endswith(",") for part in split(clauses))
    assert all(len(part) == MAX_LENGTH for part in split("字" * (3 * MAX_LENGTH)))
    words = "word " * 200
    assert set(" ".join(split(words)).split()) == {"word"}


@given(TEXTS, st.sampled_from(["en", "zh", "ru", "hu", "und", ""]))
def test_sentences_cover_the_text(text: str, code: str) -> None:
    """Spans are in order, trimmed and short, and leave out nothing but white space."""
    before = 0
    for start, end in sentences(text, code):
        assert before <= start < end <= start + MAX_LENGTH
        assert not text[before:start].strip()
        assert text[start:end] == text[start:end].strip()
        before = end
    assert not text[before:].strip()


@pytest.mark.slow
def test_sentences_of_one_long_line() -> None:
    """Time grows with the length of a line, not with its square."""
    started = time.perf_counter()
    assert len(sentences("An ordinary sentence. " * 10_000)) == 10_000
    assert len(sentences("字" * 200_000, "zh")) > 600
    assert time.perf_counter() - started < 5


def recall(path: Path) -> float:
    """Return how often BM25 ranks the paragraph of a question first."""
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    vocabulary: dict[str, int] = {}
    index = LexicalIndex.build(
        [
            encode_terms(
                (vocabulary.setdefault(term, len(vocabulary)), count)
                for term, count in Counter(terms(paragraph["context"])).items()
            )
            for paragraph in paragraphs
        ]
    )
    asked = [(row, qa["question"]) for row, p in enumerate(paragraphs) for qa in p["qas"]]
    found = [
        index.search([vocabulary.get(term, UNKNOWN) for term in terms(question)], 1)[1]
        for _, question in asked
    ]
    right = [row in hits for (row, _), hits in zip(asked, found, strict=True)]
    return sum(right) / len(right)


@pytest.mark.data
@pytest.mark.parametrize(
    ("code", "floor"), [("en", 0.92), ("zh", 0.91), ("ru", 0.89), ("de", 0.87), ("th", 0.91)]
)
def test_recall_on_xquad(data: Path, code: str, floor: float) -> None:
    """Terms find XQuAD's paragraphs as often as docs/decisions/0006-lexical.md says."""
    assert recall(data / "xquad" / f"xquad.{code}.json") >= floor
