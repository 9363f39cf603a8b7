"""Answers written together by a model: what each would be alone, whatever joins and leaves."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from rag.backends.generator import TransformersGenerator
from rag.backends.rows import SingleRows, TogetherRows, together
from rag.prompt import answer_prompt
from rag.protocols import Decoding, Message
from rag.types import Evidence, Passage
from tests.backends.toys import save_toy, toy_tokenizer

# Importing torch and transformers alone takes several seconds.
pytestmark = pytest.mark.slow
torch.set_num_threads(1)  # a toy model gains nothing from more

EXAMPLES = [Message("user", "One?"), Message("assistant", "Two [1].")]
QUESTIONS = ["When?", "Who built the tower, and why?", "何时？", "Когда?", "Mikor épült?", "x"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> TransformersGenerator:
    return TransformersGenerator(save_toy(tmp_path_factory.mktemp("toy")), "toy", "cpu")


def asked(number: int) -> tuple[list[Message], Decoding]:
    """Return one of many questions, with or without examples before it, greedy or sampled."""
    question = Message("user", QUESTIONS[number % len(QUESTIONS)])
    messages = [*EXAMPLES, question] if number % 4 else [question]
    temperature = 0.8 if number % 3 == 0 else 0.0
    return messages, Decoding(5 + 7 * (number % 5), number % 3, temperature, seed=number)


def text_of(generator: TransformersGenerator, number: int) -> str:
    messages, decoding = asked(number)
    return "".join(generator.stream(messages, decoding))


@pytest.mark.parametrize("most_tokens", [1, 700, 16_384])
def test_together_as_alone(toy, tmp_path: Path, most_tokens: int) -> None:
    """Of any length, with or without a shared prefix, greedy or sampled, with much room or none."""
    generator = TransformersGenerator(save_toy(tmp_path), "toy", "cpu", most_tokens=most_tokens)
    assert isinstance(generator._batch._model, TogetherRows)
    alone = [text_of(toy, n) for n in range(24)]
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(lambda n: text_of(generator, n), range(24))) == alone


def test_those_that_leave_change_nothing_for_those_that_stay(toy) -> None:
    """Every third is closed at a moment of its own; the others are what they are alone."""
    alone = [text_of(toy, n) for n in range(24)]

    def read(number: int) -> str:
        if number % 3 == 2:
            with closing(toy.stream(*asked(number))) as stream:
                for _ in range(random.Random(number).randrange(1, 6)):
                    next(stream, "")
            return alone[number]
        return text_of(toy, number)

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(read, range(24))) == alone


def test_a_row_whose_scores_are_nothing_fails_alone(toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sampling that fails for one of them is an error of that one."""
    from rag.backends import generator as module
    from rag.errors import GenerationError

    chosen = module._choose

    def choose(scores, decoding, sampler):
        if decoding.seed == 5:
            raise RuntimeError("probability tensor contains nan")
        return chosen(scores, decoding, sampler)

    alone = [text_of(toy, n) for n in range(10)]
    monkeypatch.setattr(module, "_choose", choose)
    with ThreadPoolExecutor(10) as pool:
        futures = [pool.submit(text_of, toy, n) for n in range(10)]
    with pytest.raises(GenerationError, match="nan"):
        futures.pop(5).result()
    assert [each.result() for each in futures] == alone[:5] + alone[6:]


def small(kind: str, **more: object) -> "transformers.PreTrainedConfig":
    """Return the configuration of a tiny model of a kind."""
    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256}
    tokenizer = toy_tokenizer()
    ids = {"vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id}
    made = {**sizes, **heads, **ids, "bos_token_id": None, "pad_token_id": 0, **more}
    return transformers.AutoConfig.for_model(kind, **made)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (lambda: small("qwen2"), True),
        (lambda: small("qwen3", head_dim=8), True),
        (lambda: small("mistral", sliding_window=None), True),
        (lambda: small("mistral", sliding_window=16), False),
        (lambda: small("gemma3_text", head_dim=8), False),
        (lambda: small("gpt2", n_embd=32, n_layer=2, n_head=4), False),
    ],
    ids=["qwen2", "qwen3", "mistral", "sliding", "gemma3", "gpt2"],
)
def test_kinds_of_models(
    tmp_path: Path, config: Callable[[], "transformers.PreTrainedConfig"], expected: bool
) -> None:
    """Whatever can not take steps together takes them one by one; texts are the same either way."""
    torch.manual_seed(0)
    made = config()
    made.initializer_range = 0.5
    model = transformers.AutoModelForCausalLM.from_config(made)
    model.save_pretrained(tmp_path)
    toy_tokenizer().save_pretrained(tmp_path)
    generator = TransformersGenerator(tmp_path, "toy", "cpu")
    assert together(generator._model) is expected
    rows = generator._batch._model
    assert isinstance(rows, TogetherRows if expected else SingleRows)
    found = [text_of(generator, n) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda n: text_of(generator, n), range(6))) == found
    for thread in threading.enumerate():
        if thread.name == "writing":
            thread.join(10)
    generator._batch._model = SingleRows(generator._reader, generator._lock)
    assert [text_of(generator, n) for n in range(6)] == found


FACTS = (
    ("en", "The tower was finished in 1889 and has 1,665 steps.", "When was it finished?"),
    ("en", "Milk is kept in the cellar because it stays cool there.", "Where is milk kept?"),
    ("en", "Byte pair encoding merges the most frequent pair.", "What does BPE merge?"),
    ("ru", "Башня была построена в 1889 году.", "Когда была построена башня?"),
    ("ru", "Дунай впадает в Чёрное море.", "Куда впадает Дунай?"),
    ("hu", "A tornyot 1889-ben fejezték be.", "Mikor fejezték be a tornyot?"),
    ("hu", "A Duna a Fekete-tengerbe ömlik.", "Hova ömlik a Duna?"),
    ("zh", "这座塔于1889年建成。", "这座塔是什么时候建成的？"),
    ("zh", "多瑙河流入黑海。", "多瑙河流入哪里？"),
    ("de", "Der Turm wurde 1889 fertiggestellt.", "Wann wurde der Turm fertig?"),
)


@pytest.mark.model
def test_the_default_model_writes_the_same_together() -> None:
    """Ten greedy answers over five languages at once: at least 95% are those alone."""
    from rag.config import DEFAULT_GENERATOR
    from rag.models import resolve

    path = resolve(DEFAULT_GENERATOR)
    generator = TransformersGenerator(path, DEFAULT_GENERATOR, "auto", ["en"])
    assert isinstance(generator._batch._model, TogetherRows)

    def write(fact: tuple[str, str, str]) -> str:
        language, text, question = fact
        passage = Passage("p", "d", "a.txt", "A", text, 0, len(text), None, "", language)
        messages = answer_prompt(question, [Evidence(passage, text, 0, len(text), 1.0)])
        return "".join(generator.stream(messages, Decoding(24, 1)))

    alone = [write(fact) for fact in FACTS]
    with ThreadPoolExecutor(10) as pool:
        at_once = list(pool.map(write, [*FACTS, *FACTS]))
    same = sum(a == b for a, b in zip(at_once, [*alone, *alone], strict=True))
    assert same >= 0.95 * len(at_once)
