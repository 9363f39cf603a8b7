"""Bytes to text: byte order marks, then strict UTF-8, then what the file declares, then chardet.

chardet was chosen over charset-normalizer after a trial on sentences in nine languages; the
counts are in docs/decisions/0003-loaders.md. UTF-8 comes before a declared encoding because
text that holds non-ASCII characters and yet decodes as UTF-8 is UTF-8, whatever its header
says: legacy text passes for it about never.
"""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

import chardet

from rag.loaders.source import REPLACEMENT, clean, failure

UTF8 = "utf-8"

# The order matters: the mark of UTF-16 LE begins the mark of UTF-32 LE.
_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Encodings that documents are found in. The Mac and mainframe ones are left out: offered them,
# the detector takes short Western text in cp1252 for them.
_NAMES = (
    "utf-16-le utf-16-be utf-32-le utf-32-be cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 "
    "cp1257 cp1258 cp874 iso8859-2 iso8859-5 iso8859-6 iso8859-7 iso8859-8 koi8-r koi8-u "
    "cp866 cp855 cp852 gb18030 big5hkscs cp932 euc_jis_2004 cp949"
)
_CANDIDATES = tuple(_NAMES.split())
# Seven-bit encodings: pure ASCII to the eye, so only a declaration tells them.
_STATEFUL = frozenset({"iso2022_jp", "iso2022_kr", "hz"})
# What is labelled with the left is written with the right, its superset (WHATWG Encoding).
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_jp": "euc_jis_2004",
    "euc_kr": "cp949",
    "tis-620": "cp874",
}
_CONTROLS = re.compile("[\0-\x07\x0e-\x1a\x1c-\x1f\x7f]")
_WIDE = re.compile(r"[^\x00-\x7f]+")
_SPACES = frozenset(" \n\N{IDEOGRAPHIC SPACE}，。")
_SAMPLE = 65536
_BINARY_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text (clean, without byte order mark) and the codec that it was read with."""

    text: str
    encoding: str

    @property
    def metadata(self) -> dict[str, str]:
        """The encoding where it is worth a remark: any but UTF-8."""
        return {} if self.encoding == UTF8 else {"encoding": self.encoding}


def decode(path: Path, data: bytes, declared: str = "") -> Decoded:
    """Return the text of data.

    Args:
        path: named in errors only.
        data: the whole file.
        declared: the encoding that the file claims, "" for none.
    Raises:
        LoadError: data is not text (a program, an image …) or its encoding is not recognised.
    """
    decoded = _marked(data) or _plain(data, _codec(declared)) or _detected(path, data)
    if _is_binary(decoded.text):
        problem = "is not text: many control characters, as in a program or an image"
        raise failure(path, f"{problem}; give it its true suffix, or remove it")
    return decoded


def _marked(data: bytes) -> Decoded | None:
    """Return the text behind a byte order mark, None where there is no mark."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return Decoded(_forced(data[len(mark) :], codec), codec)
    return None


def _plain(data: bytes, declared: str) -> Decoded | None:
    """Return data read as UTF-8 or as declared, None where neither yields text."""
    if declared in _STATEFUL and (text := _strict(data, declared)) is not None:
        return Decoded(text, declared)
    # Pure ASCII may still be UTF-16 without its mark, which shows as control characters.
    if (text := _utf8(data)) is not None and not _is_binary(text):
        return Decoded(text, UTF8)
    if declared and (text := _strict(data, declared)) is not None:
        return Decoded(text, declared)
    return None


def _strict(data: bytes, codec: str) -> str | None:
    """Return data decoded without a single error, None where that fails."""
    try:
        return clean(data.decode(codec))
    except (UnicodeError, LookupError):
        return None


def _forced(data: bytes, codec: str) -> str:
    """Return data decoded with U+FFFD for what is broken, one for a lone surrogate."""
    try:
        return clean(data.decode(codec, "surrogatepass"))
    except UnicodeError:
        return clean(data.decode(codec, "replace"))


def _utf8(data: bytes) -> str | None:
    """Return data as UTF-8, also where a few bytes of it are damaged; None where it is not.

    A cut-off last character or a flipped byte must not turn a whole document into mojibake:
    well-formed sequences that outnumber the broken ones 20 to 1 come from no other encoding.
    """
    text = _strict(data, UTF8)
    if text is not None:
        return text
    repaired = _forced(data, UTF8)
    wide = sum(len(run) for run in _WIDE.findall(repaired))
    damaged = repaired.count(REPLACEMENT)
    return repaired if wide - damaged >= 20 * damaged else None


def _detected(path: Path, data: bytes) -> Decoded:
    """Return data in the encoding that chardet finds likeliest."""
    # "ascii" stands for "nothing fits": pure ASCII does not come here unless it is no text.
    offered = (*_CANDIDATES, "ascii")
    found = chardet.detect(
        data, compat_names=False, include_encodings=offered, no_match_encoding="ascii"
    )
    name, mime = found["encoding"], found["mime_type"] or "text/plain"
    if name is None or not mime.startswith("text/"):
        what = mime if mime != "application/octet-stream" else "binary data"
        problem = f"is not text: its bytes look like {what}"
        raise failure(path, f"{problem}; give it its true suffix, or remove it")
    for codec in (_codec(name), name):
        if name != "ascii" and codec and (text := _strict(data, codec)) is not None:
            if codec.startswith("utf") and _SPACES.isdisjoint(text[:_SAMPLE]):
                break  # pairs of arbitrary bytes make wide characters, but no words
            return Decoded(text, codec)
    problem = "has an unknown encoding: neither UTF-8 nor one that could be detected"
    raise failure(path, f"{problem}; save it as UTF-8")


def _codec(label: str) -> str:
    """Return the codec to read text labelled so, "" for labels that are no help.

    A label of UTF-8 is tried anyway, and one of UTF-16 inside a file that could be read
    without knowing it is wrong (WHATWG HTML reads it as UTF-8, too).
    """
    try:
        name = codecs.lookup(label.strip()).name
    except (LookupError, ValueError):
        return ""
    name = _SUPERSETS.get(name, name)
    known = name in _STATEFUL or name in _CANDIDATES
    return name if known and not name.startswith("utf") else ""


def _is_binary(text: str) -> bool:
    """Whether more than one character in fifty is a control character or U+FFFD."""
    sample = text[:_SAMPLE]
    # `clean` has turned each NUL into the replacement character.
    odd = len(_CONTROLS.findall(sample)) + sample.count(REPLACEMENT)
    return odd > max(1, len(sample) * _BINARY_SHARE)
