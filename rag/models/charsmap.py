"""The character map of SentencePiece, in the binary form that tokenizers' Precompiled reads.

A map from single characters to strings becomes a double-array trie over UTF-8 bytes, laid out
as in Darts-clone (S. Yata, https://github.com/s-yata/darts-clone): each unit holds a label
byte, a leaf flag, and the XOR distance to its children. Before it stands the trie's length in
bytes (u32), after it the replacement strings, each ended by a zero byte.
"""

import struct
from collections.abc import Mapping
from itertools import count
from typing import TypeAlias

LEAF_FLAG = 1 << 8
VALUE_FLAG = 1 << 31
OFFSET_SHIFT = 10
BLOCK = 256

# One level of the trie: a byte leads to the next level, the key None to a value.
Node: TypeAlias = "dict[int | None, Node | int]"


def precompiled(mapping: Mapping[str, str]) -> bytes:
    """Return the charsmap that replaces each key of mapping by its value.

    Args:
        mapping: single characters, none of them U+0000, to their replacements.
    """
    strings = bytearray()
    places: dict[str, int] = {}
    root: Node = {}
    for key, value in mapping.items():
        if value not in places:
            places[value] = len(strings)
            strings += value.encode() + b"\0"
        _insert(root, key.encode(), places[value])
    units = _double_array(root)
    trie = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(trie)) + trie + bytes(strings)


def _insert(root: Node, key: bytes, value: int) -> None:
    node = root
    for byte in key:
        child = node.setdefault(byte, {})
        assert isinstance(child, dict)
        node = child
    node[None] = value


def _double_array(root: Node) -> list[int]:
    units: dict[int, int] = {0: 0}
    bases: set[int] = set()
    pending: list[tuple[int, Node]] = [(0, root)]
    end = 1
    while pending:
        place, node = pending.pop()
        # Gaps far behind stay gaps: looking at them again for each node takes 15 s.
        base = _free_base(node, units, bases, max(1, end - BLOCK))
        end = max(end, base)
        bases.add(base)
        # A parent finds its children by the distance to them; its own label stays.
        units[place] |= (place ^ base) << OFFSET_SHIFT
        for label, child in node.items():
            if isinstance(child, dict):
                assert label is not None
                units[base ^ label] = label
                pending.append((base ^ label, child))
            else:
                units[place] |= LEAF_FLAG
                units[base] = VALUE_FLAG | child
    # A reader may look at base ^ byte for any byte: the last block must be whole.
    size = (max(max(units), max(bases)) // BLOCK + 1) * BLOCK
    return [units.get(place, 0) for place in range(size)]


def _free_base(node: Node, units: Mapping[int, int], bases: set[int], start: int) -> int:
    # Bases differ, or a child of one node could be taken for a child of another.
    slots = [label or 0 for label in node]
    candidates = (place ^ slots[0] for place in count(start))
    return next(
        base
        for base in candidates
        if base not in bases and not any(base ^ slot in units for slot in slots)
    )
