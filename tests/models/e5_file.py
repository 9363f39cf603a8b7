"""A file of the layout of e5-small-q4.bin with a few thousand weights."""

import random
import struct

import numpy as np

HIDDEN, LAYERS, INTERMEDIATE, VOCABULARY, POSITIONS = 32, 1, 64, 14, 16
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "▁a", "ab", "▁ab", "é", "<mask>"]
SCORES = [0.0, 0.0, 0.0, 0.0, -2.0, -3.0, -3.0, -2.5, -3.5, -2.6, -4.0, 0.0]
CHARACTERS = {"\t": " ", "ａ": "a", "\x01": ""}


def q4(rows: int, columns: int, seed: int) -> tuple[bytes, list[float]]:
    """Return random weights in blocks of 32, and, one by one, what they stand for."""
    source = random.Random(seed)
    data, values = b"", []
    for _ in range(rows * columns // 32):
        scale = np.float16(source.uniform(0.01, 0.1))
        packed = bytes(source.randrange(256) for _ in range(16))
        data += scale.tobytes() + packed
        values += [((byte & 15) - 8) * float(scale) for byte in packed]
        values += [((byte >> 4) - 8) * float(scale) for byte in packed]
    return data, values


def tensors() -> dict[str, tuple[int, bytes, list[float]]]:
    shapes = {"emb.word": (VOCABULARY, HIDDEN)}
    plain = {"emb.pos": POSITIONS * HIDDEN, "emb.type": 2 * HIDDEN}
    plain |= {"emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN}
    for name in ("q", "k", "v", "ao"):
        shapes[f"l0.{name}.w"] = (HIDDEN, HIDDEN)
        plain[f"l0.{name}.b"] = HIDDEN
    shapes |= {"l0.fi.w": (INTERMEDIATE, HIDDEN), "l0.fo.w": (HIDDEN, INTERMEDIATE)}
    plain |= {"l0.fi.b": INTERMEDIATE, "l0.fo.b": HIDDEN}
    plain |= {f"l0.{name}.{kind}": HIDDEN for name in ("aln", "oln") for kind in "wb"}
    found: dict[str, tuple[int, bytes, list[float]]] = {}
    for seed, (name, (rows, columns)) in enumerate(shapes.items()):
        found[name] = (1, *q4(rows, columns, seed))
    for name, size in plain.items():
        values = [float(np.float32(i / size)) for i in range(size)]
        found[name] = (0, struct.pack(f"<{size}f", *values), values)
    return found


def e5_file() -> bytes:
    """Return a file of the layout that the converter reads."""
    blob = [piece.encode() for piece in PIECES]
    offsets = [sum(map(len, blob[:i])) for i in range(len(blob) + 1)]
    characters = b"".join(
        struct.pack(f"<IB{len(value)}I", ord(key), len(value), *map(ord, value))
        for key, value in CHARACTERS.items()
    )
    head = b"E5S1" + struct.pack(
        "<I7ifi", 1, HIDDEN, LAYERS, 2, INTERMEDIATE, VOCABULARY, POSITIONS, 2, 1e-12, 32
    )
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, offsets[-1])
    head += struct.pack(f"<{len(offsets)}I{len(SCORES)}f", *offsets, *SCORES) + b"".join(blob)
    head += struct.pack("<iI", len(CHARACTERS), len(characters)) + characters
    parts = tensors()
    directory = 4 + sum(2 + len(name) + 21 for name in parts)
    at = len(head) + directory
    head += struct.pack("<i", len(parts))
    for name, (dtype, data, values) in parts.items():
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", dtype, len(values), at, len(data))
        at += len(data)
    return head + b"".join(data for _, data, _ in parts.values())
