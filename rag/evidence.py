"""Which sentences of the passages found answer the question. Evidence comes before generation.

score = mean of two standardised cosines + 30 · nearness + 4 · overlap + the passage's own score

The cosines are of the sentence by itself and as it stands in its passage. Nearness is the mean,
over the words of the question and by their weight, of the best cosine with a word of the sentence
or of the one before it, since what answers a question often follows what repeats it. Without an
embedder: 6 · overlap + the passage's score + 1.5 · overlap of the sentence before. Either way, what
explains the name that a question asks about gains 6 (`rag.definitions`).
docs/decisions/0015-answerability.md has the figures behind the weights.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.analysis import terms
from rag.definitions import asked_name, explains, heads_row
from rag.fusion import Retrieval
from rag.nearness import Matrix, Near, lay
from rag.protocols import Embedder, TokenVectors, Vectors
from rag.sentences import sentences
from rag.tables import header_of, in_row, is_header
from rag.types import Evidence, Hit, Passage
from rag.wrapping import is_row

NEARNESS_WEIGHT = 30.0
OVERLAP_WEIGHT = 4.0
EXPLAINS_BONUS = 6.0
LEXICAL_OVERLAP_WEIGHT = 6.0
LEXICAL_BEFORE_WEIGHT = 1.5
# A quote does not begin with the mark of a list item, a quotation or a heading. Numbers stay: "19."
# can be an ordinal, and "- 40" a temperature.
LEADING_MARK = re.compile(r"(?:[*>•·]|[-+–—](?!\s*\d)|#{1,6})\s+")

WORD = re.compile(r"[^\W_]+")
# Of Markdown and HTML, what a reader does not see as words: pictures, tags, the targets of links.
MARKUP = re.compile(
    r"!\[[^\]\n]{0,300}\](?:\([^()\n]{0,2000}\)|\[[^\]\n]{0,300}\])"
    r"|(?<=\])\([^()\s]{0,2000}\)|</?[A-Za-z][^<>]{0,2000}>"
)
WORDS = re.compile(r"\w\w|[\u3040-\u9fff]")
# Tokens may come out differently when a text is cut.
SLACK = 8

INTRODUCES = (":", "\uff1a")  # the second as wide as a Chinese character
QUESTION_ENDS = ("?", "\uff1f")
SENTENCE_ENDS = (".", "!", "?", "…", "。", "\uff01", "\uff1f", "।")

# What may stand behind the mark that ends a sentence: spaces, brackets, quotation marks, emphasis.
CLOSING = " \n)]*_\"'\u201d\u2019\u00bb\u300d\u300f\uff09"

# Code points before a passage in which the header of its table is looked for.
HEADER_REACH = 20_000

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
# Pages on which text does not go on from the one before.
SEPARATE = frozenset({"slide", "sheet", "message", "cell"})
_EMPTY_LINE = re.compile(r"\n[^\S\n]*\n")
MARKER_CHARACTERS = len(" [1] ")


TextReader = Callable[[str, int, int], str]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The sentences of a question's hits, in the order of the hits.

    Attributes:
        sentences: with the score of their passage.
        overlaps: (n,), the share of the question's term weight in each.
        cosines: (n,), of each with the question, the mean of what it has by itself and in its
            passage; None without an embedder, as are the others.
        nearness: (n, t), the best cosine of each of the question's t words in each sentence.
        weights: (t,), what the question's words count; they sum to 1.
    """

    sentences: tuple[Evidence, ...]
    overlaps: Matrix
    cosines: Matrix | None = None
    nearness: Matrix | None = None
    weights: Matrix | None = None

    def follows(self, row: int) -> bool:
        """Tell whether the sentence before a row is the one before it in its document."""
        if row == 0:
            return False
        last, this = self.sentences[row - 1], self.sentences[row]
        same = last.passage.document_id == this.passage.document_id
        return same and last.end <= this.start


def gather(found: Retrieval, embedder: Embedder | None) -> Gathered:
    """Read the hits of a question, sentence by sentence."""
    sentences = tuple(_candidates(found.hits))
    weights = found.term_weights
    overlaps = np.array([overlap(weights, item.text) for item in sentences], np.float32)
    if embedder is None or not sentences or not found.background.means:
        return Gathered(sentences, overlaps)
    question = embedder.embed_tokens([_beginning(found.question, embedder)])[0]
    words, shares = _weighed(found.question, question, weights)
    near = _lay(sentences, words, embedder)
    query = embedder.embed_queries([found.question])[0]
    alone = embedder.embed_passages([item.text for item in sentences])
    cosines = (near.means + alone) / 2 @ query
    return Gathered(sentences, overlaps, cosines, near.tokens, shares)


def select(found: Retrieval, gathered: Gathered) -> list[Evidence]:
    """Return the sentences of the hits, the best answer to the question first.

    Without those that say nothing of it, unless there is no other.
    """
    name = asked_name(found.question)
    scored = [
        replace(item, score=score + item.score + EXPLAINS_BONUS * _explains(item, name))
        for item, score in zip(gathered.sentences, _scores(found, gathered), strict=True)
    ]
    saying = [item for item in scored if _may_answer(item, name)]
    return sorted(saying or scored, key=lambda evidence: -evidence.score)


def explained(question: str, gathered: Gathered) -> bool:
    """Tell whether a question asks what a name stands for, and one of the sentences says it."""
    name = asked_name(question)
    return any(_explains(item, name) for item in gathered.sentences)


def _explains(item: Evidence, name: str) -> bool:
    if not name:
        return False
    if is_row(item.text):
        return heads_row(item.text, name)
    return explains(item.text, item.passage.text[: item.start - item.passage.start], name)


def _may_answer(item: Evidence, name: str) -> bool:
    """Tell whether a sentence may answer a question, which asks about a name ("" for none).

    Other questions, as in lists of them, the header of a table, and the bare name, as in a
    glossary, come near to it and answer nothing; what follows them may. Nor does the row of a
    table explain a name that it does not begin with.
    """
    bare, passage = item.text.rstrip(CLOSING), item.passage
    if bare.endswith(QUESTION_ENDS) or is_header(passage.text, item.start - passage.start):
        return False
    if name and is_row(item.text):
        return heads_row(item.text, name)
    return not name or not set(terms(item.text)) <= set(terms(name))


def _scores(found: Retrieval, gathered: Gathered) -> list[float]:
    if gathered.nearness is None or gathered.cosines is None or gathered.weights is None:
        before = [
            gathered.overlaps[i - 1] if gathered.follows(i) else 0.0
            for i in range(len(gathered.sentences))
        ]
        lexical = LEXICAL_OVERLAP_WEIGHT * gathered.overlaps
        return [float(x) for x in lexical + LEXICAL_BEFORE_WEIGHT * np.array(before)]
    near = with_before(gathered) @ gathered.weights
    return [
        found.background.standardise(float(gathered.cosines[i]), item.passage.language)
        + NEARNESS_WEIGHT * float(near[i])
        + OVERLAP_WEIGHT * float(gathered.overlaps[i])
        for i, item in enumerate(gathered.sentences)
    ]


def with_before(gathered: Gathered) -> Matrix:
    """Return the nearness (n, t) to each sentence or the one before it, whichever is more."""
    assert gathered.nearness is not None
    near = gathered.nearness.copy()
    for row in range(1, len(near)):
        if gathered.follows(row):
            near[row] = np.maximum(near[row], gathered.nearness[row - 1])
    return near


def _beginning(question: str, embedder: Embedder) -> str:
    """Return what of a question fits the model's window: there the beginning decides."""
    spans = embedder.tokenizer.offsets(question)
    most = embedder.max_tokens - SLACK
    return question if len(spans) <= most else question[: spans[most - 1][1]]


def _lay(sentences: Sequence[Evidence], words: Vectors, embedder: Embedder) -> Near:
    passages = list({item.passage.id: item.passage for item in sentences}.values())
    read = embedder.embed_tokens([passage.text for passage in passages])
    parts = [
        lay(
            words,
            tokens,
            [
                (item.start - passage.start, item.end - passage.start)
                for item in sentences
                if item.passage.id == passage.id
            ],
        )
        for passage, tokens in zip(passages, read, strict=True)
    ]
    return Near(np.vstack([p.tokens for p in parts]), np.vstack([p.means for p in parts]))


def _weighed(
    question: str, tokens: TokenVectors, term_weights: Mapping[str, float]
) -> tuple[Vectors, Matrix]:
    """Return the vectors of the question's word tokens (t, dim), and what they count (t,).

    A token counts as the word that it is a part of; text without spaces is one long word.
    """
    counts = np.array(
        [_count(question, start, end, term_weights) for start, end in tokens.spans.tolist()]
    )
    if not counts.any():
        counts = np.ones(len(counts))
    words = counts > 0
    return tokens.vectors[words], (counts[words] / counts.sum()).astype(np.float32)


def _count(question: str, start: int, end: int, term_weights: Mapping[str, float]) -> float:
    word = next((w for w in WORD.finditer(question) if w.start() < end and start < w.end()), None)
    if word is None:
        return 0.0
    weights = [term_weights.get(term, 0.0) for term in terms(word[0])]
    return sum(weights) / len(weights) if weights else 0.0


def overlap(weights: Mapping[str, float], text: str) -> float:
    """Return the share of the question's term weight that occurs in a text, 0 to 1."""
    return sum(weights.get(term, 0.0) for term in set(terms(text)))


def choose_quotes(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return what answers by quoting: the best sentences, as many as make a short answer.

    Sentences that follow each other become one quote; what two documents say in the same words
    is said once. At least one quote returns where there is any evidence; `evidence` has the best
    first.
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
        if any(_same_words(item, other) for other in chosen):
            continue
        grown = _merge([*chosen, item])
        size = sum(len(quote.text) + MARKER_CHARACTERS for quote in grown)
        if len(grown) <= QUOTES and size <= QUOTE_CHARACTERS:
            chosen.append(item)
            quotes = grown
    return quotes


def _same_words(item: Evidence, other: Evidence) -> bool:
    return item.text.split() == other.text.split()


def with_headers(quotes: Iterable[Evidence], read: TextReader) -> Iterator[Evidence]:
    """Yield quotes, before each row of a table the header that names its columns, each once.

    Args:
        read: returns a stretch of a document's text, `rag.store.Store.text`.
    """
    given: list[Evidence] = []
    for quote in quotes:
        header = _header(quote, read)
        for item in (header, quote):
            if item is not None and not any(_within(item, other) for other in given):
                given.append(item)
                yield item


def _within(item: Evidence, other: Evidence) -> bool:
    same = item.passage.document_id == other.passage.document_id
    return same and other.start <= item.start and item.end <= other.end


def _header(row: Evidence, read: TextReader) -> Evidence | None:
    passage = row.passage
    if not in_row(passage.text, row.start - passage.start):
        return None
    # The header may stand in an earlier passage.
    first = max(0, passage.start - HEADER_REACH)
    text = read(passage.document_id, first, passage.end)
    if not text.endswith(passage.text):  # the document has changed since it was found
        return None
    span = header_of(text, row.start - first)
    if span is None:
        return None
    start, end = span
    return Evidence(passage, text[start:end], first + start, first + end, row.score)


def _bonus(item: Evidence, chosen: Iterable[Evidence]) -> float:
    """Return what a sentence gains by standing beside a chosen one."""
    bonus = 0.0
    for other in chosen:
        if _adjacent(other, item):
            if other.text.endswith(INTRODUCES):
                bonus = max(bonus, AFTER_COLON_BONUS)
            elif _goes_on(other, item):
                bonus = max(bonus, AFTER_BONUS)
        elif _adjacent(item, other) and _goes_on(item, other):
            bonus = max(bonus, BEFORE_BONUS)
    return bonus


def _goes_on(before: Evidence, after: Evidence) -> bool:
    """Tell whether of two neighbours the second may go on with what the first one says.

    Not over an empty line, from one slide to the next, or from one row of a table to another.
    """
    passage = before.passage
    if any(before.end < start <= after.start for start in passage.page_starts):
        return passage.unit not in SEPARATE
    between = passage.text[before.end - passage.start : after.start - passage.start]
    return not (_EMPTY_LINE.search(between) or is_row(before.text) or is_row(after.text))


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
    """Yield each sentence once, with its passage's score; passages may overlap.

    A heading, the title, a picture, or a line of marks is no sentence.
    """
    seen: set[tuple[str, int]] = set()
    for hit in hits:
        passage = hit.passage
        words = MARKUP.sub(lambda markup: " " * len(markup[0]), passage.text)
        for start, end in sentences(passage.text, passage.language):
            if mark := LEADING_MARK.match(passage.text, start, end):
                if passage.text[start] == "#":
                    continue
                start = mark.end()
            text = passage.text[start:end]
            place = (passage.document_id, passage.start + end)
            if place in seen or _is_heading(text, passage) or not WORDS.search(words[start:end]):
                continue
            seen.add(place)
            yield Evidence(passage, text, passage.start + start, passage.start + end, hit.score)


def speaking(found: Retrieval) -> Retrieval:
    """Return what was found without the passages that say nothing: badges, logos, bare headings.

    All of it, where no passage says anything.
    """
    hits = tuple(hit for hit in found.hits if any(_candidates([hit])))
    return replace(found, hits=hits) if hits else found


def _is_heading(text: str, passage: Passage) -> bool:
    # The title of a plain text is its first line, which may be a sentence.
    return not text.endswith(SENTENCE_ENDS) and (
        text == passage.title or passage.section.endswith(text)
    )
