"""Which sentences of the passages found answer the question. Evidence comes before generation.

score = standardised cosine + 6 · overlap + the passage's own score + 1.5 · overlap of the
sentence before, since what answers a question often follows what repeats it. The weights were
chosen on XQuAD in English and Chinese; docs/decisions/0009-answers.md has the table.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rag.analysis import terms
from rag.fusion import Retrieval
from rag.protocols import Embedder
from rag.sentences import sentences
from rag.types import Evidence, Hit, Passage

OVERLAP_WEIGHT = 6.0
BEFORE_WEIGHT = 1.5
# A quote does not begin with the mark of a list item, a quotation or a heading. Numbers stay: "19."
# can be an ordinal, and "- 40" a temperature.
LEADING_MARK = re.compile(r"(?:[*>•·]|[-+–—](?!\s*\d)|#{1,6})\s+")

SENTENCE_ENDS = (".", "!", "?", "…", "。", "!", "?", "।")

QUOTE_CHARACTERS = 300
QUOTES = 3
# A sentence elsewhere has to score within this of the best. One beside a chosen sentence is
# read with it and need not; it counts so much more, most of all after a colon.
QUOTE_MARGIN = 2.0
AFTER_COLON_BONUS = 8.0
AFTER_BONUS = 3.0
BEFORE_BONUS = 1.5
# Between neighbours: line breaks, indentation, the mark of a list item.
GAP = 12
MARKER_CHARACTERS = len(" [1] ")


def select(found: Retrieval, embedder: Embedder | None) -> list[Evidence]:
    """Return the sentences of the hits, the best answer to the question first."""
    candidates = list(_candidates(found.hits))
    if not candidates:
        return []
    overlaps = [overlap(found.term_weights, evidence.text) for evidence in candidates]
    before = _before(candidates, overlaps)
    similarity = _similarity(candidates, found, embedder)
    scored = [
        replace(
            evidence,
            score=similarity[i]
            + OVERLAP_WEIGHT * overlaps[i]
            + BEFORE_WEIGHT * before[i]
            + evidence.score,
        )
        for i, evidence in enumerate(candidates)
    ]
    return sorted(scored, key=lambda evidence: -evidence.score)


def overlap(weights: Mapping[str, float], text: str) -> float:
    """Return the share of the question's term weight that occurs in a text, 0 to 1."""
    return sum(weights.get(term, 0.0) for term in set(terms(text)))


def choose_quotes(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return what answers by quoting: the best sentences, as many as make a short answer.

    Sentences that follow each other become one quote. At least one quote returns where there is
    any evidence; `evidence` has the best first.
    """
    chosen = list(evidence[:1])
    rest = list(evidence[1:])
    quotes = chosen
    while rest:
        bonuses = [_bonus(item, chosen) for item in rest]
        worth = [
            item.score + bonus if bonus or item.score >= chosen[0].score - QUOTE_MARGIN else -np.inf
            for item, bonus in zip(rest, bonuses, strict=True)
        ]
        best = int(np.argmax(worth))
        if worth[best] == -np.inf:
            break
        item = rest.pop(best)
        grown = _merge([*chosen, item])
        size = sum(len(quote.text) + MARKER_CHARACTERS for quote in grown)
        if len(grown) <= QUOTES and size <= QUOTE_CHARACTERS:
            chosen.append(item)
            quotes = grown
    return quotes


def _bonus(item: Evidence, chosen: Iterable[Evidence]) -> float:
    """Return what a sentence gains by standing beside a chosen one."""
    bonus = 0.0
    for other in chosen:
        if _adjacent(other, item):
            introduced = other.text.endswith((":", ":"))
            bonus = max(bonus, AFTER_COLON_BONUS if introduced else AFTER_BONUS)
        elif _adjacent(item, other):
            bonus = max(bonus, BEFORE_BONUS)
    return bonus


def _adjacent(before: Evidence, after: Evidence) -> bool:
    """Tell whether nothing but white space and a list mark lies between two sentences."""
    passage = before.passage
    if after.passage.document_id != passage.document_id or after.end > passage.end:
        return False
    between = passage.text[before.end - passage.start : after.start - passage.start]
    return 0 <= after.start - before.end <= GAP and not re.search(r"\w", between)


def _merge(chosen: Sequence[Evidence]) -> list[Evidence]:
    """Return the chosen with neighbours joined; the quote with the best sentence comes first."""
    merged: list[Evidence] = []
    for item in sorted(chosen, key=lambda item: (item.passage.document_id, item.start)):
        if merged and _adjacent(merged[-1], item):
            last = merged.pop()
            passage = last.passage
            text = passage.text[last.start - passage.start : item.end - passage.start]
            score = max(last.score, item.score)
            merged.append(Evidence(passage, text, last.start, item.end, score))
        else:
            merged.append(item)
    return sorted(merged, key=lambda item: -item.score)


def _candidates(hits: Iterable[Hit]) -> Iterator[Evidence]:
    """Yield each sentence once, with its passage's score; passages may overlap."""
    seen: set[tuple[str, int]] = set()
    for hit in hits:
        passage = hit.passage
        for start, end in sentences(passage.text, passage.language):
            if mark := LEADING_MARK.match(passage.text, start, end):
                if passage.text[start] == "#":
                    continue
                start = mark.end()
            text = passage.text[start:end]
            place = (passage.document_id, passage.start + end)
            if place in seen or not _says_something(text, passage):
                continue
            seen.add(place)
            yield Evidence(passage, text, passage.start + start, passage.start + end, hit.score)


def _says_something(text: str, passage: Passage) -> bool:
    """A heading, the title, or a line of marks is no evidence."""
    # The title of a plain text is its first line, which may be a sentence.
    heading = not text.endswith(SENTENCE_ENDS) and (
        text == passage.title or passage.section.endswith(text)
    )
    return not heading and bool(re.search(r"\w\w|[\u3040-\u9fff]", text))


def _before(candidates: Sequence[Evidence], overlaps: Sequence[float]) -> list[float]:
    """Return for each candidate the overlap of the sentence before it in its document."""
    before = [0.0]
    for i in range(1, len(candidates)):
        last, this = candidates[i - 1], candidates[i]
        follows = last.passage.document_id == this.passage.document_id and last.end <= this.start
        before.append(overlaps[i - 1] if follows else 0.0)
    return before


def _similarity(
    candidates: Sequence[Evidence], found: Retrieval, embedder: Embedder | None
) -> list[float]:
    """Return how far each candidate's cosine to the question lies above its language's mean."""
    if embedder is None or not found.background.means:
        return [0.0] * len(candidates)
    vectors = embedder.embed_passages([evidence.text for evidence in candidates])
    cosines = vectors @ embedder.embed_queries([found.question])[0]
    return [
        found.background.standardise(cosine, evidence.passage.language)
        for cosine, evidence in zip(np.asarray(cosines).tolist(), candidates, strict=True)
    ]
