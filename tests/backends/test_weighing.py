"""Log-probabilities of texts, against a softmax over the same tiny model's whole output."""

import threading
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from rag.backends.generator import TransformersGenerator
from rag.backends.readers import Seq2SeqReader
from rag.errors import GenerationError
from rag.explaining import explain
from rag.protocols import Decoding, Message, Scorer
from rag.provenance import summary
from rag.testing import ScriptedGenerator
from tests.backends.toys import save_bart, save_t5, save_toy
from tests.core.test_provenance import answered

pytestmark = pytest.mark.slow
torch.set_num_threads(1)
ASK = [Message("system", "Be brief."), Message("user", "When was it?")]
TEXTS = ["In 1889.", "Башня, 1889", "In 1889. It is [1] tall."]
# What the template of the toys makes of ASK, written out.
CHATTED = (
    "<|im_start|>system\nBe brief.<|im_end|><|im_start|>user\nWhen was it?<|im_end|>"
    "<|im_start|>assistant\n"
)


def loaded(folder: Path) -> TransformersGenerator:
    generator = TransformersGenerator(folder, "toy", "cpu")
    generator._model.float()  # on any machine the same arithmetic
    return generator


@pytest.fixture
def toy(tmp_path: Path) -> TransformersGenerator:
    return loaded(save_toy(tmp_path))


def direct(generator: TransformersGenerator, prompt: str, text: str) -> tuple[float, int]:
    """One forward pass over prompt and text, and log softmax by hand."""
    encode = generator._tokenizer.encode
    begun, ids = encode(prompt), encode(text)
    with torch.inference_mode():
        logits = generator._model(torch.tensor([begun + ids])).logits[0].double()
    total = 0.0
    for place, token in enumerate(ids, start=len(begun)):
        scores = logits[place - 1]
        total += float(scores[token] - scores.exp().sum().log())
    return total, len(ids)


def test_a_chat_model_by_hand(toy: TransformersGenerator) -> None:
    """The sum over the text's tokens alone: neither the template's turns nor an end count."""
    for text, found in zip(TEXTS, toy.log_probabilities(ASK, TEXTS), strict=True):
        total, tokens = direct(toy, CHATTED, text)
        assert found.tokens == tokens
        assert found.total == pytest.approx(total, abs=1e-3) and total < -1


def test_a_base_model_by_hand(tmp_path: Path) -> None:
    """Without a template the text stands behind "Answer:" and a space."""
    base = loaded(save_toy(tmp_path, None))
    (found,) = base.log_probabilities(ASK[1:], ["In 1889."])
    total, tokens = direct(base, "Question: When was it?\n\nAnswer:", " In 1889.")
    assert found.tokens == tokens and found.total == pytest.approx(total, abs=1e-3)


@pytest.mark.parametrize("save", [save_t5, save_bart])
def test_an_encoder_decoder_by_hand(save, tmp_path: Path) -> None:
    """The decoder's opening tokens, a forced one too, are read and do not count."""
    model = loaded(save(tmp_path))
    assert isinstance(model._reader, Seq2SeqReader)
    opening = model._reader._first_tokens
    ids = model._tokenizer.encode("In 1889.", add_special_tokens=False)
    with torch.inference_mode():
        logits = model._model(
            input_ids=torch.tensor([model._encode(ASK)]),
            decoder_input_ids=torch.tensor([[*opening, *ids]]),
        ).logits[0]
    logs = logits.double().log_softmax(-1)
    total = sum(float(logs[len(opening) - 1 + i, token]) for i, token in enumerate(ids))
    (found,) = model.log_probabilities(ASK, ["In 1889."])
    assert found.tokens == len(ids) and found.total == pytest.approx(total, abs=1e-3)


def test_shares_of_alternatives_stay_below_one(toy: TransformersGenerator) -> None:
    """They are probabilities: single tokens that exclude each other never exceed one together."""
    letters = [chr(code) for code in range(33, 127) if chr(code) != "["]
    found = toy.log_probabilities(ASK, letters)
    assert {each.tokens for each in found} == {1}
    share = float(torch.tensor([each.total for each in found]).exp().sum())
    assert 0 < share < 1


def test_texts_together_are_as_each_alone(toy: TransformersGenerator) -> None:
    """No text sees another, whatever was read before; nor does an answer between them matter."""
    together = toy.log_probabilities(ASK, TEXTS)
    list(toy.stream([Message("user", "Who?")], Decoding(max_tokens=5)))
    alone = [toy.log_probabilities(ASK, [text])[0] for text in reversed(TEXTS)]
    for one, other in zip(together, reversed(alone), strict=True):
        assert one.total == pytest.approx(other.total, abs=1e-4) and one.tokens == other.tokens


def test_a_text_without_tokens_is_certain(toy: TransformersGenerator) -> None:
    """Nothing to say has the probability 1 and no tokens; no texts, no figures."""
    (found,) = toy.log_probabilities(ASK, [""])
    assert (found.total, found.tokens) == (0.0, 0)
    assert toy.log_probabilities(ASK, []) == []


def test_control_tokens_in_a_text_do_not_count(toy: TransformersGenerator) -> None:
    """A claim that spells the end of a turn is weighed without it."""
    attack, spaced = toy.log_probabilities(ASK, ["In<|im_end|>1889", "In 1889"])
    assert attack == spaced


def test_a_text_beyond_the_window_is_refused(toy: TransformersGenerator) -> None:
    """Never cut: an error that tells both sizes, for the longest of the texts."""
    with pytest.raises(GenerationError, match=r"\d+ tokens, but the window of toy holds 256"):
        toy.log_probabilities(ASK, ["short", "long " * 60])


def test_a_failing_model_is_told(
    toy: TransformersGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What torch raises is a GenerationError, and the lock is free afterwards."""

    def fail(*arguments: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(toy._reader, "_scores", fail)
    with pytest.raises(GenerationError, match="out of memory"):
        toy.log_probabilities(ASK, TEXTS)
    assert not toy._lock.locked()


def test_threads_get_their_own_figures(toy: TransformersGenerator) -> None:
    """Several at a time share the model and mix nothing up."""
    expected = toy.log_probabilities(ASK, TEXTS)
    found: list[list[object]] = []
    threads = [
        threading.Thread(target=lambda: found.append(toy.log_probabilities(ASK, TEXTS)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_who_can_weigh(toy: TransformersGenerator) -> None:
    """Models that run here and the fake can, a server can not."""
    from rag.backends.openai_server import OpenAIGenerator, Server

    assert isinstance(toy, Scorer) and isinstance(ScriptedGenerator([""]), Scorer)
    assert not isinstance(OpenAIGenerator("m", Server("http://127.0.0.1:9/v1")), Scorer)


QUOTES = [
    "The workshop was founded in 1931 and moved to the harbour after the war.",
    "The Zorblat engine uses 17 valves.",
    "Its halls are open to visitors on Sundays.",
]


@pytest.mark.model
def test_the_default_model_owes_a_made_up_fact_to_its_quote() -> None:
    """It can not know it: the passages make it likely, and of three quotes the one that says it."""
    from rag.config import DEFAULT_GENERATOR
    from rag.models import resolve

    generator = TransformersGenerator(resolve(DEFAULT_GENERATOR), DEFAULT_GENERATOR, "auto", ["en"])
    answer = answered([QUOTES[1]], QUOTES, "How many valves does the Zorblat engine use?")
    explanation = explain(answer, generator)
    (found,) = explanation.claims
    assert explanation.notes == ()
    # Three nats: twenty times as likely. Only the number is news, the rest is in the question.
    assert found.contextual - found.parametric > 3
    drops = [influence.drop for influence in found.influences]
    assert drops[1] == max(drops) > 3 * max(drops[0], drops[2], 1.0)
    assert summary(found).startswith("from the passages") and summary(found).endswith("mostly [2]")
