"""The generator over a real server: `transformers serve` with the default model."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("openai")
pytest.importorskip("fastapi")

from rag.backends.openai_server import OpenAIGenerator, Server
from rag.citations import draft_claims
from rag.config import DEFAULT_GENERATOR
from rag.drafts import finished, read
from rag.errors import GenerationError
from rag.prompt import answer_prompt
from rag.protocols import Decoding, Message
from rag.types import Evidence, Passage

pytestmark = pytest.mark.model

QUESTION = "When was the tower finished?"
FACT = "The tower was finished in 1889."
COMMAND = "from transformers.cli.transformers import main; main()"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Server, str]]:
    """The address of a server on a free port of this machine, and the model's name there."""
    from rag.models import resolve

    folder = str(resolve(DEFAULT_GENERATOR).resolve())
    options = ["--host", "127.0.0.1", "--port", "0", "--device", "cpu", "--dtype", "float32"]
    environ = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "serve", folder, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if match := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            pytest.fail("the server did not start: " + "".join(said[-20:]))
        yield Server(match[1] + "/v1", window=2048, timeout=120, retries=0), folder
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def generator(served: tuple[Server, str]) -> OpenAIGenerator:
    server, folder = served
    return OpenAIGenerator(folder, server, "")


def facts() -> list[Evidence]:
    passage = Passage("p", "d", "a.txt", "A", FACT, 0, len(FACT), None, "", "en")
    return [Evidence(passage, FACT, 0, len(FACT), 1.0)]


def test_it_states_a_fact_in_pieces(generator: OpenAIGenerator) -> None:
    """The product's own prompt is answered piece by piece, and its claims read as any draft's."""
    messages = answer_prompt(QUESTION, facts())
    pieces = list(generator.stream(messages, Decoding(max_tokens=32, markers=1)))
    assert len(pieces) > 1
    claims = draft_claims("".join(pieces), 1, "en")
    assert "1889" in claims[0].text


def test_a_limit_is_told_as_a_cut(generator: OpenAIGenerator) -> None:
    """An answer that its limit ends is cut, and nothing of the open sentence is kept."""
    story = [Message("user", "Write a long story about a tower.")]
    draft = read(generator.stream(story, Decoding(max_tokens=5)))
    assert draft.cut and draft.text
    assert finished(draft, "en") == ""


def test_closing_cancels_the_work(generator: OpenAIGenerator) -> None:
    """The server works on one answer at a time: another is only had if the first was given up.

    1,500 tokens would take longer than the timeout; it runs out, and the test fails, if not.
    """
    story = [Message("user", "Write a very long story about a tower.")]
    stream = generator.stream(story, Decoding(max_tokens=1500, temperature=1.0, seed=1))
    next(stream)
    stream.close()
    assert read(generator.stream(story, Decoding(max_tokens=2))).text


def test_another_model_is_refused(served: tuple[Server, str]) -> None:
    """The server's own words reach the message."""
    server, _ = served
    other = OpenAIGenerator("no/such-model", server, "")
    with pytest.raises(GenerationError, match=r"answers 400 .*no/such-model"):
        read(other.stream([Message("user", "Hello?")], Decoding(max_tokens=2)))


def test_the_estimate_bounds_the_tokens_of_the_model() -> None:
    """No paragraph of the sample corpus has more tokens than are estimated, in any language."""
    from tokenizers import Tokenizer

    from rag.backends.openai_server import count_tokens
    from rag.models import resolve

    tokenizer = Tokenizer.from_file(str(resolve(DEFAULT_GENERATOR) / "tokenizer.json"))
    corpus = Path(__file__).parents[2] / "corpus"
    paths = [path for kind in ("md", "rst", "txt", "html") for path in corpus.glob(f"*.{kind}")]
    texts = [part for path in paths for part in path.read_text(encoding="utf-8").split("\n\n")]
    assert len(texts) > 50
    wrong = [t for t in texts if len(tokenizer.encode(t).ids) > count_tokens(t)]
    assert wrong == []
