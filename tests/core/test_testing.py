"""The fakes keep what the seams promise."""

import math

import numpy as np
import pytest

from rag.errors import GenerationError
from rag.protocols import Decoding, Message
from rag.testing import HashEmbedder, ScriptedGenerator, WordTokenizer

TEXTS = ["The cat sleeps.", "猫在睡觉。", "", "…", "Кошка спит", "The cat sleeps."]


@pytest.mark.parametrize("method", ["embed_passages", "embed_queries"])
def test_vectors_have_the_promised_form(method: str) -> None:
    """One float32 vector of length 1 a text, even of a text without words."""
    embedder = HashEmbedder()
    vectors = getattr(embedder, method)(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dim) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-6)
    assert getattr(embedder, method)([]).shape == (0, embedder.dim)


def test_vectors_depend_on_the_text_alone() -> None:
    """The same text has the same vector, in any batch and from any instance."""
    together = HashEmbedder().embed_passages(TEXTS)
    alone = np.concatenate([HashEmbedder().embed_queries([text]) for text in TEXTS])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[0], together[5])


def test_texts_that_share_words_are_similar() -> None:
    """The fake ranks as a model would: shared words count."""
    cat, kitten, river = HashEmbedder().embed_passages(
        ["the cat drinks milk", "a cat likes milk", "ten countries"]
    )
    assert cat @ kitten > 0.4 > cat @ river


def test_the_embedder_counts_what_it_embeds() -> None:
    """Passages count, queries do not."""
    embedder = HashEmbedder()
    embedder.embed_passages(["a", "b"])
    embedder.embed_queries(["c"])
    assert embedder.embedded == 2


def test_the_tokenizer_gives_spans_in_order() -> None:
    """Tokens are words, CJK characters and marks; what lies between them is white space."""
    text = "A cat, 猫儿!\n"
    spans = WordTokenizer().offsets(text)
    assert [text[start:end] for start, end in spans] == ["A", "cat", ",", "猫", "儿", "!"]


def test_a_script_is_said_in_order_and_its_last_line_repeated() -> None:
    """A list of replies: one a call, then the last again; the prompts are kept."""
    generator = ScriptedGenerator(["first one", "second"], frozenset({"en"}))
    prompt = [Message("user", "Hello, you?")]
    said = ["".join(generator.stream(prompt, Decoding())) for _ in range(3)]
    assert said == ["first one", "second", "second"]
    assert generator.prompts == [prompt] * 3 and generator.languages == {"en"}
    assert generator.count_tokens(prompt) == 4


def test_a_script_can_answer_the_prompt() -> None:
    """A function of the prompt; what is streamed is its result to the letter."""
    generator = ScriptedGenerator(lambda messages: f"  You said:\n{messages[-1].content} ")
    pieces = list(generator.stream([Message("user", "a b")], Decoding()))
    assert len(pieces) > 1 and "".join(pieces) == "  You said:\na b "


def test_the_fake_finds_words_of_the_prompt_likely() -> None:
    """log .9 for each word or mark that the prompt has, log .01 for another, each text alone."""
    generator = ScriptedGenerator([""])
    prompt = [Message("system", "Be brief."), Message("user", "The cat drinks.")]
    known, mixed, none = generator.log_probabilities(prompt, ["Cat drinks.", "cat 猫", ""])
    assert known.tokens == 3 and known.total == pytest.approx(3 * math.log(0.9))
    assert mixed.tokens == 2 and mixed.total == pytest.approx(math.log(0.9) + math.log(0.01))
    assert (none.total, none.tokens) == (0.0, 0)
    with pytest.raises(GenerationError, match="holds 2048"):
        generator.log_probabilities(prompt, ["cat " * 2048])


def test_tokens_have_vectors_of_their_own() -> None:
    """A unit vector for each token, its span inside the text, and the word's own vector."""
    embedder = HashEmbedder()
    for text, found in zip(TEXTS, embedder.embed_tokens(TEXTS), strict=True):
        assert found.spans.tolist() == [list(span) for span in WordTokenizer().offsets(text)]
        assert found.spans.dtype == np.int64 and found.vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1.0, rtol=1e-6)
        words = [text[start:end] for start, end in found.spans.tolist()]
        np.testing.assert_array_equal(found.vectors, embedder.embed_queries(words))
    assert embedder.embed_tokens([]) == [] and embedder.embed_tokens([""])[0].spans.shape == (0, 2)
