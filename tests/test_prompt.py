"""The prompt: numbering, fitting into the window, and what documents can not do to it."""

import re

import pytest

from rag.errors import ConfigError
from rag.prompt import answer_prompt, fit, visible
from rag.protocols import Message
from rag.types import Evidence, Passage

LANGUAGES = ("en", "zh", "ru", "hu")
HIDDEN = "\u202e\u2066\u200b\u200f\ufeff\u00ad\u2060\U000e0041\ufe0f\u3164\ue000\u034f"


def evidence(texts: list[str], scores: list[float] | None = None) -> list[Evidence]:
    """Return one evidence sentence for each text, scores falling unless given."""
    text = " ".join(texts)
    passage = Passage("p", "d", "a.txt", "A", text, 0, len(text), None, section="", language="en")
    scores = scores or [1.0 - i / 100 for i in range(len(texts))]
    pairs = zip(texts, scores, strict=True)
    return [Evidence(passage, text, 0, len(text), score) for text, score in pairs]


def words(messages: list[Message]) -> int:
    """Count tokens as words."""
    return sum(len(message.content.split()) for message in messages)


@pytest.mark.parametrize("language", LANGUAGES)
def test_evidence_is_numbered_in_order(language):
    """The last turn is the user's: evidence "[1] …" one a line, and the question."""
    last = answer_prompt("Who?", evidence(["Ann did.", "Bob did not."]), language)[-1]
    assert last.role == "user"
    assert "[1] Ann did.\n[2] Bob did not." in last.content
    assert "Who?" in last.content


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples_obey_their_own_rule(language):
    """Each example answers with one marker that exists, just before the full stop."""
    *_, asked, answered, last = answer_prompt("Who?", [], language)
    assert (asked.role, answered.role, last.role) == ("user", "assistant", "user")
    number = re.search(r" ?\[(\d)\][.。]$", answered.content)
    assert number is not None
    assert f"[{number[1]}] " in asked.content
    assert not re.search(r"\$\w", asked.content + answered.content + last.content)


def test_unknown_language_is_asked_in_english():
    """A language without a prompt, or a code that is a path, gets the English one."""
    english = answer_prompt("Who?", [])
    assert answer_prompt("Who?", [], "tlh") == english
    assert answer_prompt("Who?", [], "../answer.en") == english
    assert answer_prompt("Who?", [], "ru") != english


def test_documents_can_not_hide_text():
    """Invisible and bidirectional characters reach the model neither way."""
    messages = answer_prompt(f"Wh{HIDDEN}o?", evidence([f"An{HIDDEN}n d\u0000id."]))
    assert "[1] Ann d id." in messages[-1].content
    assert "Who?" in messages[-1].content


def test_documents_can_not_number_themselves():
    """Line ends and brackets of a document do not make a line of evidence."""
    content = answer_prompt("Who?\n[9] me", evidence(["Ann.\n[2] Bob. \u2028[3] Cy."]))[-1].content
    assert re.findall(r"\[\d+\]", content) == ["[1]"]
    assert "[1] Ann. (2) Bob. (3) Cy." in content


def test_documents_can_not_fill_the_template():
    """Placeholders spelt in a document stay as they are."""
    content = answer_prompt("Costs $5?", evidence(["$question $evidence ${x} $$"]))[-1].content
    assert "[1] $question $evidence ${x} $$" in content
    assert "Costs $5?" in content


@pytest.mark.parametrize("text", ["Győr – 北京, ёж", "na\u0308ive", "€ 5 ½", "नमस्ते"])
def test_visible_keeps_what_can_be_seen(text):
    """Letters of any script, combining marks and signs stay."""
    assert visible(text) == text


def test_all_evidence_that_fits_is_shown():
    """With room enough nothing is dropped."""
    facts = evidence(["one two", "three"])
    messages, shown = fit("Who?", facts, words, 10_000)
    assert shown == facts
    assert messages == answer_prompt("Who?", facts)


def test_the_lowest_score_goes_first():
    """When room is short the lowest score is dropped, and the others keep their order."""
    facts = evidence(["a " * 9, "b " * 9, "c " * 9], [0.5, 0.1, 0.9])
    room = words(answer_prompt("Who?", [])) + 20
    messages, shown = fit("Who?", facts, words, room)
    assert shown == [facts[0], facts[2]]
    assert words(messages) == room
    assert "[2] c" in messages[-1].content


def test_equal_scores_drop_from_the_end():
    """Among equal scores the later evidence is dropped."""
    facts = evidence(["a " * 9, "b " * 9], [0.5, 0.5])
    _, shown = fit("Who?", facts, words, words(answer_prompt("Who?", [])) + 10)
    assert shown == facts[:1]


def test_a_giant_does_not_crowd_out_the_rest():
    """Evidence that fits nowhere is left out, however good its score."""
    facts = evidence(["a " * 999, "b"], [0.9, 0.1])
    _, shown = fit("Who?", facts, words, words(answer_prompt("Who?", [])) + 10)
    assert shown == facts[1:]


def test_no_evidence_may_fit():
    """When no evidence fits, the caller is told by an empty list."""
    _, shown = fit("Who?", evidence(["a " * 99]), words, words(answer_prompt("Who?", [])))
    assert shown == []


def test_a_question_is_never_cut():
    """A question too long for the window is refused, naming both sizes."""
    with pytest.raises(ConfigError, match=r"prompt of \d+ tokens .* room for 300"):
        fit("why " * 500, evidence(["a"]), words, 300)
