"""The converter of e5-small, on a small file of the same layout."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ModelError
from rag.models import e5
from rag.models.charsmap import precompiled
from tests.models.e5_file import HIDDEN, INTERMEDIATE, PIECES, POSITIONS, e5_file, tensors


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("e5")
    (folder / "source").write_bytes(e5_file())
    (folder / "model").mkdir()
    e5.convert(folder / "source", folder / "model")
    return folder / "model"


def test_weights_are_what_the_blocks_stand_for(converted: Path) -> None:
    """Every weight equals the one computed by itself, under BERT's name and shape."""
    from safetensors.numpy import load_file

    found = load_file(converted / "model.safetensors")
    for name, (_, _, values) in tensors().items():
        tensor = found[e5._bert_name(name)]
        assert tensor.dtype == np.float32
        np.testing.assert_array_equal(tensor.reshape(-1), np.array(values, np.float32))
    assert found["encoder.layer.0.output.dense.weight"].shape == (HIDDEN, INTERMEDIATE)
    assert found["encoder.layer.0.intermediate.dense.weight"].shape == (INTERMEDIATE, HIDDEN)
    assert found["embeddings.position_embeddings.weight"].shape == (POSITIONS, HIDDEN)
    assert len(found) == len(tensors()) + 2


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("ab", ["▁ab"]),
        (" ab", ["▁ab"]),
        ("ab ", ["▁ab", "▁"]),
        ("a  \t ab", ["▁a", "▁ab"]),
        ("ａb", ["▁ab"]),
        ("a\x01b", ["▁ab"]),
        ("ae\u0301", ["▁a", "é"]),
        ("яяa", ["▁", "<unk>", "a"]),
    ],
)
def test_texts_become_the_pieces_of_xlm_r(converted: Path, text: str, pieces: list[str]) -> None:
    """Widths, control characters, runs of spaces and decomposed letters are folded."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(converted / "tokenizer.json"))
    bare = tokenizer.encode(text, add_special_tokens=False).ids
    assert [PIECES[number] for number in bare] == pieces
    assert tokenizer.encode(text).ids == [0, *bare, 2]


def test_the_configuration_names_prompts_and_pooling(converted: Path) -> None:
    """sentence-transformers finds the prefixes, mean pooling and the norm."""
    settings = json.loads((converted / "config_sentence_transformers.json").read_text())
    assert settings["prompts"] == {"query": "query: ", "passage": "passage: "}
    modules = json.loads((converted / "modules.json").read_text())
    assert [m["type"].rpartition(".")[2] for m in modules] == [
        "Transformer",
        "Pooling",
        "Normalize",
    ]
    pooling = json.loads((converted / "1_Pooling" / "config.json").read_text())
    assert pooling["pooling_mode_mean_tokens"] is True
    assert json.loads((converted / "config.json").read_text())["layer_norm_eps"] == 1e-12


@pytest.mark.parametrize(
    "data", [b"", b"GGUF" + bytes(100), e5_file()[:200], e5_file()[:-1]], ids=str
)
def test_a_damaged_file_is_refused(data: bytes, tmp_path: Path) -> None:
    """A file that ends early or is something else is a ModelError, not a wrong model."""
    (tmp_path / "source").write_bytes(data)
    with pytest.raises(ModelError, match="source is not a file of e5-small"):
        e5.convert(tmp_path / "source", tmp_path)


# Characters that stand alone: the reader looks at what the eye takes for one character.
LETTERS = "abz\tЯя中文ａ～½ﬁ한🙂𝄞"


@given(
    st.dictionaries(st.sampled_from(LETTERS), st.text(LETTERS, max_size=3), min_size=1),
    st.text(LETTERS, max_size=12),
)
def test_the_character_map_replaces_each_character(mapping: dict[str, str], text: str) -> None:
    """The trie that tokenizers reads does what the mapping says, and nothing else."""
    from tokenizers.normalizers import Precompiled

    expected = "".join(mapping.get(character, character) for character in text)
    assert Precompiled(precompiled(mapping)).normalize_str(text) == expected
