"""Compare what the loader reads of an HTML manual with what a browser shows of it.

python evals/manual.py FOLDER [--pages 30] [--seed 1] [--content CSS] [--ingest]

Every page is loaded; of a sample, the words are compared with `innerText` of the page's content
in headless Chromium (Debian: apt install chromium; the manual: apt install python3-doc, whose
pages are below /usr/share/doc/python3.11/html). Prints one line of JSON; with --ingest the
folder is also ingested with the hashing embedder.
"""

import argparse
import html
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from rag.config import Config
from rag.errors import LoadError
from rag.ingest import ingest
from rag.loaders import load
from rag.loaders.tables import Row
from rag.testing import HashEmbedder

CONTENT = "main, [role=main], article, body"
AGREES = 0.98
WORD = re.compile(r"\w+|[^\w\s]")
# The first of the selectors that matches anything, as the reader of the page sees it.
SCRIPT = """<script>addEventListener("load", () => {
  // What leads to other places is no text of the page, though it is shown.
  document.querySelectorAll("nav, [role=navigation], [role=doc-toc], .headerlink")
    .forEach(each => each.remove());
  const at = %s.split(",").map(each => document.querySelector(each)).find(each => each);
  const text = at.innerText, title = document.title;
  document.documentElement.innerHTML = '<body><pre id="title"></pre><pre id="text"></pre></body>';
  document.getElementById("title").textContent = title;
  document.getElementById("text").textContent = text;
});</script>"""
SHOWN = re.compile(r'<pre id="title">(.*?)</pre><pre id="text">(.*?)</pre></body>', re.S)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a page's words agree, as multisets: shares of the browser's and of the loader's."""

    page: str
    recall: float
    precision: float
    title: bool
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return min(self.recall, self.precision) >= AGREES and self.title


def shown(page: Path, content: str, work: Path) -> tuple[str, str]:
    """Return title and text of a page as Chromium shows them."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("Chromium is not installed (Debian: apt install chromium)")
    source = page.read_bytes().decode("utf-8", "replace")
    # A copy, for its script; what it refers to is found where the page is.
    copy = work / "page.html"
    base = f'<head><base href="{page.resolve().parent.as_uri()}/">'
    source = re.sub(r"<head[^>]*>", lambda _: base, source, count=1)
    copy.write_text(source + SCRIPT % json.dumps(content), encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={work}/b"]
    done = subprocess.run(
        [*command, "--virtual-time-budget=10000", "--dump-dom", copy.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = SHOWN.search(done.stdout)
    if found is None:
        raise SystemExit(f"Chromium did not show {page}")
    return html.unescape(found[1]), html.unescape(found[2])


def plain(rows: Iterable[Row]) -> Iterator[str]:
    """Yield rows of a table as a browser shows them, without the titles of their columns."""
    return (" | ".join(row.own()) for row in rows)


def compare(page: Path, name: str, content: str, work: Path) -> Agreement:
    title, text = shown(page, content, work)
    # A row of a table repeats the titles of its columns, which a browser shows once.
    with patch("rag.loaders.html_tables.lines", plain):
        parsed = load(page)
    theirs, ours = Counter(WORD.findall(text)), Counter(WORD.findall(parsed.text))
    # Bars of tables and marks of lists are the loader's, and a browser draws the latter.
    for counter in (theirs, ours):
        for mark in "|-•":
            del counter[mark]
        for number in [word for word in counter if word.isdigit() and len(word) < 3]:
            del counter[number]
    common = (theirs & ours).total()
    return Agreement(
        name,
        common / max(theirs.total(), 1),
        common / max(ours.total(), 1),
        " ".join(title.split()) == parsed.title,
        tuple((theirs - ours).elements())[:12],
        tuple((ours - theirs).elements())[:12],
    )


def ingested(folder: Path) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as work:
        config = Config(index_dir=Path(work), embedder="hash")
        report = ingest([folder], "manual", HashEmbedder(), config)
    return {
        "documents": report.added,
        "failed": len(report.failed),
        "passages": report.passages,
        "seconds": round(report.seconds, 1),
    }


def loaded(pages: Sequence[Path]) -> dict[str, object]:
    failed = []
    started = time.perf_counter()
    for page in pages:
        try:
            load(page)
        except LoadError as error:
            failed.append(str(error))
    seconds = time.perf_counter() - started
    return {"pages": len(pages), "failed": failed, "seconds": round(seconds, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--content", default=CONTENT, help="CSS selectors, the first that matches")
    parser.add_argument("--ingest", action="store_true")
    args = parser.parse_args()
    pages = sorted(args.folder.rglob("*.html"))
    result: dict[str, object] = {"loaded": loaded(pages)}
    sample = random.Random(args.seed).sample(pages, min(args.pages, len(pages)))
    with tempfile.TemporaryDirectory() as work:
        found = [
            compare(page, str(page.relative_to(args.folder)), args.content, Path(work))
            for page in sample
        ]
    for each in found:
        if not each.agrees:
            print(each, file=sys.stderr)
    result |= {
        "compared": len(found),
        "agree": sum(each.agrees for each in found),
        "recall": round(sum(each.recall for each in found) / len(found), 4),
        "precision": round(sum(each.precision for each in found) / len(found), 4),
        "worst": round(min(min(each.recall, each.precision) for each in found), 4),
    }
    if args.ingest:
        result["ingested"] = ingested(args.folder)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
