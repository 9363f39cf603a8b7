"""Generators with an encoder, and sampling: tiny random models against transformers' own."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from rag.backends.generator import TransformersGenerator, _choose
from rag.backends.markers import marker_tokens
from rag.drafts import read
from rag.errors import ModelError
from rag.protocols import Decoding, Message
from tests.backends.toys import save_bart, save_t5, save_toy

ASK = [Message("user", "When was the tower built?")]
torch.set_num_threads(1)


@pytest.fixture(scope="module", params=[save_t5, save_bart])
def toy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    folder = request.param(tmp_path_factory.mktemp("seq2seq"))
    return TransformersGenerator(folder, "toy/seq2seq", "cpu")


def test_greedy_equals_transformers(toy: TransformersGenerator) -> None:
    """Greedy text is that of generate(), the forced first token of BART included."""
    ids = torch.tensor([toy._encode(ASK)])
    brackets = [i for i, text in marker_tokens(toy._tokenizer).items() if "[" in text]
    expected = toy._model.generate(
        ids, max_new_tokens=30, do_sample=False, num_beams=1, suppress_tokens=brackets
    )
    text = toy._tokenizer.decode(expected[0], skip_special_tokens=True)
    draft = read(toy.stream(ASK, Decoding(max_tokens=29)))
    assert len(draft.text) > 5
    assert text.startswith(draft.text.rstrip("\ufffd"))


def test_the_answer_depends_on_the_whole_prompt(toy: TransformersGenerator) -> None:
    """The encoder reads the question, and the decoder what the encoder read."""
    decoding = Decoding(max_tokens=20)
    other = [Message("user", "Who wrote the book?")]
    assert read(toy.stream(ASK, decoding)) != read(toy.stream(other, decoding))


def test_the_prompt_ends_as_the_tokenizer_ends_it(toy: TransformersGenerator) -> None:
    """A base model's special tokens are part of its prompt, and are counted."""
    ids = toy._encode(ASK)
    assert ids[-1] == toy._tokenizer.eos_token_id
    assert toy.count_tokens(ASK) == len(ids)


def test_lines_do_not_end_the_answer(
    toy: TransformersGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a model ends its answer itself, template or none."""
    ids = iter(toy._tokenizer.encode("One.\nTwo."))
    monkeypatch.setattr("rag.backends.generator._choose", lambda *_: next(ids))
    assert read(toy.stream(ASK, Decoding(max_tokens=50))).text == "One.\nTwo."


def test_a_model_that_names_no_first_token(tmp_path: Path) -> None:
    """Without a token to start the decoder with, the model can not be used, and it says so."""
    folder = save_t5(tmp_path)
    for name in ("config.json", "generation_config.json"):
        text = (folder / name).read_text().replace("decoder_start_token_id", "unknown_setting")
        (folder / name).write_text(text)
    with pytest.raises(ModelError, match="names no decoder_start_token_id"):
        TransformersGenerator(folder, "toy", "cpu")


@pytest.mark.parametrize(
    ("top_p", "possible"),
    [(0.01, {0}), (0.5, {0}), (0.51, {0, 2}), (0.8, {0, 2}), (0.81, {0, 1, 2}), (1.0, {0, 1, 2})],
)
def test_the_nucleus_by_hand(top_p: float, possible: set[int]) -> None:
    """Of the shares .5, .2, .3 the smallest set of likeliest tokens that reaches top_p is drawn."""
    scores = torch.tensor([0.5, 0.2, 0.3]).log()
    sampler = torch.Generator().manual_seed(0)
    decoding = Decoding(temperature=1.0, top_p=top_p)
    assert {_choose(scores.clone(), decoding, sampler) for _ in range(200)} == possible


def test_a_low_temperature_is_nearly_greedy() -> None:
    """Scores are divided by the temperature: at .1 shares of .5 and .3 become .99 and .01."""
    scores = torch.tensor([0.5, 0.2, 0.3]).log()
    sampler = torch.Generator().manual_seed(0)
    drawn = [_choose(scores, Decoding(temperature=0.1), sampler) for _ in range(200)]
    assert drawn.count(0) > 190


def test_sampling_with_a_nucleus_follows_its_seed(tmp_path: Path) -> None:
    """The same seed gives the same text, another seed another."""
    model = TransformersGenerator(save_toy(tmp_path), "toy", "cpu")
    texts = [
        read(model.stream(ASK, Decoding(40, temperature=1.0, seed=seed, top_p=0.9))).text
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]
