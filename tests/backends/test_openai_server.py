"""The generator over a server, against a real HTTP server that behaves well, badly, and slowly."""

import logging
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

openai = pytest.importorskip("openai")

from rag.backends.openai_server import (
    OpenAIGenerator,
    Server,
    count_tokens,
    key_from,
)
from rag.citations import draft_claims
from rag.drafts import Draft, read
from rag.errors import ConfigError, GenerationError
from rag.protocols import Decoding, Message
from tests.backends.sse_server import (
    Behaviour,
    Exchange,
    Running,
    chunk,
    failing,
    running,
    saying,
)

ASK = [Message("system", "Be brief."), Message("user", "When was the tower built?")]
SECRET = "sk-very-secret-key"


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    with running() as server:
        yield server


@pytest.fixture
def server(shared: Running) -> Running:
    """The server of this module, as if new."""
    shared.behave(saying(["Yes."]))
    shared.exchanges.clear()
    shared.disconnected.clear()
    shared.release.clear()
    return shared


def generator(server: Running, key: str = "", **settings: float) -> OpenAIGenerator:
    given = {"retries": 0, "timeout": 10.0} | settings
    return OpenAIGenerator("some/model", Server(server.base_url, **given), key)  # type: ignore[arg-type]


def asked(server: Running, key: str = "", **settings: float) -> Draft:
    return read(generator(server, key, **settings).stream(ASK, Decoding(max_tokens=20)))


def failure(server: Running, key: str = "", **settings: float) -> str:
    """Return the message of the error that asking ends in; it must be one line."""
    with pytest.raises(GenerationError) as caught:
        asked(server, key, **settings)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 700
    assert "some/model" in message
    return message


# -- what is asked and what comes back ------------------------------------------------------------


@pytest.mark.slow
def test_the_pieces_are_yielded_as_they_come(server: Running) -> None:
    """The text arrives in the server's pieces; role and usage chunks add nothing."""
    server.behave(saying(["In ", "1889 ", "[1]."]))
    stream = generator(server).stream(ASK, Decoding(max_tokens=20))
    assert list(stream) == ["In ", "1889 ", "[1]."]


def test_the_request_holds_model_messages_and_decoding(server: Running) -> None:
    """What is asked is a streamed, greedy chat completion; of sampling nothing is said."""
    asked(server)
    (exchange,) = server.exchanges
    assert exchange.path == "/v1/chat/completions"
    assert exchange.body == {
        "model": "some/model",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "When was the tower built?"},
        ],
        "max_tokens": 20,
        "temperature": 0.0,
        "stream": True,
    }


@pytest.mark.slow
def test_sampling_is_passed_on_with_its_seed(server: Running) -> None:
    """A temperature brings top_p and the seed along."""
    decoding = Decoding(max_tokens=20, temperature=0.7, seed=5, top_p=0.9)
    read(generator(server).stream(ASK, decoding))
    body = server.exchanges[0].body
    assert (body["temperature"], body["seed"], body["top_p"]) == (0.7, 5, 0.9)


@pytest.mark.parametrize(("reason", "cut"), [("stop", False), ("length", True)])
def test_a_cut_answer_says_so(server: Running, reason: str, cut: bool) -> None:
    """The finish_reason length is what the stream returns at its end."""
    server.behave(saying(["It was bu"], reason))
    assert asked(server) == Draft("It was bu", cut)


def test_its_citations_are_read_by_the_same_code(server: Running) -> None:
    """Markers are parsed as any draft's; one that no evidence has is recorded as invented."""
    server.behave(saying(["In 1889 ", "[", "1", "]. ", "It is tall. [7]"]))
    claims = draft_claims(asked(server).text, 2, "en")
    assert [(c.text, c.cited, c.invented) for c in claims] == [
        ("In 1889.", (1,), ()),
        ("It is tall.", (), (7,)),
    ]


def test_text_of_any_script_arrives_whole(server: Running) -> None:
    """Characters of several bytes, as escapes or as they are."""
    server.behave(saying(["北京 – Győr ", "🎈 ёж"]))
    assert asked(server).text == "北京 – Győr 🎈 ёж"


def test_a_prompt_beyond_the_window_is_not_sent(server: Running) -> None:
    """The estimate and the limit are compared before anything leaves the machine."""
    with pytest.raises(GenerationError, match=r"window of openai:some/model is set to 256"):
        generator(server, window=256).stream([Message("user", "word " * 200)], Decoding())
    assert server.exchanges == []


def test_a_refused_parameter_is_left_out_from_then_on(server: Running) -> None:
    """max_tokens gets its newer name, temperature goes; the next request has both at once."""
    unsupported = {"code": "unsupported_parameter", "message": "no"}
    server.behave(
        failing(400, {**unsupported, "param": "max_tokens"}),
        failing(400, {**unsupported, "param": "temperature"}),
        saying(["Yes."]),
    )
    model = generator(server)
    assert read(model.stream(ASK, Decoding(max_tokens=20))).text == "Yes."
    read(model.stream(ASK, Decoding(max_tokens=20)))
    bodies = [exchange.body for exchange in server.exchanges[2:]]
    assert len(bodies) == 2
    for body in bodies:
        assert body["max_completion_tokens"] == 20
        assert not {"max_tokens", "temperature"} & set(body)


# -- stopping -------------------------------------------------------------------------------------


def endless(exchange: Exchange) -> None:
    """Write until nobody listens; the event is what the test waits for."""
    exchange.begin()
    while not exchange.release.is_set():
        exchange.send(chunk("word " * 200))


def test_closing_the_stream_closes_the_connection(server: Running) -> None:
    """The server notices that its reader has gone, and can stop."""
    server.behave(endless)
    stream = generator(server).stream(ASK, Decoding(max_tokens=20))
    assert next(stream).startswith("word")
    stream.close()
    assert server.disconnected.wait(10)


def test_a_stream_never_read_asks_nothing(server: Running) -> None:
    """The request is made with the first piece."""
    generator(server).stream(ASK, Decoding(max_tokens=20)).close()
    assert server.exchanges == []


def test_streams_do_not_wait_for_each_other(server: Running) -> None:
    """One generator serves several open streams."""
    server.behave(saying(["a ", "b"]), saying(["c ", "d"]))
    model = generator(server)
    first, second = (model.stream(ASK, Decoding(max_tokens=20)) for _ in range(2))
    assert [next(first), next(second), next(first), next(second)] == ["a ", "c ", "b", "d"]
    first.close()
    second.close()


# -- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"RAG_OPENAI_API_KEY": "a", "OPENAI_API_KEY": "b"}, "a"),
        ({"RAG_OPENAI_API_KEY": " ", "OPENAI_API_KEY": "b\n"}, "b"),
        ({}, ""),
    ],
)
def test_the_key_comes_from_the_environment(environ: dict[str, str], key: str) -> None:
    """Ours comes before the usual one; blanks do not count."""
    assert key_from(environ) == key


def test_the_key_is_sent_as_a_bearer(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default it is what the environment names."""
    monkeypatch.setenv("RAG_OPENAI_API_KEY", SECRET)
    model = OpenAIGenerator("m", Server(server.base_url))
    read(model.stream(ASK, Decoding(max_tokens=20)))
    assert server.exchanges[0].headers["authorization"] == f"Bearer {SECRET}"


def test_without_a_key_none_is_sent(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one taken from the environment behind the caller's back."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", SECRET)
    asked(server, key="")
    headers = server.exchanges[0].headers
    assert "authorization" not in headers and SECRET not in str(headers)


def test_the_key_is_in_no_message_and_no_log(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even when the server repeats it, at the lowest level of logging."""
    caplog.set_level(logging.DEBUG)
    server.behave(failing(401, {"message": f"bad key {SECRET}"}))
    message = failure(server, SECRET)
    assert "bad key …" in message and SECRET not in message
    assert SECRET not in caplog.text
    assert SECRET not in repr(generator(server, SECRET))


# -- failures -------------------------------------------------------------------------------------


def test_nobody_listens() -> None:
    """A refused connection names the address and the setting."""
    with socket.socket() as held:  # bound and not listening, so nobody else can take the port
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        model = OpenAIGenerator("m", Server(url, retries=0), "")
        with pytest.raises(GenerationError, match=rf"'m' at {url} can not be reached .*refused"):
            read(model.stream(ASK, Decoding(max_tokens=20)))


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        (400, "context length exceeded", "show less evidence or lower openai_window"),
        (401, "bad key", "set RAG_OPENAI_API_KEY"),
        (403, "not yours", "set RAG_OPENAI_API_KEY"),
        (404, "no such model", "set generator to openai:MODEL"),
        (429, "slow down", "still so after 0 further attempts"),
        (500, "out of memory", "see the server's log"),
    ],
)
def test_a_status_is_told_with_its_remedy(
    server: Running, status: int, said: str, remedy: str
) -> None:
    """The line holds the status, the server's words on one line, and what to do."""
    server.behave(failing(status, {"message": said + "\nsecond line"}))
    message = failure(server)
    assert f"answers {status} (" in message and said in message and remedy in message


@pytest.mark.slow
def test_the_words_of_other_servers(server: Running) -> None:
    """transformers and vLLM put what they say under "detail", others send plain text."""

    def detail(exchange: Exchange) -> None:
        exchange.reply(422, '{"detail": "no such field"}')

    def plain(exchange: Exchange) -> None:
        exchange.reply(502, "Bad\n gateway")

    server.behave(detail)
    assert "answers 422 (no such field)" in failure(server)
    server.behave(plain)
    assert "answers 502 (Bad gateway)" in failure(server)


def test_a_busy_server_is_asked_again(server: Running) -> None:
    """As often as the settings say, and its answer counts when it comes."""
    soon = {"Retry-After": "0.01"}
    server.behave(failing(429, {"message": "busy"}, soon), failing(503, {}, soon), saying(["Yes."]))
    assert asked(server, retries=2).text == "Yes."
    assert len(server.exchanges) == 3


def test_the_attempts_end(server: Running) -> None:
    """After the last one the status is told."""
    server.behave(failing(429, {"message": "busy"}, {"Retry-After": "0.01"}))
    assert "still so after 2 further attempts" in failure(server, retries=2)
    assert len(server.exchanges) == 3


def send(*data: str, raw: str = "") -> Behaviour:
    """Return the behaviour of a server that sends these events, then raw text, and hangs up."""

    def behave(exchange: Exchange) -> None:
        exchange.begin()
        for each in data:
            exchange.send(each)
        exchange.raw(raw)

    return behave


@pytest.mark.parametrize(
    "data",
    [
        "{not json", "null", "3", "[1]", '"text"', "{}", '{"choices": null}', '{"choices": "x"}',
        '{"choices": [null]}', '{"choices": [{"delta": "x"}]}',
        '{"choices": [{"delta": {"content": {"a": 1}}}]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_malformed_stream(server: Running, data: str) -> None:
    """What is no chunk is one error, however it is malformed, and whatever came before it."""
    server.behave(send(chunk("It "), data, chunk(None, "stop")))
    assert "is no stream of chat completions" in failure(server)


@pytest.mark.parametrize(
    ("behaviour", "named"),
    [
        (send(chunk("It was")), "ended early"),
        (send(chunk("It was"), "[DONE]"), "ended early"),
        (send(raw="<html>not an API</html>"), "ended early"),
        (send(), "ended early"),
        (saying([]), "answered nothing (finish_reason stop)"),
        (saying([" ", "\n"], "length"), "needs a larger max_answer_tokens"),
        (saying(["It "], "content_filter"), "withheld the answer"),
        (send(chunk("It "), '{"error": {"message": "CUDA out of memory"}}'), "CUDA out of memory"),
        (send(chunk("It "), '{"error": "worker died"}'), "worker died"),
    ],
)
def test_an_answer_that_is_not_whole(server: Running, behaviour: Behaviour, named: str) -> None:
    """Ended early, empty, withheld, or failed on the way: an error, never a short answer."""
    server.behave(behaviour)
    assert named in failure(server)


@pytest.mark.slow
def test_a_server_that_falls_silent(server: Running) -> None:
    """The wait for the next piece is bounded, in the middle of an answer too."""

    def stall(exchange: Exchange) -> None:
        exchange.begin()
        exchange.send(chunk("It "))
        exchange.release.wait(10)

    server.behave(stall)
    assert "sent nothing for 0.2 s" in failure(server, timeout=0.2)


def test_a_connection_that_breaks(server: Running) -> None:
    """Fewer bytes than announced are a broken connection."""

    def break_off(exchange: Exchange) -> None:
        handler = exchange._handler
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        exchange.send(chunk("It "))

    server.behave(break_off)
    assert "can not be reached (" in failure(server)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("localhost:8000", "'localhost:8000'; expected an address"),
        ("ftp://host/v1", "expected an address"),
        ("", "expected an address"),
        ("http://", "expected an address"),
        ("http://[::1/v1", "expected an address"),
        (f"https://user:{SECRET}@host/v1", "keys are set in the environment"),
        (f"https://host/v1?key={SECRET}", "keys are set in the environment"),
    ],
)
def test_an_address_that_is_none(url: str, named: str) -> None:
    """The address is checked before anything is asked; a secret in it is not repeated."""
    with pytest.raises(ConfigError) as caught:
        OpenAIGenerator("m", Server(url), "")
    assert named in str(caught.value) and SECRET not in str(caught.value)


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines"])
def test_a_key_that_can_be_none(key: str) -> None:
    """What no header can hold is refused before anything is asked, and not repeated."""
    with pytest.raises(ConfigError, match="expected printable ASCII") as caught:
        OpenAIGenerator("m", Server("http://127.0.0.1:1/v1"), key)
    assert key not in str(caught.value)


def test_a_model_without_a_name() -> None:
    """`openai:` alone names nothing."""
    with pytest.raises(ConfigError, match="expected openai:MODEL"):
        OpenAIGenerator("", Server("http://127.0.0.1:1/v1"), "")


# -- counting -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("ab cd", 3), ("1889", 4), ("é", 2), ("北京", 5), ("a[1].", 5)]
)
def test_the_estimate_by_hand(text: str, tokens: int) -> None:
    """Letters and spaces a half, other ASCII one, other bytes .75; rounded up."""
    assert count_tokens(text) == tokens


@given(st.text(), st.text())
def test_the_estimate_grows_with_the_text(first: str, second: str) -> None:
    """Longer is never less, and a text never more than its parts."""
    whole = count_tokens(first + second)
    assert max(count_tokens(first), count_tokens(second)) <= whole
    assert whole <= count_tokens(first) + count_tokens(second)
