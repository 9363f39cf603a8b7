"""Responses with the official client: whole, streamed, and what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("openai")

import openai
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from rag.config import Config
from rag.errors import GenerationError
from rag.testing import ScriptedGenerator
from tests.api.openai_clients import MODEL, OURS, client_of, foreign, post, strictly
from tests.api.test_api_streaming import MILK, SLEEP, Broken, Slow, running
from tests.cli.runner import QUESTION

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("docs")]

NOBODY = "Who won the chess championship?"
EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


@pytest.fixture
def url(config: Config) -> Iterator[str]:
    """A real server, whose generator says two sentences of the documents."""
    with running(config, ScriptedGenerator([f"{MILK} {SLEEP}"])) as found:
        yield found


@pytest.fixture
def client(url: str) -> Any:
    """OpenAI's client of it."""
    return client_of(url)


def same(found: Any) -> Any:
    """Return a response without what differs from one to the next."""
    value = found.to_dict()
    value["output"][0]["id"] = ""
    return value | {"id": "", "created_at": 0}


def test_a_response_cites_files(client: Any) -> None:
    """An annotation at each marker: the document, the file's name, and the words."""
    found = client.responses.create(model=MODEL, input=QUESTION)
    text = found.output_text
    assert text.startswith("The cat drinks cold milk") and found.status == "completed"
    annotations = found.output[0].content[0].annotations
    assert [each.type for each in annotations] == ["file_citation"] * 2
    for each in annotations:
        assert each.filename == "animals/cats.md"
        (cited,) = found.model_extra["citations"]
        assert text[each.index :].startswith(f"[{cited['n']}]")
        assert each.file_id == cited["document_id"] and each.quote == cited["quote"]
    usage = found.usage
    assert usage.input_tokens > 0 < usage.output_tokens
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


@pytest.mark.parametrize("question", [QUESTION, NOBODY])
def test_a_response_is_one_to_the_letter(url: str, question: str) -> None:
    """OpenAI's own types read it strictly, and find no field that is neither theirs nor ours."""
    body = post(url, "responses", {"model": MODEL, "input": question})
    assert strictly(Response, body.text).object == "response"


def test_an_abstention_is_an_ordinary_text(client: Any) -> None:
    """Without annotations; a field tells programs."""
    found = client.responses.create(model=MODEL, input=NOBODY)
    assert found.output_text.startswith("The documents ")
    assert found.output[0].content[0].annotations == [] == found.model_extra["citations"]
    assert found.model_extra["abstained"] is True


def test_a_conversation_is_sent_as_input(client: Any) -> None:
    """Messages of all kinds; what is no message is passed over."""
    items: list[Any] = [
        {"role": "developer", "content": "Answer in French."},
        {"role": "user", "content": [{"type": "input_text", "text": QUESTION}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "content": [{"type": "output_text", "text": "It does [1].", "annotations": []}],
        },
        {"role": "user", "content": "And why does it drink cold milk every morning?"},
    ]
    search: Any = {"type": "file_search", "vector_store_ids": ["default"]}
    found = client.responses.create(
        model=MODEL,
        input=items,
        instructions="Be brief.",
        tools=[search],
        tool_choice={"type": "file_search"},
        store=False,
        include=["file_search_call.results"],
    )
    assert "cold milk" in found.output_text


@pytest.mark.parametrize("question", [QUESTION, f"{QUESTION} What barks at strangers?", NOBODY])
def test_the_events_tell_the_response(client: Any, url: str, question: str) -> None:
    """In OpenAI's order, numbered, each citation before its text; the last is the response."""
    whole = client.responses.create(model=MODEL, input=question)
    found = list(client.responses.create(model=MODEL, input=question, stream=True))
    assert [event.sequence_number for event in found] == list(range(len(found)))
    names = [event.type.removeprefix("response.") for event in found]
    begun = ["created", "in_progress", "output_item.added", "content_part.added"]
    done = ["output_text.done", "content_part.done", "output_item.done", "completed"]
    assert names[:4] == begun and names[-4:] == done
    assert set(names[4:-4]) <= {"output_text.annotation.added", "output_text.delta"}
    told, added = "", []
    for event in found[4:-4]:
        if event.type.endswith("delta"):
            told += event.delta
            assert all(each.index < len(told) for each in added)
        else:
            assert event.annotation.index >= len(told) and event.annotation_index == len(added)
            added.append(event.annotation)
    assert told == whole.output_text == found[-4].text
    assert [each.to_dict() for each in added] == [
        each.to_dict() for each in whole.output[0].content[0].annotations
    ]
    assert same(found[-1].response) == same(whole)


def test_events_are_events_to_the_letter(url: str) -> None:
    """Named as they are typed, and read strictly by OpenAI's own types."""
    body = {"model": MODEL, "input": QUESTION, "stream": True}
    *blocks, empty = post(url, "responses", body).text.split("\n\n")
    assert empty == ""
    for block in blocks:
        name, data = block.split("\n")
        event = EVENTS.validate_json(data.removeprefix("data: "), strict=True)
        assert name == f"event: {event.type}" and set(foreign(event)) <= OURS


def test_the_clients_own_helper_puts_a_stream_together(client: Any) -> None:
    """`responses.stream` ends with the response."""
    whole = client.responses.create(model=MODEL, input=QUESTION)
    with client.responses.stream(model=MODEL, input=QUESTION) as stream:
        final = stream.get_final_response()
    assert final.output_text == whole.output_text


@pytest.mark.parametrize("stream", [False, True])
def test_a_limit_leaves_a_response_incomplete(client: Any, stream: bool) -> None:
    """No sentence is cut: none is there."""
    limits: dict[str, Any] = {"max_output_tokens": 1}
    if stream:
        *_, last = client.responses.create(model=MODEL, input=QUESTION, stream=True, **limits)
        assert last.type == "response.incomplete"
        found = last.response
    else:
        found = client.responses.create(model=MODEL, input=QUESTION, **limits)
    assert found.status == "incomplete" and found.output_text == ""
    assert found.incomplete_details.reason == "max_output_tokens"


def test_a_client_that_leaves_stops_the_generator(config: Config) -> None:
    """After the first text, in the middle of the draft."""
    generator = Slow(f"{MILK} And ")
    with running(config, generator) as url:
        stream = client_of(url).responses.create(model=MODEL, input=QUESTION, stream=True)
        for event in stream:
            if event.type == "response.output_text.delta":
                break
        assert not generator.closed.is_set()
        stream.close()
        assert generator.closed.wait(10)


def test_an_error_on_the_way_is_the_last_event(config: Config) -> None:
    """As OpenAI's own: type error, with a code and a message."""
    with running(config, Broken(GenerationError("the generator stopped"))) as url:
        *_, last = client_of(url).responses.create(model=MODEL, input=QUESTION, stream=True)
    assert last.type == "error" and last.code == "generation_failed"
    assert last.message == "the generator stopped"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"background": True}, "background"),
        ({"text": {"format": {"type": "json_object"}}}, "text"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"input": " "}, None),
        ({"input": []}, "input"),
        ({"input": [{"type": "function_call_output", "call_id": "1", "output": "2"}]}, "input"),
        ({"input": "why " * 2000}, "input"),
    ],
)
def test_what_can_not_be_done_is_refused(client: Any, fields: Any, param: str | None) -> None:
    """A 400 that names the field."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(**{"model": MODEL, "input": QUESTION} | fields)
    assert caught.value.param is param or caught.value.param.split(".")[0] == param


def test_a_response_is_not_kept(client: Any) -> None:
    """Nor is a model found that is none."""
    found = client.responses.create(model=MODEL, input=QUESTION)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(found.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="gpt-6", input=QUESTION)
