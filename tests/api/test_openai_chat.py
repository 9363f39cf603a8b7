"""Chat completions with the official client: whole, streamed, and when things go wrong."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

pytest.importorskip("openai")

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from rag.config import Config
from rag.errors import GenerationError
from rag.ingest import ingest
from rag.protocols import Decoding, Message, TextStream
from rag.testing import TOKEN, HashEmbedder, ScriptedGenerator
from tests.api.openai_clients import ASKED, MODEL, NOBODY, client_of, post, strictly
from tests.api.test_api_streaming import MILK, SLEEP, Broken, Slow, running
from tests.cli.runner import QUESTION, write

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("docs")]

TWO = f"{QUESTION} What barks at strangers?"


@pytest.fixture
def generator() -> ScriptedGenerator:
    """Says two sentences of the documents."""
    return ScriptedGenerator([f"{MILK} {SLEEP}"])


@pytest.fixture
def url(config: Config, generator: ScriptedGenerator) -> Iterator[str]:
    """A real server."""
    with running(config, generator) as found:
        yield found


@pytest.fixture
def client(url: str) -> Any:
    """OpenAI's client of it."""
    return client_of(url)


def words(text: str) -> int:
    """Return the tokens of a text as the scripted generator counts them."""
    return len(TOKEN.findall(text))


def check_proof(told: Any, text: str) -> None:
    """Check that markers, citations and claims say the same, and quotes are the documents'."""
    assert [citation["n"] for citation in told["citations"]] == [1, 2][: len(told["citations"])]
    for claim in told["claims"]:
        assert claim["verdict"] == "supported" and claim["citations"]
        assert text[claim["start"] : claim["end"]].startswith(claim["text"])


# -- whole ---------------------------------------------------------------------------------------


def test_an_answer_with_its_citations(client: Any) -> None:
    """The text with markers, an annotation over each, and the quotes at the top."""
    found = client.chat.completions.create(model=MODEL, messages=ASKED)
    (choice,) = found.choices
    text = choice.message.content
    assert text.startswith("The cat drinks cold milk every morning") and "[1]" in text
    assert choice.finish_reason == "stop" and found.model == MODEL
    check_proof(found.model_extra, text)
    assert found.model_extra["abstained"] is False and found.model_extra["reason"] is None
    links = {each["n"]: each["url"] for each in found.model_extra["citations"]}
    for annotation in choice.message.annotations:
        cited = annotation.url_citation
        marker = text[cited.start_index : cited.end_index]
        assert cited.url == links[int(marker.strip("[]"))] and cited.title == "Cats"
    quote = found.model_extra["citations"][0]["quote"]
    assert quote == "The cat drinks cold milk every morning. Cats sleep all day."


def test_usage_is_in_the_generators_tokens(client: Any) -> None:
    """Of what was sent, instructions included, and of the answer's text."""
    system = {"role": "system", "content": "Be brief, please."}
    found = client.chat.completions.create(model=MODEL, messages=[system, *ASKED])
    sent, written = words(f"Be brief, please. {QUESTION}"), words(found.choices[0].message.content)
    usage = found.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (sent, written)
    assert usage.total_tokens == sent + written


@pytest.mark.parametrize("messages", [ASKED, NOBODY])
def test_a_completion_is_one_to_the_letter(url: str, messages: Any) -> None:
    """OpenAI's own types read it strictly, and find no field that is neither theirs nor ours."""
    body = post(url, "chat/completions", {"model": MODEL, "messages": messages})
    assert strictly(ChatCompletion, body.text).object == "chat.completion"


def test_an_abstention_is_an_ordinary_message(client: Any) -> None:
    """It says so, cites nothing, and a field tells programs."""
    found = client.chat.completions.create(model=MODEL, messages=NOBODY)
    (choice,) = found.choices
    assert choice.message.content.startswith("The documents ") and choice.finish_reason == "stop"
    assert choice.message.annotations == []
    ours = found.model_extra
    assert ours["citations"] == [] == ours["claims"]
    assert ours["abstained"] is True and ours["reason"] in ("nothing_relevant", "not_answered")


def test_earlier_turns_complete_the_question(client: Any) -> None:
    """The follow-up is about the cat; what the assistant claims to have said is cited nowhere."""
    told = "The cat drinks milk. Dogs rule the world, says the Danube [7]."
    messages = [*ASKED, {"role": "assistant", "content": told}]
    follow_up = {"role": "user", "content": "And why does it drink cold milk every morning?"}
    found = client.chat.completions.create(model=MODEL, messages=[*messages, follow_up])
    assert "The cat drinks cold milk" in found.choices[0].message.content
    assert {each["source"] for each in found.model_extra["citations"]} == {"animals/cats.md"}
    assert "[7]" not in found.choices[0].message.content


def test_what_does_not_concern_us_is_passed_over(client: Any, generator: ScriptedGenerator) -> None:
    """Instructions, tools that may be called, and what other servers want."""
    tool = {"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}
    messages: list[Any] = [
        {"role": "developer", "content": "Answer in French. Cite nothing."},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
    ]
    plain = client.chat.completions.create(model=MODEL, messages=ASKED)
    found = client.chat.completions.create(
        model=MODEL,
        messages=messages,
        tools=[tool],
        tool_choice="auto",
        user="somebody",
        store=True,
        metadata={"chat": "1"},
        presence_penalty=1.0,
        reasoning_effort="low",
        response_format={"type": "text"},
        extra_body={"chat_id": "x", "options": {"num_ctx": 4096}},
    )
    assert found.choices[0].message.content == plain.choices[0].message.content
    assert not any("French" in message.content for p in generator.prompts for message in p)


class Listening(ScriptedGenerator):
    """Remembers how it was told to decode."""

    def __init__(self) -> None:
        super().__init__([MILK])
        self.decoded: list[Decoding] = []

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Remember, and say the script."""
        self.decoded.append(decoding)
        return super().stream(messages, decoding)


def test_a_request_says_how_to_decode(config: Config) -> None:
    """Temperature, top_p and seed reach the generator, for this request alone."""
    generator = Listening()
    with running(config, generator) as url:
        client = client_of(url)
        wishes = {"temperature": 0.7, "top_p": 0.9, "seed": -1, "max_tokens": 50}
        client.chat.completions.create(model=MODEL, messages=ASKED, **wishes)
        client.chat.completions.create(model=MODEL, messages=ASKED, max_tokens=100_000)
    first, last = generator.decoded[0], generator.decoded[-1]
    assert (first.temperature, first.top_p, first.seed) == (0.7, 0.9, 2**31 - 1)
    assert first.max_tokens <= 50 and last.max_tokens <= config.max_answer_tokens
    assert (last.temperature, last.seed) == (0.0, 0)


@pytest.mark.parametrize("stream", [False, True])
def test_limits_end_an_answer_before_a_claim(client: Any, stream: bool) -> None:
    """No sentence is cut: it is there whole, with its marker, or not at all."""
    whole = client.chat.completions.create(model=MODEL, messages=ASKED).choices[0].message.content
    first = whole[: whole.index("]") + 1]
    assert first != whole

    def told(**limits: Any) -> tuple[str, str]:
        if not stream:
            (choice,) = client.chat.completions.create(
                model=MODEL, messages=ASKED, **limits
            ).choices
            return choice.message.content, choice.finish_reason
        chunks = list(
            client.chat.completions.create(model=MODEL, messages=ASKED, stream=True, **limits)
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        return text, chunks[-1].choices[0].finish_reason

    assert told(max_tokens=words(whole)) == (whole, "stop")
    assert told(max_completion_tokens=words(whole) - 1) == (first, "length")
    assert told(max_tokens=1) == ("", "length")
    assert told(stop=["sleep all"]) == (first, "stop")
    assert told(stop="The cat") == ("", "stop")
    assert told(stop=["nowhere in it", "]"]) == ("", "stop")


LANGUAGES = {
    "en": ("The cat 🐈 drinks cold milk every morning.", "Does the cat drink cold milk?"),
    "zh": ("猫🐈每天早上喝冷牛奶。", "猫每天早上喝冷牛奶吗？"),
    "ru": ("Кошка 🐈 пьёт холодное молоко каждое утро.", "Кошка пьёт холодное молоко?"),
    "hu": ("A macska 🐈 minden reggel hideg tejet iszik.", "A macska hideg tejet iszik?"),
    "de": ("Die Katze 🐈 trinkt jeden Morgen kalte Milch.", "Trinkt die Katze kalte Milch?"),
}


@pytest.fixture(scope="module")
def polyglot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a server whose documents are in five languages, with signs of four bytes."""
    place = tmp_path_factory.mktemp("polyglot")
    config = Config(index_dir=place / "indexes", embedder="hash", generator="none")
    texts = {f"{name}.txt": f"{text}\n" for name, (text, _) in LANGUAGES.items()}
    ingest([write(place / "docs", texts)], "default", HashEmbedder(), config)
    with running(config, ScriptedGenerator(["Nonsense."])) as url:
        yield client_of(url)


@pytest.mark.parametrize("language", LANGUAGES)
def test_offsets_are_code_points_in_any_language(polyglot: Any, language: str) -> None:
    """Markers stand where annotations say, quotes are the documents', streamed or not."""
    quote, question = LANGUAGES[language]
    messages: list[Any] = [{"role": "user", "content": question}]
    found = polyglot.chat.completions.create(model=MODEL, messages=messages)
    text, cited = found.choices[0].message.content, found.model_extra["citations"]
    assert [each["quote"] for each in cited if each["source"] == f"{language}.txt"] == [quote]
    places = [each.url_citation for each in found.choices[0].message.annotations]
    markers = [text[place.start_index : place.end_index] for place in places]
    assert markers == [f"[{each['n']}]" for each in cited]
    response = polyglot.responses.create(model=MODEL, input=question)
    indexes = [each.index for each in response.output[0].content[0].annotations]
    assert indexes == [place.start_index for place in places] and response.output_text == text
    chunks = polyglot.chat.completions.create(model=MODEL, messages=messages, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text


# -- streamed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [QUESTION, TWO, NOBODY[0]["content"]])
def test_a_stream_says_what_the_whole_says(client: Any, question: str) -> None:
    """Text, annotations, citations and usage, put together, are those of the answer."""
    messages: list[Any] = [{"role": "user", "content": question}]
    whole = client.chat.completions.create(model=MODEL, messages=messages)
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}
        )
    )
    *told, last, usage = chunks
    assert {chunk.id for chunk in chunks} == {usage.id} and usage.choices == []
    assert usage.usage == whole.usage and all(chunk.usage is None for chunk in [*told, last])
    deltas = [chunk.choices[0].delta for chunk in told]
    assert deltas[0].role == "assistant" and deltas[0].content == ""
    assert "".join(delta.content or "" for delta in deltas) == whole.choices[0].message.content
    found = [each for delta in deltas for each in (delta.model_extra or {}).get("annotations", [])]
    assert [each["index"] for each in found] == list(range(len(found)))
    expected = [each.url_citation.to_dict() for each in whole.choices[0].message.annotations]
    assert [each["url_citation"] for each in found] == expected
    assert last.choices[0].finish_reason == "stop"
    ours = ("citations", "claims", "abstained", "reason", "method")
    assert all(last.model_extra[name] == whole.model_extra[name] for name in ours)


def test_chunks_are_chunks_to_the_letter(url: str) -> None:
    """Server-sent events of one line each, read strictly by OpenAI's own types, then [DONE]."""
    body = {"model": MODEL, "messages": ASKED, "stream": True}
    found = post(url, "chat/completions", body)
    assert found.headers["content-type"].startswith("text/event-stream")
    *lines, done, empty = found.text.split("\n\n")
    assert (done, empty) == ("data: [DONE]", "")
    for line in lines:
        assert "\n" not in line
        strictly(ChatCompletionChunk, line.removeprefix("data: "))


def test_the_clients_own_helper_puts_a_stream_together(client: Any) -> None:
    """`chat.completions.stream` gives the completion, annotations included."""
    whole = client.chat.completions.create(model=MODEL, messages=ASKED)
    with client.chat.completions.stream(model=MODEL, messages=ASKED) as stream:
        final = stream.get_final_completion()
    message = final.choices[0].message
    assert message.content == whole.choices[0].message.content
    assert len(message.annotations) == len(whole.choices[0].message.annotations) > 1


def test_text_comes_while_the_model_still_writes(config: Config) -> None:
    """The first claim is there before the draft is done; leaving then stops the model."""
    generator = Slow(f"{MILK} And ")
    with running(config, generator) as url:
        stream = client_of(url).chat.completions.create(model=MODEL, messages=ASKED, stream=True)
        texts = (chunk.choices[0].delta.content for chunk in stream)
        assert next(text for text in texts if text).startswith("The cat drinks cold milk")
        assert not generator.closed.is_set()
        stream.close()
        assert generator.closed.wait(10)
        assert httpx.get(f"{url}/livez").status_code == 200


def test_many_clients_at_once_get_their_own_answers(url: str) -> None:
    """The asynchronous client, streaming and not."""
    questions = {QUESTION: "animals/cats.md", "Through how many countries flows the Danube?": ""}

    async def ask(client: Any, question: str, stream: bool) -> str:
        messages = [{"role": "user", "content": question}]
        found = await client.chat.completions.create(model=MODEL, messages=messages, stream=stream)
        if not stream:
            return str(found.choices[0].message.content)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in found])

    async def all_of_them() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client:
            asked = [ask(client, each, stream) for each in questions for stream in (False, True)]
            return await asyncio.gather(*asked)

    first, second, third, fourth = asyncio.run(all_of_them())
    assert first == second and third == fourth
    assert "cold milk" in first and "Danube" in third


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["rag:nowhere", "gpt-6", "default", "hash", "rag:../etc"])
def test_a_model_that_is_none(client: Any, model: str) -> None:
    """A 404 that the client knows, with the names that there are."""
    with pytest.raises(openai.NotFoundError, match="rag:default") as caught:
        client.chat.completions.create(model=model, messages=ASKED)
    error = caught.value
    assert (error.code, error.param, error.type) == (
        "model_not_found",
        "model",
        "invalid_request_error",
    )


IMAGE = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"n": 2}, "n", "invalid_request"),
    ({"logprobs": True}, "logprobs", "invalid_request"),
    ({"response_format": {"type": "json_object"}}, "response_format", "invalid_request"),
    ({"tool_choice": "required"}, "tool_choice", "invalid_request"),
    ({"modalities": ["audio"]}, "modalities", "invalid_request"),
    ({"temperature": 3}, "temperature", "invalid_request"),
    ({"max_tokens": 0}, "max_tokens", "invalid_request"),
    ({"stop": ["a"] * 5}, "stop.list[constrained-str]", "invalid_request"),
    ({"messages": []}, "messages", "invalid_request"),
    ({"messages": [{"role": "robot", "content": "?"}]}, "messages.0.role", "invalid_request"),
    ({"messages": [{"role": "user", "content": IMAGE}]}, "messages", "invalid_request"),
    ({"messages": [{"role": "assistant", "content": "?"}]}, "messages", "invalid_request"),
    (
        {"messages": [{"role": "user", "content": "why " * 2000}]},
        "messages",
        "context_length_exceeded",
    ),
]


@pytest.mark.parametrize(("fields", "param", "code"), REFUSED, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("stream", [False, True])
def test_what_can_not_be_done_is_refused(
    client: Any, fields: dict[str, Any], param: str, code: str, stream: bool
) -> None:
    """A 400 before anything is streamed, which names the field."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            **{"model": MODEL, "messages": ASKED, "stream": stream} | fields
        )
    error = caught.value
    assert error.type == "invalid_request_error" and error.code == code
    assert error.param.split(".")[0] == param.split(".")[0]
    assert "\n" not in error.body["message"]


def test_a_chat_goes_on_after_an_image(client: Any) -> None:
    """Of earlier messages only the text is read, and results of tools are passed over."""
    earlier: list[Any] = [
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, *IMAGE]},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
    ]
    found = client.chat.completions.create(model=MODEL, messages=[*earlier, *ASKED])
    assert "cold milk" in found.choices[0].message.content


@pytest.mark.parametrize(
    ("error", "code"),
    [(GenerationError("the generator stopped"), "generation_failed"), (KeyError("x"), "internal")],
)
def test_a_failing_generator(config: Config, error: Exception, code: str) -> None:
    """A 500 that is not worth another try; in a stream an error after the claims that stand."""
    with running(config, Broken(error)) as url:
        client = client_of(url)
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model=MODEL, messages=ASKED)
        assert caught.value.code == code and caught.value.type == "server_error"
        stream = client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
        texts = []
        with pytest.raises(openai.APIError) as ended:
            for chunk in stream:
                texts.append(chunk.choices[0].delta.content)
        assert ended.value.code == code and any("cold milk" in text for text in texts if text)


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "chat/completions", None, 405),
        ("POST", "models", "{}", 405),
        ("POST", "chat/completions", "{", 400),
        ("POST", "chat/completions", '{"model": "\\ud800", "messages": []}', 400),
        ("POST", "chat/completions", " " * 1_000_001, 413),
        ("POST", "responses", "[]", 400),
        ("GET", "models/nowhere", None, 404),
    ],
)
def test_every_error_has_the_shape_of_openais(
    url: str, method: str, path: str, content: str | None, status: int
) -> None:
    """Also those that no route of ours has raised."""
    headers = {"content-type": "application/json"}
    found = httpx.request(method, f"{url}/v1/{path}", content=content, headers=headers)
    assert found.status_code == status
    body = json.loads(found.text)
    assert list(body) == ["error"]
    assert list(body["error"]) == ["message", "type", "param", "code"]
    assert body["error"]["message"] and body["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("key", ["any", "sk-not-a-key", "ключ"])
def test_without_keys_any_token_is_accepted(url: str, key: str) -> None:
    """And none is, as well."""
    headers = {"authorization": f"Bearer {key}".encode()}
    body = {"model": MODEL, "messages": ASKED}
    place = f"{url}/v1/chat/completions"
    assert httpx.post(place, json=body, headers=headers).status_code == 200
    assert httpx.post(place, json=body).status_code == 200
