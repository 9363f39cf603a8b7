"""Definitions, headings and amounts made into questions: by hand, in five languages."""

import re
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.evaluation.amounts import amounts
from rag.evaluation.asking import LANGUAGES, definitions, forms, headings
from rag.evaluation.near_misses import NearMisses


@pytest.mark.parametrize(
    ("lang", "sentence", "asked"),
    [
        ("en", "A tokenizer is a program that cuts text.", "What is a tokenizer?"),
        ("en", "Citation recall is the share of claims.", "What is citation recall?"),
        ("en", "The middlewares are a layer around it.", "What are the middlewares?"),
        ("en", "BM25 (Best Match) is a ranking function.", "What is BM25?"),
        ("de", "Ein Vektor ist eine Liste von Zahlen.", "Was ist ein Vektor?"),
        ("de", "Tokenisierung ist die Zerlegung von Text.", "Was ist Tokenisierung?"),
        ("ru", "Доменная печь — это печь для чугуна.", "Что такое доменная печь?"),
        ("ru", "Шихта — смесь руды и кокса.", "Что такое шихта?"),
        ("ru", "Faiss — библиотека для поиска.", "Что такое Faiss?"),
        ("hu", "A hordó egy nagy faedény.", "Mi az a hordó?"),
        ("hu", "Az aszú olyan bor, amely édes.", "Mi az az aszú?"),
        ("zh", "乌龙茶是一种半发酵的茶叶。", "什么是乌龙茶？"),
        ("zh", "悬索桥指的是以悬索为主的桥梁。", "什么是悬索桥？"),
    ],
)
def test_definitions_by_hand(lang: str, sentence: str, asked: str) -> None:
    """What a sentence defines is asked for, written as inside a sentence."""
    (found,) = definitions(sentence, lang, f"{sentence} So citation recall ends.")
    assert found.question == asked and found.term in asked and found.answer == ""


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("en", "It is a program that cuts text."),
        ("en", "The idea is a simple one that works."),
        ("en", "What you see is a table of numbers."),
        ("de", "Das ist eine Liste von Zahlen."),
        ("ru", "Это — смесь руды и кокса."),
        ("ru", "Он решил — это правда."),
        ("hu", "Ez egy nagy faedény."),
        ("hu", "Ebből egy modell tanulta meg az ízlést."),
        ("hu", "A kísérletében egy modellt vizsgált."),
        ("zh", "这是一种半发酵的茶叶。"),
        ("zh", "它们是一个整体的部件。"),
        ("zh", "判断两段话是否相关有两种办法。"),
    ],
)
def test_what_defines_nothing(lang: str, sentence: str) -> None:
    """A sentence that points at another, or has another case or conjunction, gives no question."""
    assert not list(definitions(sentence, lang, sentence))


@pytest.mark.parametrize(
    ("lang", "title", "section", "asked"),
    [
        ("en", "What is a token?", "", "What is a token?"),
        ("en", "What can go wrong", "", "What can go wrong?"),
        ("en", "How the files were made", "", "How were the files made?"),
        ("en", "How tokenizers work", "", "How do tokenizers work?"),
        ("en", "How to install it", "", "What is said about “How to install it”?"),
        ("en", "How to install Python", "", "How do you install Python?"),
        ("en", "Create a database", "", "How do you create a database?"),
        ("en", "Path parameters", "You declare the path parameters.", "What are path parameters?"),
        ("en", "Cutting documents", "", "What is said about cutting documents?"),
        ("en", "Notes: the rest", "", "What is said about “Notes: the rest”?"),
        ("de", "Python installieren", "", "Wie kann man Python installieren?"),
        (
            "de",
            "Der Vektorraum",
            "Dazu dient der Vektorraum.",
            "Was wird über „Der Vektorraum“ gesagt?",
        ),
        (
            "de",
            "Lokale Suche",
            "Eine lokale Suche ist schnell.",
            "Was versteht man unter Lokale Suche?",
        ),
        ("ru", "Как работает печь", "", "Как работает печь?"),
        ("ru", "Температура воды", "", "Что сказано в разделе «Температура воды»?"),
        ("ru", "Механизм внимания", "О механизме внимания.", "Что такое механизм внимания?"),
        ("hu", "Hogyan épült a híd", "", "Hogyan épült a híd?"),
        ("hu", "Szabadság híd", "A Szabadság híd szép.", "Mi az a Szabadság híd?"),
        ("hu", "A híd", "", "Mit ír a szöveg erről: „A híd”?"),
        ("zh", "如何保存茶叶", "", "如何保存茶叶？"),
        ("zh", "数据会用完吗", "", "数据会用完吗？"),
        ("zh", "茶马古道", "茶马古道很长。", "什么是茶马古道？"),
        ("zh", "冲泡方法", "", "关于“冲泡方法”，文中说了什么？"),
    ],
)
def test_headings_by_hand(lang: str, title: str, section: str, asked: str) -> None:
    """A heading is asked as it asks, for how it is done, for what it is; else what is said of it,
    which is marked as no natural question."""
    (found,) = headings(title, lang, section)
    assert found.question == asked
    fallback = forms(lang).heading.split("{}")[0]
    assert found.natural is not asked.startswith((fallback, "What is said about"))


@pytest.mark.parametrize(
    ("lang", "sentence", "asked", "answer"),
    [
        ("en", "In 1994, it was shown.", "", ""),
        (
            "en",
            "The method was shown at TREC in 1994.",
            "In which year was the method shown at TREC?",
            "1994",
        ),
        (
            "en",
            "The jar has 12 handles made by Maier.",
            "How many handles made by Maier does the jar have?",
            "12",
        ),
        ("en", "The dog has about 42 teeth.", "How many teeth does the dog have?", "42"),
        ("en", "About 40 people wrote the answers.", "How many people wrote the answers?", "40"),
        (
            "de",
            "Im Jahr 1972 wurde die Formel gedruckt.",
            "In welchem Jahr wurde die Formel gedruckt?",
            "1972",
        ),
        ("de", "Etwa 40 Leute schrieben mit.", "Wie viele Leute schrieben mit?", "40"),
        (
            "ru",
            "В 2022 году Адам Калаи описал ошибки.",
            "В каком году Адам Калаи описал ошибки?",
            "2022",
        ),
        ("ru", "В июне 2024 года журнал вышел снова.", "Когда журнал вышел снова?", "2024"),
        ("ru", "Печь выплавляет 500 тонн чугуна.", "Сколько тонн чугуна печь выплавляет?", "500"),
        ("ru", "Чай заваривают водой с температурой 80 градусов.", "", ""),
        ("hu", "A hidat 1849-ben adták át.", "A hidat melyik évben adták át?", "1849"),
        ("hu", "Az építés 4 évig tartott.", "Az építés hány évig tartott?", "4"),
        ("hu", "A kutatók 2022 májusában írták le.", "A kutatók mikor írták le?", "2022"),
        ("zh", "绿茶的水温应为80摄氏度。", "绿茶的水温应为多少摄氏度？", "80"),
        ("zh", "赵州桥于1999年被列入名录。", "赵州桥于哪一年被列入名录？", "1999"),
        ("zh", "成功的概率只有36%。", "成功的概率只有百分之几？", "36%"),
        ("zh", "消息采用JSON-RPC 2.0格式。", "", ""),
    ],
)
def test_amounts_by_hand(lang: str, sentence: str, asked: str, answer: str) -> None:
    """The one amount or year of a sentence is asked for where no verb has to change."""
    found = [(one.question, one.answer) for one in amounts(sentence, lang)]
    assert found == ([(asked, answer)] if asked else [])


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("en", "This dog has 42 teeth."),
        ("en", "The dog has 42 teeth and the cat has 30 teeth."),
        ("ru", "Эта печь выплавляет 500 тонн чугуна."),
        ("hu", "Ez 4 évig tartott a cégnél."),
        ("zh", "这条道路全长4000公里。"),
    ],
)
def test_amounts_that_nobody_would_know(lang: str, sentence: str) -> None:
    """A sentence that points back, or has two numbers, gives none."""
    assert not list(amounts(sentence, lang))


@given(st.text(max_size=80), st.sampled_from(LANGUAGES))
@example("\u300c", "en")
@example("\u201c\u201d", "de")
def test_any_text_is_survived(text: str, lang: str) -> None:
    """Whatever stands in a document, there is at most one question, and an answer stands in it."""
    plain = " ".join(text.split())
    if plain.strip(" .:。："):
        assert len(list(headings(plain, lang, text))) == 1
    assert len(list(definitions(plain, lang, text))) <= 1
    for found in amounts(plain, lang):
        assert found.answer.rstrip("%") in plain


TEXTS = ["The tokenizer of FastAPI was written in Budapest.", "Печь построил Виниус в Туле."]


@pytest.mark.parametrize(
    ("lang", "question", "term", "pattern"),
    [
        ("en", "How do you install FastAPI?", "", r"How do you install (\w+)\?"),
        (
            "en",
            "In which year was it written in Budapest?",
            "",
            r"In which .* written in ([\w ]+)\?",
        ),
        ("en", "When did you meet Karen Jones?", "", r"When did you meet (\w+ \w+)\?"),
        ("en", "What is an encoder?", "encoder", r"What is an? (\w+)\?"),
        ("ru", "Что такое шихта?", "шихта", r"Что такое (\w+)\?"),
        ("hu", "Mi az az aszú?", "aszú", r"Mi az az? (\w+)\?"),
        ("zh", "什么是乌龙茶？", "乌龙茶", r"什么是(\w+)？"),
    ],
)
def test_near_misses_ask_for_what_is_nowhere(
    lang: str, question: str, term: str, pattern: str
) -> None:
    """A name or term is replaced by one of its kind; all else stays, articles fit."""
    maker = NearMisses(TEXTS)
    (miss,) = maker.of(question, term, lang, Random(1))
    match = re.fullmatch(pattern, miss.question)
    assert match is not None and match[1] == miss.new and miss.old in question
    assert maker.absent(miss.new) and not re.search(
        r"\ba [aeiou]|\ban [^aeiouAEIOU]", miss.question
    )


def test_what_is_there_in_another_form_is_not_absent() -> None:
    """Inflected or as part of a longer word, in any case of letters, it is there."""
    maker = NearMisses(["Мы были в Осло и видели кимоно.", "The firewalls of POSTGRESQL."])
    for present in ("firewall", "PostgreSQL", "Осло", "Firewall blockchain"):
        assert not maker.absent(present)
    assert maker.absent("blockchain") and maker.absent("метро")


def test_near_misses_take_turns() -> None:
    """No word is taken again while another has not been; where all are there, there is no miss."""
    words = forms("en").things
    maker = NearMisses(TEXTS)
    drawn = Random(3)
    new = [m.new for _ in words for m in maker.of("What is a vector?", "vector", "en", drawn)]
    assert sorted(new) == sorted(words)
    assert not list(NearMisses([" ".join(words)]).of("What is a vector?", "vector", "en", drawn))
