"""Malformed files, bombs and hostile names: each fails alone, soon, and in little memory."""

import os
import random
import re
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from rag import loaders
from rag.config import Config
from rag.errors import LoadError
from rag.ingest import ingest
from rag.loaders.ocr import OFF
from rag.parsing import Workers
from rag.store import Store
from rag.testing import HashEmbedder
from tests.acceptance.conftest import scaled
from tests.core.bench import CORPUS, ROOT

SECONDS = 10.0
MEGABYTES = 512
PEAK = re.compile(r"VmHWM:\s+(\d+)")
REAL = [
    path
    for folder in (CORPUS, ROOT / "tests" / "loaders" / "files")
    for path in sorted(folder.rglob("*"))
    if path.is_file() and loaders.kind(path)
]


def malformed(case: int) -> tuple[str, bytes]:
    """Return a real file, damaged, under a suffix that may be another's."""
    chance = random.Random(case)
    path = chance.choice(REAL)
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 10, 100))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at : at + 64] = bytes(len(data[at : at + 64]))
        elif kind == 2:
            data[at:at] = chance.randbytes(16)
        elif kind == 3:
            data[at:at] = data[: chance.randrange(256)]
        elif chance.random() < 0.1:
            del data[at:]
    suffix = path.suffix if chance.random() < 0.8 else chance.choice(sorted(loaders.LOADERS))
    return f"bad{case}{suffix}", bytes(data)


def bombs(folder: Path) -> Iterator[Path]:
    """Write files that are small, or simple, and cost much to read."""
    deep, wide = 200_000, 5_000_000
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "lol">{lol}]><d>&l9;</d>'
    system = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    outside = f'<?xml version="1.0"?>{system}<d>&x;</d>'
    texts = {
        "nested.html": "<div>" * deep,
        "tables.html": "<table><tr><td>" * 20_000,
        "entities.html": xml,
        "attributes.html": f"<p {' '.join(f'a{n}=1' for n in range(200_000))}>text</p>",
        "comment.html": "<!--" * 500_000,
        "quotes.md": ">" * 100_000 + " deep",
        "lists.md": "".join("  " * n + "- item\n" for n in range(1_500)),
        "brackets.md": "[" * 100_000,
        "stars.md": "*a " * 200_000,
        "backticks.md": "".join("`" * n + " " for n in range(2_000)),
        "links.md": "[a](" * 50_000,
        "table.md": "|" * wide,
        "front.md": "---\na: &a [x]\n" + "b: [*a]\n" * 5000 + "---\nx",
        "yaml.md": "---\n" + "- " * 50_000 + "\n---\ntext",
        "line.txt": "a" * wide,
        "stops.txt": "字。" * (wide // 4),
        "spaces.txt": " " * wide + "a",
        "breaks.txt": "\n" * wide + "a",
        "marks.txt": "a" + "\u0301" * 1_000_000,
        "numbers.txt": "1,234 " * 500_000,
        "includes.rst": ".. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n\ntext",
        "titles.rst": "".join(f"T{n}\n{chr(33 + n % 90) * 3}\n\n" for n in range(3000)),
        "roles.rst": "`" * 300_000,
    }
    if ".json" in loaders.LOADERS:
        texts["deep.json"] = "[" * 1_000_000
        texts["number.json"] = "[" + "9" * 1_000_000 + "]"
        texts["many.json"] = "[" + "{}," * 1_000_000 + "{}]"
    if ".csv" in loaders.LOADERS:
        texts["wide.csv"] = "," * wide
        texts["quote.csv"] = '"' + "a," * (wide // 2)
    for name, text in texts.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        yield path
    zeros = b"0" * (1 << 20)
    for name, inner in (
        ("bomb.docx", "word/document.xml"),
        ("bomb.xlsx", "xl/worksheets/sheet1.xml"),
        ("bomb.pptx", "ppt/presentation.xml"),
        ("bomb.odt", "content.xml"),
        ("bomb.epub", "META-INF/container.xml"),
    ):
        if Path(name).suffix not in loaders.LOADERS:
            continue
        for kind, content in (("", None), ("lol-", xml), ("xxe-", outside)):
            path = folder / (kind + name)
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                if content is not None:
                    archive.writestr(inner, content)
                    continue
                with archive.open(inner, "w", force_zip64=True) as out:
                    for _ in range(1024):
                        out.write(zeros)
            yield path
    stream = zlib.compress(zeros * 1024, 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 2 0 R]/Count 1000000>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream),
    ]
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % pair for pair in enumerate(objects, 1))
    path = folder / "bomb.pdf"
    path.write_bytes(b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R/Size 5>>\n%%EOF")
    yield path


def names(count: int) -> list[bytes]:
    """Return names that a file system takes and a program may stumble over."""
    odd = [
        b"-rf", b"--help", b"a\nb", b"a\rb", b"a\tb", b" lead", b"trail ", b"dot.", b"'; DROP--",
        b'"', b"`id`", b"$(id)", b"%s%n", b"<b>x", b"&amp;", b"\x1b[31m", b"\xff\xfe", b"\xc3\x28",
        b"con", b"nul", b"*", b"?", b"[a]", b"{a}", b"~", b"#", b"|", b"\\", b"..a", b"a..",
        "\u202egnp".encode(), "\ufeffbom".encode(), "\u200bzero".encode(), "e\u0301".encode(),
        "é".encode(), "İ".encode(), "ß".encode(), "文件".encode(), "файл".encode(), "😀".encode(),
        b"x" * 240, "字".encode() * 80,
    ]  # fmt: skip
    chance = random.Random(3)
    while len(odd) < count:
        made = bytes(chance.choice(b"ab .-_%\\'\"\x01\x7f\x80\xe9\xff") for _ in range(12))
        odd.append(b"n" + made)
    return list(dict.fromkeys(odd))[:count]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """Processes that read files, scans not: OCR takes seconds a page and has limits of its own."""
    with closing(Workers(2, OFF)) as made:
        yield made


@contextmanager
def watched(workers: Workers) -> Iterator[list[int]]:
    """Give the memory of the processes in MB, looked at 50 times a second."""
    peaks, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for identity in workers.processes():
                with suppress(OSError, IndexError):
                    status = Path(f"/proc/{identity}/status").read_text()
                    peaks.append(int(PEAK.findall(status)[0]) >> 10)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


def outcome(workers: Workers, path: Path) -> str:
    """Read a file and return what came of it; fail if it took long or told no reason."""
    started = time.monotonic()
    try:
        parsed = workers.submit(path, path.stat().st_size).result()
        told = "read"
        assert "root:" not in parsed.text, path.name
    except LoadError as error:
        told = str(error)
        assert "\n" not in told and len(told) < 1000, path.name
    limit = SECONDS + path.stat().st_size / (1 << 20)
    assert time.monotonic() - started < limit, (path.name, told)
    return told


def test_bombs(workers: Workers, tmp_path: Path) -> None:
    """Each is read or refused, in time and in memory."""
    with watched(workers) as peaks:
        outcomes = {path.name: outcome(workers, path) for path in bombs(tmp_path)}
    assert len(outcomes) >= 25
    print(f"at most {max(peaks)} MB")
    assert 20 < max(peaks) < MEGABYTES
    assert "read" not in {told for name, told in outcomes.items() if name.startswith("bomb.")}


def test_malformed_files(workers: Workers, tmp_path: Path) -> None:
    """A damaged file is read as far as it can be, or refused."""
    refused = 0
    for case in range(scaled(500, 40)):
        name, data = malformed(case)
        path = tmp_path / name
        path.write_bytes(data)
        refused += outcome(workers, path) != "read"
    print(f"{refused} refused")


def test_the_rest_is_ingested(tmp_path: Path) -> None:
    """Among bad files and hostile names all good ones are found, and nothing else is written."""
    docs, indexes = tmp_path / "docs", tmp_path / "indexes"
    docs.mkdir()
    good = []
    for number, name in enumerate(names(scaled(200, 60))):
        path = docs / os.fsdecode(name + b".txt")
        try:
            path.write_text(f"Good neighbour number {number}.")
        except OSError:
            continue
        # A name that is no text is passed over, and told; a hidden one without a word.
        if name.decode("utf-8", "replace").encode() == name and not name.startswith(b"."):
            good.append(number)
    for case in range(scaled(100, 10)):
        name, data = malformed(1000 + case)
        (docs / name).write_bytes(data)
    (docs / "pipe.txt").unlink(missing_ok=True)
    os.mkfifo(docs / "pipe.txt")
    (docs / "link.txt").symlink_to("/etc/passwd")
    before = {path for path in tmp_path.rglob("*") if indexes not in path.parents}
    report = ingest([docs], "default", HashEmbedder(), Config(index_dir=indexes))
    assert {path for path in tmp_path.rglob("*") if indexes not in path.parents} - before == {
        indexes
    }
    assert all(failure.reason and "\n" not in failure.reason for failure in report.failed)
    assert {failure.source for failure in report.skipped} >= {"pipe.txt", "link.txt"}
    with closing(Store(indexes / "default")) as store:
        texts = {passage.text for passage in store.passages(store.rows()[0].tolist()).values()}
    assert {f"Good neighbour number {number}." for number in good} <= texts
