"""Bytes to text in the encodings that the users' documents come in."""

import random
from pathlib import Path

import pytest

from rag.errors import LoadError
from rag.loaders import load
from rag.loaders.encoding import decode
from tests.loaders.loader_files import CHINESE, HUNGARIAN, JAPANESE, RUSSIAN, TAIWANESE, write

PATH = Path("a.txt")
LEGACY = [
    (RUSSIAN, "cp1251"),
    (RUSSIAN, "koi8-r"),
    (RUSSIAN, "cp866"),
    (CHINESE, "gb18030"),
    (CHINESE, "gb2312"),
    (TAIWANESE, "big5"),
    (HUNGARIAN, "cp1250"),
    (HUNGARIAN, "iso8859-2"),
    (JAPANESE, "shift_jis"),
    (JAPANESE, "euc_jp"),
    ("Früher wohnten hier Bäcker und Müller; natürlich größer als heute.", "cp1252"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "codec"), LEGACY)
@pytest.mark.parametrize("repeat", [1, 40])
def test_legacy_encodings_are_recognised(text: str, codec: str, repeat: int) -> None:
    """One sentence is enough, and more text changes nothing."""
    content = f"{text}\n" * repeat
    decoded = decode(PATH, content.encode(codec))
    assert decoded.text == content
    assert decoded.metadata["encoding"] == decoded.encoding != "utf-8"


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Привет, как дела?", "cp1251"),
        ("Привет, как дела?", "koi8-r"),
        ("你好,世界", "gb18030"),
        ("語言模型", "big5"),
        ("Árvíztűrő tükörfúrógép", "cp1250"),
        ("Árvíztűrő tükörfúrógép", "iso8859-2"),
        ("jövő héten főzünk", "cp1250"),
    ],
)
def test_a_few_words_are_enough(text: str, codec: str) -> None:
    """Short notes are documents, too; ő and ű must not come out as õ and û."""
    assert decode(PATH, text.encode(codec)).text == text


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", [RUSSIAN, CHINESE, HUNGARIAN])
def test_a_byte_order_mark_decides_and_is_removed(text: str, codec: str) -> None:
    """The mark is not part of the text."""
    assert decode(PATH, text.encode(codec)).text == text


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("text", [RUSSIAN, CHINESE, HUNGARIAN, "Plain English, nothing else."])
def test_wide_encodings_without_a_mark_are_recognised(text: str, codec: str) -> None:
    """Windows programs write UTF-16 without a mark, too."""
    assert decode(PATH, text.encode(codec)).text == text


def test_utf8_is_no_remark(tmp_path: Path) -> None:
    """Metadata names the encoding only where it was a guess or a mark."""
    assert "encoding" not in load(write(tmp_path / "a.txt", RUSSIAN)).metadata
    parsed = load(write(tmp_path / "b.txt", RUSSIAN.encode("cp1251")))
    assert parsed.metadata["encoding"] == "cp1251"


def test_newlines_nul_and_surrogates_are_made_harmless() -> None:
    """Line ends become one kind; NUL and lone surrogates become U+FFFD one for one."""
    text = "a\r\nb\rc\n" + "word " * 40
    assert decode(PATH, text.encode()).text == "a\nb\nc\n" + "word " * 40
    assert decode(PATH, b"a\0b" + b" word" * 40).text.startswith("a\ufffdb word")
    lone = f"a\ud800b{' word' * 40}".encode("utf-16-le", "surrogatepass")
    assert decode(PATH, b"\xff\xfe" + lone).text.startswith("a\ufffdb word")
    assert decode(PATH, f"{RUSSIAN}\ud800!".encode("utf-8", "surrogatepass")).text.endswith(
        "\ufffd!"
    )


def test_other_controls_and_odd_spaces_stay() -> None:
    """Nothing else of a text file is changed."""
    text = "a\tb\x0cc\x1b[0m d\u2028e\u00a0f\u00ad\n\n\n  end  "
    assert decode(PATH, text.encode()).text == text


def test_damaged_utf8_is_still_utf8() -> None:
    """A character cut off at the end, or one flipped byte, does not change the encoding."""
    cut = (RUSSIAN * 5 + "я").encode()[:-1]
    assert decode(PATH, cut).text == RUSSIAN * 5 + "\ufffd"
    flipped = bytearray((RUSSIAN * 5).encode())
    flipped[20] = 0xFF
    assert decode(PATH, bytes(flipped)).encoding == "utf-8"


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01" + bytes(9) + bytes(range(256)) * 20,
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0" + bytes(range(256)),
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
        b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(range(256)),
        b"\x1f\x8b\x08\0" + random.Random(0).randbytes(500),
        bytes(1000),
        b"\x93NUMPY\x01\0F\0{'descr': '<f4', 'fortran_order': False}" + bytes(range(200)),
    ],
)
def test_binary_files_under_a_text_name_are_refused(data: bytes) -> None:
    """A program or an image is reported instead of indexed as noise."""
    with pytest.raises(LoadError, match=r"a\.txt is not text"):
        decode(PATH, data)


def test_bytes_of_no_encoding_are_refused() -> None:
    """What can not be decoded is an error with the remedy, not a line of question marks."""
    with pytest.raises(LoadError, match=r"not text|unknown encoding"):
        decode(PATH, random.Random(1).randbytes(200))


@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [
        ("windows-1250", "cp1250", "ő"),
        ("iso-8859-1", "cp1252", "“é”"),
        ("gb2312", "gb18030", "鎔"),
        ("shift_jis", "cp932", "①"),
        ("iso-2022-jp", "iso2022_jp", "東京"),
        ("utf-8", "cp1251", RUSSIAN),
        ("no-such-codec", "cp1251", RUSSIAN),
        ("unicode_escape", "cp1251", RUSSIAN),
        ("koi8-r", "utf-8", RUSSIAN),
    ],
)
def test_a_declared_encoding_helps_where_it_can_be_right(
    declared: str, codec: str, text: str
) -> None:
    """Labels mean their supersets; wrong or strange labels are passed over."""
    assert decode(PATH, text.encode(codec), declared).text == text
