"""Questions drafted from the documents of an index, with their gold passages, for a person to
prune: what headings promise and sentences define or count, gaps where there is no better, and
near misses, which the documents do not answer."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random

from rag.evaluation import falsify
from rag.evaluation.amounts import amounts
from rag.evaluation.asking import LANGUAGES, Asked, definitions, forms, headings
from rag.evaluation.near_misses import NearMisses
from rag.evaluation.perturbation import whole_sentences
from rag.store import Store
from rag.types import Document

GAP = "____"
DEFINITION, HEADING, AMOUNT = "definition", "heading", "amount"
SECTION, NUMBER, NAME = "section", "number", "name"
UNANSWERABLE = "unanswerable"
SHARE = 0.2
"""Of the questions, those that the documents do not answer, unless something else is asked for."""
MOST_GAPS = 0.25
"""Of the questions, those that nobody asks like that, at most: a person rewords most of them."""
_SECTION = 1_500
"""Characters behind a heading in which its evidence is looked for."""
_MOST_EVIDENCE = 12
"""Sentences of a section that are named as evidence."""
_EACH = 12
"""Questions of a kind that a document gives before the draw."""
# Chinese sets no space beside a number.
_NUMBER = re.compile(r"(?<![A-Za-z\d.,])\d+(?:[.,]\d+)*(?![A-Za-z.,]*\d)")
# "4. ", "2.1 ", "五、": of a list or a heading, no part of what it says.
_ENUMERATOR = re.compile(r"(?:\d+(?:\.\d+)+\.?\s+|\d+[.)](?!\d)\s*|[一二三四五六七八九十]+、\s*)")


@dataclass(frozen=True, slots=True)
class Draft:
    """A line of the file: a question of `rag.evaluation.formats`, marked as a draft.

    Attributes:
        cluster: the same for questions over one sentence, which stand or fall together.
        reason: why the documents do not answer it; "" where they do.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    sources: tuple[str, ...]
    evidence: tuple[str, ...]
    answerable: bool
    lang: str
    type: str
    cluster: str
    reason: str = ""
    draft: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """A question that a document answers."""

    kind: str
    asked: Asked
    source: str
    evidence: tuple[str, ...]
    lang: str

    @property
    def cluster(self) -> str:
        """What stands for the sentence that answers."""
        sentence = f"{self.source}\0{self.evidence[0]}".encode()
        return f"sentence-{sha256(sentence).hexdigest()[:10]}"


def drafts(store: Store, limit: int, seed: int, unanswerable: float = SHARE) -> list[Draft]:
    """Return at most so many questions: documents and kinds take turns, the rest is by chance.

    Documents in other languages than LANGUAGES give none.

    Args:
        unanswerable: share of the questions that no document answers, 0 … 1.
    """
    random = Random(seed)
    documents = list(_documents(store))
    found = list(_in_turn(documents, random))
    most = round(limit * unanswerable)
    misses = _near_misses(found, NearMisses([document.text for document in documents]), random)
    hopeless = misses[: min(most, round(len(found) * unanswerable / max(1 - unanswerable, 0.01)))]
    room = limit - len(hopeless)
    natural = [one for one in found if one.asked.natural][:room]
    gaps = [one for one in found if not one.asked.natural]
    kept = natural + gaps[: min(room - len(natural), round(MOST_GAPS * limit))]
    lines = [_answered(one) for one in kept] + hopeless
    return [replace(line, id=f"draft-{n:03d}") for n, line in enumerate(lines, start=1)]


def write(file: Path, found: Sequence[Draft]) -> None:
    """Write drafts, one a line; a reason where there is one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        {name: value for name, value in asdict(draft).items() if name != "reason" or value}
        for draft in found
    )
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    file.write_text(text, encoding="utf-8")


def _documents(store: Store) -> Iterator[Document]:
    with store.reading() as connection:
        rows = connection.execute("SELECT id FROM documents ORDER BY source").fetchall()
    for (identity,) in rows:
        if (document := store.document(identity)) is not None:
            yield document


def _in_turn(documents: Sequence[Document], random: Random) -> Iterator[Found]:
    """Yield questions, none twice: one of each document and kind, then another of each."""
    titles = Counter(h.title.strip().casefold() for d in documents for h in d.headings)
    unique = {title for title, times in titles.items() if times == 1}
    queues = []
    for document in documents:
        if document.language in LANGUAGES:
            kinds: dict[str, list[Found]] = {}
            for one in (*_from_headings(document, unique), *_from_sentences(document)):
                kinds.setdefault(one.kind, []).append(one)
            queues += [random.sample(each, len(each))[:_EACH] for each in kinds.values()]
    random.shuffle(queues)
    seen: set[str] = set()
    for one in (queue[n] for n in range(_EACH) for queue in queues if n < len(queue)):
        if one.asked.question not in seen:
            seen.add(one.asked.question)
            yield one


def _answered(one: Found) -> Draft:
    answers = (one.asked.answer,) if one.asked.answer else ()
    given = (one.asked.question, answers, (one.source,), one.evidence)
    return Draft("", *given, answerable=True, lang=one.lang, type=one.kind, cluster=one.cluster)


def _near_misses(found: Sequence[Found], maker: NearMisses, random: Random) -> list[Draft]:
    """Return near misses of questions, those first that are last to be asked themselves."""
    made = []
    asked: set[str] = set()
    # Amounts have more in them that has to fit than "What is X?".
    natural = [one for one in reversed(found) if one.asked.natural]
    for one in sorted(natural, key=lambda one: one.kind != AMOUNT):
        for miss in maker.of(one.asked.question, one.asked.term, one.lang, random):
            if miss.question in asked:
                continue
            asked.add(miss.question)
            reason = (
                f"no passage has “{miss.new}”, put in the place of “{miss.old}” in "
                f"“{one.asked.question}” ({one.source})"
            )
            made.append(
                Draft(
                    id="",
                    question=miss.question,
                    answers=(),
                    sources=(),
                    evidence=(),
                    answerable=False,
                    lang=one.lang,
                    type=UNANSWERABLE,
                    cluster=one.cluster,
                    reason=reason,
                )
            )
    return made


def _from_headings(document: Document, unique: set[str]) -> Iterator[Found]:
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
        body = section[len(heading.title) :]
        if sentences := whole_sentences(body, lang):
            for asked in headings(title, lang, body):
                kind = HEADING if asked.natural else SECTION
                yield Found(kind, asked, document.source, _about(title, sentences), lang)


def _about(title: str, sentences: Sequence[str]) -> tuple[str, ...]:
    """Return the sentences of a section, any of which may answer what its title asks: those first
    that have a word of it."""
    stems = [word[:5].casefold() for word in re.findall(r"\w{3,}", title)]

    def is_other(sentence: str) -> bool:
        return not any(stem in sentence.casefold() for stem in stems)

    return tuple(sorted(sentences, key=is_other)[:_MOST_EVIDENCE])


def _telling(title: str, lang: str) -> bool:
    """Tell whether a heading says enough to ask by: two words, or four Chinese characters."""
    return len(title) >= 4 if lang == "zh" else len(re.findall(r"\w{2,}", title)) >= 2


def _from_sentences(document: Document) -> Iterator[Found]:
    """Yield a question for what a sentence defines, or for its amount, its number or a name."""
    lang = document.language
    for sentence in whole_sentences(document.text, lang):
        plain = " ".join(sentence.split())
        if _ENUMERATOR.match(plain) or not plain[0].isalnum():
            continue  # an item of a list
        defined = list(definitions(plain, lang, document.text))
        counted = [] if defined else list(amounts(plain, lang))
        kinds = ((DEFINITION, defined), (AMOUNT, counted))
        for kind, made in kinds if defined or counted else _gaps(plain, lang):
            for asked in made:
                yield Found(kind, asked, document.source, (sentence,), lang)


def _gaps(plain: str, lang: str) -> Iterator[tuple[str, list[Asked]]]:
    """Yield a question for the one number of a sentence, and for a name of it."""
    found = _NUMBER.findall(plain)
    if len(found) == 1 and plain.count(found[0]) == 1:
        yield NUMBER, [_gap(plain, found[0], lang)]
    known = [name for name in falsify.names(plain, lang) if plain.count(name) == 1]
    # What a sentence begins with is capital anyway.
    known = [name for name in known if not plain.startswith(name) and len(name) > 2]
    if known:
        yield NAME, [_gap(plain, known[0], lang)]


def _gap(plain: str, answer: str, lang: str) -> Asked:
    asked = plain.replace(answer, GAP, 1).rstrip(".。")
    return Asked(forms(lang).gap.format(asked), answer, natural=False)
