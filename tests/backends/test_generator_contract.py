"""What every Generator promises: one suite for each of them, the fake included."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("openai")

from rag.backends.generator import TransformersGenerator
from rag.backends.openai_server import OpenAIGenerator, Server
from rag.citations import draft_claims
from rag.drafts import Draft, finished, read
from rag.errors import GenerationError
from rag.protocols import Decoding, Generator, Message
from rag.testing import ScriptedGenerator
from tests.backends.sse_server import Exchange, chunk, running
from tests.backends.toys import save_bart, save_t5, save_toy

ASK = [Message("system", "Be brief."), Message("user", "When?")]
torch.set_num_threads(1)  # a toy model gains nothing from more
TEXT = "In 1889 [1]. It is tall."


@dataclass(frozen=True)
class Subject:
    """A generator that has TEXT to say, whatever it is asked, and how many tokens that takes."""

    generator: Generator
    tokens: int


@pytest.fixture(params=["llama", "t5", "bart", "server", "scripted"])
def subject(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Subject]:
    if request.param == "scripted":
        yield Subject(ScriptedGenerator([TEXT]), 10)
    elif request.param == "server":
        with running() as server:
            server.behave(saying_words)
            yield Subject(OpenAIGenerator("m", Server(server.base_url, window=256), ""), 6)
    else:
        save: Callable[[Path], Path]
        save = {"llama": save_toy, "t5": save_t5, "bart": save_bart}[request.param]
        generator = TransformersGenerator(save(tmp_path), "toy", "cpu")
        yield Subject(generator, scripted(generator, monkeypatch))


def scripted(generator: TransformersGenerator, monkeypatch: pytest.MonkeyPatch) -> int:
    """Make a model choose the tokens of TEXT and then its end; return how many they are."""
    tokenizer = generator._tokenizer
    ids = tokenizer.encode(TEXT, add_special_tokens=False)
    ends = [*ids, tokenizer.eos_token_id]
    begun: dict[int, Iterator[int]] = {}

    def choose(_scores: object, _decoding: object, sampler: object) -> int:
        return next(begun.setdefault(id(sampler), iter(ends)))

    kept = []  # samplers stay alive, or another could have the id of a dead one

    def remember(scores: object, decoding: object, sampler: object) -> int:
        kept.append(sampler)
        return choose(scores, decoding, sampler)

    monkeypatch.setattr("rag.backends.generator._choose", remember)
    return len(ids)


def saying_words(exchange: Exchange) -> None:
    """Say TEXT a word at a time, max_tokens words of it, with the finish_reason that is due."""
    words = re.findall(r"\S+\s*", TEXT)
    limit = exchange.body["max_tokens"]
    exchange.begin()
    for word in words[:limit]:
        exchange.send(chunk(word))
    exchange.send(chunk(None, "length" if len(words) > limit else "stop"))
    exchange.send("[DONE]")


def test_it_tells_what_it_is(subject: Subject) -> None:
    """A name, a window and languages."""
    generator = subject.generator
    assert generator.name and generator.max_tokens >= 256
    assert isinstance(generator.languages, frozenset)


def test_it_yields_pieces_that_make_up_the_text(subject: Subject) -> None:
    """Several pieces, and nothing between or around them."""
    pieces = list(subject.generator.stream(ASK, Decoding(max_tokens=100, markers=1)))
    assert len(pieces) > 1 and "".join(pieces) == TEXT


def test_an_answer_that_ends_is_not_cut(subject: Subject) -> None:
    """With room to spare the text is whole, and kept whole."""
    draft = read(subject.generator.stream(ASK, Decoding(max_tokens=100, markers=1)))
    assert draft == Draft(TEXT, False) and finished(draft, "en") == TEXT


def test_an_answer_that_its_limit_ends_is_cut(subject: Subject) -> None:
    """Whatever the limit, the text is a beginning, and what is kept of it whole sentences."""
    for limit in (1, 3, subject.tokens // 2, subject.tokens - 1):
        draft = read(subject.generator.stream(ASK, Decoding(max_tokens=limit, markers=1)))
        assert draft.cut and TEXT.startswith(draft.text)
        assert finished(draft, "en").strip() in ("", "In 1889 [1].")


def test_its_markers_are_read_by_one_code(subject: Subject) -> None:
    """Whoever wrote them."""
    draft = read(subject.generator.stream(ASK, Decoding(max_tokens=100, markers=1)))
    found = [(c.text, c.cited, c.invented) for c in draft_claims(draft.text, 1, "en")]
    assert found == [("In 1889.", (1,), ()), ("It is tall.", (), ())]


def test_it_can_be_closed_at_any_time(subject: Subject) -> None:
    """Before the first piece, after it, twice, and after the end; then it answers on."""
    decoding = Decoding(max_tokens=100, markers=1)
    for pieces in (0, 1, 2):
        stream = subject.generator.stream(ASK, decoding)
        for _ in range(pieces):
            next(stream)
        stream.close()
        stream.close()
        assert list(stream) == []
    assert read(subject.generator.stream(ASK, decoding)).text == TEXT


def test_streams_may_be_open_together(subject: Subject) -> None:
    """Read in turns they say what they say alone."""
    decoding = Decoding(max_tokens=100, markers=1)
    streams = [subject.generator.stream(ASK, decoding) for _ in range(2)]
    begun = [next(stream) for stream in streams]
    assert [begin + "".join(rest) for begin, rest in zip(begun, streams, strict=True)] == [TEXT] * 2


def test_counting_grows_with_the_prompt(subject: Subject) -> None:
    """More messages or longer ones never count less."""
    count = subject.generator.count_tokens
    longer = [ASK[0], Message("user", "When? And where, and by whom?")]
    assert 0 < count(ASK[1:]) < count(ASK) < count(longer)


def test_a_prompt_beyond_the_window_is_refused_at_once(subject: Subject) -> None:
    """Not when the first piece is asked for, and never cut."""
    generator = subject.generator
    room = generator.max_tokens - generator.count_tokens(ASK)
    generator.stream(ASK, Decoding(max_tokens=room)).close()
    with pytest.raises(GenerationError, match="window"):
        generator.stream(ASK, Decoding(max_tokens=room + 1))
