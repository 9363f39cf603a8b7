"""What the OpenAI endpoints are made of, by itself: conversations, limits, markers, examples."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from api.openai import outputs
from api.openai.answering import Told, Wishes, counter, telling, tuned
from api.openai.citing import label, markers
from api.openai.conversation import Said, split, turns
from api.openai.errors import Refused, reshaped
from api.openai.outputs import ChatOut, EmbeddingsOut, ModelsOut, ResponseOut
from rag.build import assemble, open_answerer
from rag.citations import Composer
from rag.config import Config
from rag.dialogue import Reply, Replying
from rag.followup import Turn
from rag.messages import abstention
from rag.testing import HashEmbedder, ScriptedGenerator
from rag.types import Answer, Citation, Claim, Claimed, Method, Mode, Reason, Verdict
from tests.cli.runner import QUESTION

ROLES = ("system", "developer", "user", "assistant", "tool")
SAID = st.builds(Said, st.sampled_from(ROLES), st.text(max_size=20))


# -- conversations -------------------------------------------------------------------------------


def test_turns_are_questions_with_their_answers() -> None:
    """Worked by hand: instructions and tools go, an abstention answers nothing."""
    messages = [
        Said("system", "Be brief."),
        Said("assistant", "Hello!"),
        Said("user", "What is BPE?"),
        Said("assistant", "A tokenizer."),
        Said("tool", "42"),
        Said("assistant", "It merges pairs."),
        Said("user", " "),
        Said("user", "And in Hungarian?"),
        Said("assistant", abstention("en", Reason.NOT_ANSWERED)),
        Said("user", "Why?"),
    ]
    assert turns(messages) == [
        Turn("What is BPE?", "A tokenizer.\nIt merges pairs."),
        Turn("And in Hungarian?"),
        Turn("Why?"),
    ]


@pytest.mark.parametrize("language", ["en", "zh", "ru", "hu", "de", "fr"])
@pytest.mark.parametrize("reason", list(Reason))
def test_an_abstention_answers_nothing(language: str, reason: Reason) -> None:
    """In any language and for any reason: it is no answer to look back at."""
    messages = [Said("user", "Why?"), Said("assistant", f" {abstention(language, reason)}\n")]
    assert turns(messages) == [Turn("Why?")]


@given(st.lists(SAID, max_size=8))
def test_turns_keep_what_users_ask_in_order(messages: list[Said]) -> None:
    """Every question with words in it, and no other."""
    asked = [each.text.strip() for each in messages if each.role == "user" and each.text.strip()]
    assert [turn.question for turn in turns(messages)] == asked


@given(st.lists(SAID, max_size=5), st.text(min_size=1, max_size=30).filter(str.strip))
def test_the_last_message_is_the_question(messages: list[Said], question: str) -> None:
    """Trimmed, with all turns before it."""
    assert split([*messages, Said("user", question)], "messages") == (
        question.strip(),
        turns(messages),
    )


@pytest.mark.parametrize(
    "last",
    [
        Said("assistant", "So?"),
        Said("tool", "42"),
        Said("user", "What is this?", ("image_url",)),
        Said("user", "x" * 4001),
    ],
    ids=lambda last: last.role,
)
def test_what_is_no_question_is_refused(last: Said) -> None:
    """With the field it came in."""
    with pytest.raises(Refused) as caught:
        split([Said("user", "Hello?"), last], "input")
    assert caught.value.param == "input"


# -- limits --------------------------------------------------------------------------------------


def replying(texts: list[str], reason: Reason | None = None) -> Replying:
    """Yield claims, each cited once, and the reply."""
    composer, at = Composer(), 0
    claims, citations = [], []
    for n, text in enumerate(texts, start=1):
        whole = f"{' ' if at else ''}{text} [{n}]"
        start, at = at + bool(at), at + len(whole)
        citation = Citation(n, "p", "d", "a.md", "A", None, 0, len(text), text)
        claim = Claim(text, start, at, (n,), Verdict.SUPPORTED, 1.0)
        claims.append(claim)
        citations.append(citation)
        composer.text += whole
        yield Claimed(claim, (citation,), whole)
    text = abstention("en", reason) if reason else composer.text
    yield Reply(
        "?",
        Answer("?", text, Method.QUOTED, tuple(claims), tuple(citations), (), reason, (), {}),
    )


def told(texts: list[str], wishes: Wishes, reason: Reason | None = None) -> Told:
    """Return what is told of an answer; a token is a word."""
    *_, last = telling(replying(texts, reason), wishes, lambda text: len(text.split()))
    assert isinstance(last, Told)
    return last


WORDS = st.lists(st.sampled_from(["cat", "dog", "milk", "."]), min_size=1, max_size=6)


@given(st.lists(WORDS, min_size=1, max_size=5), st.integers(1, 40), st.sampled_from(["", "milk"]))
def test_an_answer_keeps_its_limits_with_whole_claims(
    sentences: list[list[str]], most: int, stop: str
) -> None:
    """As many of the first claims as fit; text, claims and citations are of the same ones."""
    texts = [" ".join(words) for words in sentences]
    whole = told(texts, Wishes())
    found = told(texts, Wishes(most_tokens=most, stop=(stop,) if stop else ()))
    assert whole.text.startswith(found.text) and len(found.text.split()) <= most
    assert not stop or stop not in found.text
    kept = len(found.claims)
    assert found.claims == whole.claims[:kept] and found.citations == whole.citations[:kept]
    assert found.text == whole.text[: whole.claims[kept - 1].end if kept else 0]
    if kept < len(texts):
        more = whole.text[: whole.claims[kept].end]
        assert (stop and stop in more) or len(more.split()) > most
        assert found.method is None


def test_an_abstention_keeps_its_limits_too() -> None:
    """It is told whole or not at all, and is one in either case."""
    assert told([], Wishes(), Reason.NOT_ANSWERED).text
    cut = told([], Wishes(most_tokens=2), Reason.NOT_ANSWERED)
    assert (cut.text, cut.finish, cut.reason) == ("", "length", Reason.NOT_ANSWERED)


def test_a_limit_stops_the_work() -> None:
    """What makes the reply is closed when nothing more of it is wanted."""
    ended: list[str] = []

    def making() -> Replying:
        try:
            yield from replying(["one two three"] * 3)
        finally:
            ended.append("closed")

    found = list(telling(making(), Wishes(most_tokens=5), lambda text: len(text.split())))
    assert len(found) == 2 and ended == ["closed"]


def test_tokens_are_counted_by_what_there_is(config: Config, docs: Path) -> None:
    """The generator's, without one the embedder's, without a model words."""
    text = "Cats sleep: all day."
    hashed = assemble(config, "default", HashEmbedder(), None)
    assert counter(hashed)(text) == len(HashEmbedder.tokenizer.offsets(text)) == 6
    scripted = assemble(config, "default", HashEmbedder(), ScriptedGenerator([""]))
    assert counter(scripted)(text) == 6 and counter(scripted)("") == 0
    words = open_answerer(replace(config, mode=Mode.LEXICAL), "default")
    assert counter(words)(text) == 4


@pytest.mark.parametrize("wishes", [Wishes(), Wishes(0.5, 0.0, 2**40, 100_000)])
def test_wishes_become_settings(config: Config, docs: Path, wishes: Wishes) -> None:
    """Within the bounds of settings; the answerer that all share stays as it is."""
    answerer = assemble(config, "default", HashEmbedder(), None)
    found = tuned(answerer, wishes)
    assert answerer.config == config and found.retriever is answerer.retriever
    assert found.config.max_answer_tokens == config.max_answer_tokens
    assert found.config.temperature == (wishes.temperature or 0.0)


# -- markers -------------------------------------------------------------------------------------


def test_markers_are_behind_a_claims_words() -> None:
    """What its own words have in brackets is none, nor is the number of another citation."""
    text = "Before [1] The list[2] is short. [2] [3] After [3]"
    claim = Claim("The list[2] is short.", 11, 40, (2, 3), Verdict.SUPPORTED, 1.0)
    assert [(each.n, text[each.start : each.end]) for each in markers(text, claim)] == [
        (2, "[2]"),
        (3, "[3]"),
    ]
    assert [each.start for each in markers(text, claim)] == [33, 37]


def test_a_citation_is_called_by_title_and_page() -> None:
    """The source where there is no title; the page by its own name."""
    plain = Citation(1, "p", "d", "a/b.md", "", None, 0, 1, "x")
    slide = Citation(1, "p", "d", "a/b.pptx", "B", 3, 0, 1, "x", unit="slide")
    assert label(plain) == "a/b.md" and label(slide) == "B, slide 3"


# -- errors and what OpenAPI says ----------------------------------------------------------------


@given(st.binary(max_size=40) | st.sampled_from([b'{"error": 1}', b'{"error": {}}', b"[]", b"1"]))
def test_what_is_no_error_of_ours_stays_as_it_is(body: bytes) -> None:
    """Whatever else answers on these paths."""
    assert reshaped(502, body) == body


def test_an_error_of_ours_gets_openais_shape() -> None:
    """With the type that goes with the status; what has it already is kept."""
    body = json.dumps({"error": {"code": "key_revoked", "message": "no"}}).encode()
    once = reshaped(401, body)
    assert json.loads(once)["error"] == {
        "message": "no",
        "type": "authentication_error",
        "param": None,
        "code": "key_revoked",
    }
    assert reshaped(401, once) == once


def operations(client: TestClient) -> Iterator[tuple[str, Any]]:
    """Yield the operations for OpenAI's clients, by path."""
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for operation in methods.values():
            if operation.get("tags") == ["for OpenAI's clients"]:
                yield path, operation


@pytest.mark.parametrize(
    ("path", "model", "told_by"),
    [
        ("/v1/chat/completions", ChatOut, "CHAT"),
        ("/v1/responses", ResponseOut, "RESPONSE"),
        ("/v1/embeddings", EmbeddingsOut, "EMBEDDINGS"),
        ("/v1/models", ModelsOut, "MODELS"),
    ],
)
def test_examples_are_examples(
    client: TestClient, path: str, model: type[BaseModel], told_by: str
) -> None:
    """What OpenAPI shows is what its schema says, and every endpoint describes its errors."""
    operation = dict(operations(client))[path]
    told = operation["responses"]["200"]["content"]["application/json"]
    shown = getattr(outputs, told_by)["content"]["application/json"]["example"]
    assert model.model_validate(shown).model_dump(mode="json") == shown
    assert told["schema"] and set(told["example"]) <= set(shown)  # FastAPI leaves nulls out
    assert {"400", "404", "413", "500", "503"} <= set(operation["responses"])
    assert operation["description"] and "422" not in operation["responses"]


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        ("chat/completions", {"messages": [{"role": "user", "content": QUESTION}]}, ChatOut),
        ("responses", {"input": QUESTION}, ResponseOut),
        ("embeddings", {"input": QUESTION}, EmbeddingsOut),
    ],
)
def test_answers_are_as_the_schema_says(
    client: TestClient, path: str, body: dict[str, Any], model: type[BaseModel]
) -> None:
    """Every field, and no other."""
    found = client.post(f"/v1/{path}", json={"model": "rag:default"} | body).json()
    assert model.model_validate(found).model_dump(mode="json") == found


def test_the_examples_quote_their_own_text() -> None:
    """Markers and offsets of the examples are right."""
    text = outputs._TEXT
    assert text[outputs._MARKER["start_index"] : outputs._MARKER["end_index"]] == "[1]"
    assert text[: outputs._CLAIM["end"]] == text
