"""Questions drafted from the documents of an index, with their gold passages, for a person to
prune: what a heading promises, and sentences with a number or a name left out."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from rag.evaluation import falsify
from rag.evaluation.perturbation import whole_sentences
from rag.store import Store
from rag.types import Document

HEADINGS = {
    "en": "What is said about “{}”?",
    "zh": "关于“{}”,文中说了什么?",
    "ru": "Что сказано о разделе «{}»?",
    "hu": "Mit mond a szöveg erről: „{}”?",
    "de": "Was wird über „{}“ gesagt?",
}
GAPS = {
    "en": "What belongs in the gap: “{}”?",
    "zh": "空白处应填什么:“{}”?",
    "ru": "Что пропущено: «{}»?",
    "hu": "Mi hiányzik innen: „{}”?",
    "de": "Was fehlt hier: „{}“?",
}
GAP = "____"
HEADING, NUMBER, NAME = "heading", "number", "name"
_SECTION = 1_500
"""Characters behind a heading in which its evidence is looked for."""
_EACH = 12
"""Questions of a kind that a document gives before the draw."""
# Chinese sets no space beside a number.
_NUMBER = re.compile(r"(?<![A-Za-z\d.,])\d+(?:[.,]\d+)*(?![A-Za-z.,]*\d)")
# "4. ", "2.1 ", "五、": of a list or a heading, no part of what it says.
_ENUMERATOR = re.compile(r"(?:\d+(?:\.\d+)+\.?\s+|\d+[.)](?!\d)\s*|[一二三四五六七八九十]+、\s*)")


@dataclass(frozen=True, slots=True)
class Draft:
    """A line of the file: a question of `rag.evaluation.formats`, marked as a draft."""

    id: str
    question: str
    answers: tuple[str, ...]
    sources: tuple[str, ...]
    evidence: tuple[str, ...]
    answerable: bool
    lang: str
    type: str
    draft: bool = True


def drafts(store: Store, limit: int, seed: int) -> list[Draft]:
    """Return at most so many questions: documents and kinds take turns, the rest is by chance.

    Documents in other languages than those of HEADINGS give none.
    """
    random = Random(seed)
    documents = list(_documents(store))
    common = Counter(h.title.strip().casefold() for d in documents for h in d.headings)
    queues = []
    for document in documents:
        if document.language not in HEADINGS:
            continue
        unique = {title for title, times in common.items() if times == 1}
        for kind in (_from_headings(document, unique), *_from_sentences(document)):
            found = list(kind)
            queues.append(random.sample(found, len(found))[:_EACH])
    random.shuffle(queues)
    taken = [queue[n] for n in range(_EACH) for queue in queues if n < len(queue)][:limit]
    return [
        Draft(f"draft-{number:03d}", *question) for number, question in enumerate(taken, start=1)
    ]


def write(file: Path, found: Sequence[Draft]) -> None:
    """Write drafts, one a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(asdict(draft), ensure_ascii=False) + "\n" for draft in found)
    file.write_text("".join(lines), encoding="utf-8")


Question = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], bool, str, str]
"""The fields of a `Draft` behind its id."""


def _documents(store: Store) -> Iterator[Document]:
    with store.reading() as connection:
        rows = connection.execute("SELECT id FROM documents ORDER BY source").fetchall()
    for (identity,) in rows:
        if (document := store.document(identity)) is not None:
            yield document


def _question(document: Document, kind: str, question: str, answer: str, evidence: str) -> Question:
    answers = (answer,) if answer else ()
    return question, answers, (document.source,), (evidence,), True, document.language, kind


def _from_headings(document: Document, unique: set[str]) -> Iterator[Question]:
    """Yield a question a heading that no other place of the index has, and that has text."""
    lang = document.language
    starts = [heading.start for heading in document.headings] + [len(document.text)]
    for heading, end in zip(document.headings, starts[1:], strict=True):
        title = " ".join(heading.title.split())
        if title.casefold() not in unique:
            continue
        title = _ENUMERATOR.sub("", title)
        if not _telling(title, lang):
            continue
        section = document.text[heading.start : min(end, heading.start + _SECTION)]
        if found := whole_sentences(section[len(heading.title) :], lang):
            yield _question(document, HEADING, HEADINGS[lang].format(title), "", found[0])


def _telling(title: str, lang: str) -> bool:
    """Tell whether a heading says enough to ask by: two words, or four Chinese characters."""
    return len(title) >= 4 if lang == "zh" else len(re.findall(r"\w{2,}", title)) >= 2


def _from_sentences(document: Document) -> tuple[list[Question], list[Question]]:
    """Return questions for the one number of a sentence, and for a name of it."""
    lang = document.language
    numbers, names = [], []
    for sentence in whole_sentences(document.text, lang):
        plain = " ".join(sentence.split())
        found = _NUMBER.findall(plain)
        if len(found) == 1 and plain.count(found[0]) == 1 and not _ENUMERATOR.match(plain):
            numbers.append(_gap(document, NUMBER, plain, found[0], sentence))
        known = [name for name in falsify.names(plain, lang) if plain.count(name) == 1]
        # What a sentence begins with is capital anyway.
        known = [name for name in known if not plain.startswith(name) and len(name) > 2]
        if known:
            names.append(_gap(document, NAME, plain, known[0], sentence))
    return numbers, names


def _gap(document: Document, kind: str, plain: str, answer: str, sentence: str) -> Question:
    asked = plain.replace(answer, GAP, 1).rstrip(".。")
    question = GAPS[document.language].format(asked)
    return _question(document, kind, question, answer, sentence)
