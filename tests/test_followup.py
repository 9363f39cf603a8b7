"""Follow-up questions: which are some, and what they become without a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.followup import Kind, Turn, kind_of, resolve, spoken, standalone

EN = Turn("How many parameters does GPT-3 have?", "GPT-3 has 175 billion parameters [1].")
LANGUAGE = Turn("How is text tokenized in English?")
WHO = Turn("Who designed the library's reading room?", "It was designed by Elena Markova [1].")
ENCODER = Turn("How does the encoder work?")
ZH = Turn("GPT-3有多少参数?", "1750亿。[1]")
ZH_WHAT = Turn("什么是注意力机制?")
RU = Turn("Сколько параметров у GPT-3?", "175 млрд [1].")
HU = Turn("Mi az a vegyes pontosságú tanítás?")
DE = Turn("Wie viele Parameter hat GPT-3?", "175 Milliarden [1].")

GOLDEN = [
    # a fragment takes the place of what it answers to
    (LANGUAGE, "And in Hungarian?", Kind.FRAGMENT, "How is text tokenized in Hungarian?"),
    (LANGUAGE, "What about Chinese?", Kind.FRAGMENT, "How is text tokenized in Chinese?"),
    (EN, "And GPT-2?", Kind.FRAGMENT, "How many parameters does GPT-2 have?"),
    (ENCODER, "What about the decoder?", Kind.FRAGMENT, "How does the decoder work?"),
    (ZH, "那GPT-2呢?", Kind.FRAGMENT, "GPT-2有多少参数？"),
    (ZH_WHAT, "前馈层呢?", Kind.FRAGMENT, "什么是前馈层？"),
    (RU, "А у GPT-2?", Kind.FRAGMENT, "Сколько параметров у GPT-2?"),
    (RU, "Как насчёт GPT-4?", Kind.FRAGMENT, "Сколько параметров у GPT-4?"),
    (HU, "És a kvantálás?", Kind.FRAGMENT, "Mi az a kvantálás?"),
    (DE, "Was ist mit GPT-2?", Kind.FRAGMENT, "Wie viele Parameter hat GPT-2?"),
    # a name takes the place of a pronoun where words do not inflect
    (EN, "How many layers does it have?", Kind.PRONOUN, "How many layers does GPT-3 have?"),
    (EN, "What is its context length?", Kind.PRONOUN, "What is GPT-3’s context length?"),
    (WHO, "When was she born?", Kind.PRONOUN, "When was Elena Markova born?"),
    (ZH, "它的参数量是多少?", Kind.PRONOUN, "GPT-3的参数量是多少?"),
    (ZH, "谁发明了它?", Kind.PRONOUN, "谁发明了GPT-3?"),
    (DE, "Wann wurde es veröffentlicht?", Kind.PRONOUN, "Wann wurde GPT-3 veröffentlicht?"),
    # else what was spoken of is added
    (LANGUAGE, "How does it work?", Kind.PRONOUN, "How does it work (text tokenized English)?"),
    (RU, "А сколько у неё слоёв?", Kind.PRONOUN, "Сколько у неё слоёв (GPT-3)?"),
    (HU, "És mennyi ideig tart?", Kind.BARE, "Mennyi ideig tart (vegyes pontosságú tanítás)?"),
    (HU, "Hány rétege van?", Kind.PRONOUN, "Hány rétege van (vegyes pontosságú tanítás)?"),
    (DE, "Und wie viele?", Kind.BARE, "Wie viele (Parameter GPT-3)?"),
    (EN, "Why?", Kind.BARE, "Why (parameters GPT-3)?"),
    (EN, "How many of them?", Kind.BARE, "How many of them (parameters GPT-3)?"),
    (EN, "Tell me more.", Kind.BARE, "Tell me more (parameters GPT-3)?"),
    (ZH, "为什么?", Kind.BARE, "为什么 (GPT-3 参数)？"),
    (ZH, "还有呢?", Kind.BARE, "还有呢 (GPT-3 参数)？"),
    (RU, "Почему?", Kind.BARE, "Почему (параметров GPT-3)?"),
    (DE, "Und warum?", Kind.BARE, "Warum (Parameter GPT-3)?"),
]
STANDALONE = [
    ("en", "What is a neural network?"),
    ("en", "Is it possible to train a model on a CPU?"),
    ("en", "How long does it take to train GPT-3?"),
    ("en", "What is it called when there is an attempt to overthrow a government?"),
    ("en", "Who was the first president, and when did he die?"),
    ("en", "Which company sold its shares in 1999?"),
    ("en", "What do bees do with their honey?"),
    ("en", "How many people were there?"),
    ("en", "What happens to water when you heat it?"),
    ("de", "Wie viele Menschen gibt es auf der Erde?"),
    ("de", "Ist es möglich, ein Modell ohne GPU zu trainieren?"),
    ("de", "Welche Firma verkaufte ihre Aktien im Jahr 1999?"),
    ("ru", "Что такое токен?"),
    ("ru", "В этом году какой был курс рубля?"),
    ("ru", "А сколько слоёв у модели BERT?"),
    ("hu", "Hány SAE-t építettek a kutatók?"),
    ("hu", "Ki nyerte az 1998-as labdarúgó-világbajnokságot?"),
    ("zh", "那不勒斯在哪里?"),
    ("zh", "为什么路德和他的支持者被驱逐?"),
    ("zh", "与其他学校相比，从前采用C模式学校的学费如何?"),
    ("es", "¿Por qué?"),
]


@pytest.mark.parametrize(("before", "question", "kind", "query"), GOLDEN)
def test_a_follow_up_is_completed(before: Turn, question: str, kind: Kind, query: str) -> None:
    """Recognised for what it is, and made a question that stands alone."""
    language = spoken(question, [before])
    assert kind_of(question, language) is kind
    assert resolve(question, language, before) == query


@pytest.mark.parametrize(("language", "question"), STANDALONE)
def test_a_question_that_stands_alone_is_left_alone(language: str, question: str) -> None:
    """A pronoun with something to stand for, or for nothing, makes no follow-up."""
    assert kind_of(question, language) is Kind.STANDALONE
    assert resolve(question, language, EN) == question


def test_follow_ups_are_completed_one_after_the_other() -> None:
    """The third question still knows what the first was about."""
    turns = standalone([EN, Turn("And GPT-2?"), Turn("How many layers does it have?")])
    assert [turn.question for turn in turns[1:]] == [
        "How many parameters does GPT-2 have?",
        "How many layers does GPT-2 have?",
    ]


def test_the_language_of_a_short_question_is_that_of_the_talk() -> None:
    """Two words say little: "GPT-2 too?" is German after a German question."""
    assert spoken("GPT-2 auch?", [DE]) == "de"
    assert spoken("And in Hungarian?", [LANGUAGE]) == "en"
    assert spoken("Почему?", [EN]) == "ru"


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_survived(question: str, earlier: str, answer: str) -> None:
    """No text makes the rules fail, and the completed question keeps what was asked."""
    for language in ("en", "zh", "ru", "hu", "de", "und"):
        found = resolve(question, language, Turn(earlier, answer))
        assert found == question or kind_of(question, language) is not Kind.STANDALONE
