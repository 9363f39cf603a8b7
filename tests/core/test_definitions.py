"""Which name a question wants explained, and which sentences explain it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.definitions import asked_name, explains, heads_row, takes_for_known


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What is BPE?", "BPE"),
        ("What does `__slots__` mean?", "__slots__"),
        ("What's an attention head?", "attention head"),
        ("what are Sparse Autoencoders", "Sparse Autoencoders"),
        ("What does MRR stand for?", "MRR"),
        ("What does 'detached HEAD' mean?", "detached HEAD"),
        ("Was ist ein Token?", "Token"),
        ("Was versteht man unter Quantisierung?", "Quantisierung"),
        ("Что такое токен?", "токен"),
        ("Что означает RLHF?", "RLHF"),
        ("Mi az a SAE?", "SAE"),
        ("Mit jelent az Essential mező?", "Essential mező"),
        ("什么是 conffile\uff1f", "conffile"),
        ("注意力头是什么\uff1f", "注意力头"),
    ],
)
def test_the_name_that_is_asked_for(question: str, name: str) -> None:
    """Without article, quotation marks and marks of the end."""
    assert asked_name(question) == name


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Hungary?",
        "What is the difference between a token and a word?",
        "What happens on a conflict?",
        "What is it?",
        "Что это?",
        "Что такое это?",
        "Who is Ada?",
        "Was ist in der Box?",
        "Что делает токенизатор?",
        "HNSW算法是什么时候提出来的\uff1f",
        "GPT-3的参数是什么\uff1f",
        "",
        "?",
    ],
)
def test_questions_that_want_something_else(question: str) -> None:
    """What describes a thing is no name of it."""
    assert asked_name(question) == ""


@pytest.mark.parametrize(
    ("question", "known"),
    [
        ("What is the price?", True),
        ("Was ist der Preis?", True),
        ("Mi az ár?", True),
        ("What is a price?", False),
        ("What is BPE?", False),
        ("Mi az a SAE?", False),
        ("什么是嵌入\uff1f", False),
    ],
)
def test_what_a_question_takes_for_known(question: str, known: bool) -> None:
    """By its article; what is asked of it may stand under another name."""
    assert takes_for_known(question) is known


@pytest.mark.parametrize(
    ("sentence", "before", "name"),
    [
        ("A token is a piece of text.", "", "token"),
        ("A *token* is a piece of text.", "", "token"),
        ("Names of attributes.", "__slots__\n", "__slots__"),
        ("Tokens are pieces of text.", "", "token"),
        ("`BPE` (byte-pair encoding) refers to merging pairs.", "", "BPE"),
        ("Ein Token ist ein Stück Text.", "", "Token"),
        ("Токен — это кусок текста.", "", "токен"),
        ("Токен называют так с тех пор.", "", "токен"),
        ("A token egy szövegdarab.", "", "token"),
        ("词元是一段文本。", "", "词元"),
        ("RLHF\uff08基于人类反馈的强化学习\uff09是一种方法。", "", "RLHF"),
        ("BPE: merges the most frequent pair.", "", "BPE"),
        ("Most descend from byte-pair encoding (BPE).", "", "BPE"),
        ("Ez a ritka önkódoló (angolul sparse autoencoder, SAE).", "", "SAE"),
        ("字节对编码\uff08BPE\uff09很常用。", "", "BPE"),
        ("Stores the working files.", "Glossary\n\nindex\n\n", "index"),
        ("Stores the working files.", "## Index\n", "index"),
        ("Stores the working files.", "- **index**: ", "index"),
        ("Stores the working files.", "## What is the index?\n\n", "index"),
    ],
)
def test_sentences_that_explain(sentence: str, before: str, name: str) -> None:
    """They begin with the name and say what it is, or stand below the name alone."""
    assert explains(sentence, before, name)


@pytest.mark.parametrize(
    ("sentence", "before", "name"),
    [
        ("The tokenizer is slow.", "", "token"),
        ("Token limits are small.", "", "token"),
        ("Each token is counted.", "", "token"),
        ("token", "", "token"),
        ("Anything.", "", "+"),
        ("Anything (at all) is possible.", "", "**"),
        ("Anything.", "Why?\n", "index"),
        ("Anything.", "Why?\n", ">>>"),
        ("It is fast (GBPE).", "", "BPE"),
        ("It is slow.", "Of an index it is said:\n", "index"),
        ("It is slow.", "The index is old. ", "index"),
        ("Its state is kept.", "index state\n", "index"),
    ],
)
def test_sentences_that_only_use_the_name(sentence: str, before: str, name: str) -> None:
    """As part of another name, or to say something of it."""
    assert not explains(sentence, before, name)


@pytest.mark.parametrize(
    ("row", "name", "told"),
    [
        ("| BPE | merges pairs |", "bpe", True),
        ("| **BPE** | merges pairs |", "BPE", True),
        ("Word: BPE; Meaning: merges pairs", "BPE", True),
        ("| GPT-2 | BPE |", "BPE", False),
        ("Model: GPT-2; Method: BPE", "BPE", False),
        ("", "BPE", False),
    ],
)
def test_a_row_is_about_its_first_cell(row: str, name: str, told: bool) -> None:
    """A name in another cell is not explained there."""
    assert heads_row(row, name) is told


@given(st.text(max_size=60), st.text(max_size=60), st.text(min_size=1, max_size=20))
def test_any_text_is_judged(sentence: str, before: str, name: str) -> None:
    """Nothing is raised, whatever stands there."""
    assert explains(sentence, before, name) in (True, False)
    assert heads_row(sentence, name) in (True, False)
    assert isinstance(asked_name(sentence), str)
