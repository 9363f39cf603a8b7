"""What the reader learns from: questions of XQuAD, with what is found for them.

For each question (`asked`) and each language of the paragraphs (`written`) of `PAIRS`: the
sentences that come first with the question's own paragraph in the index, and without it; its
paragraph; and the paragraph that comes first without it. Retrieval stands in for the program's own:
the cosine of the default embedder, standardised over all sentences of a language, and the share of
term weight. This is measured for en, zh, ru and de; in the other languages a sentence counts what
the English one counts that lies at the same place of the same paragraph, since the set is parallel.
Written once, as JSON lines; training and evaluation choose from them by article.

    python -m training.reader_data --data ../shared/data --out build/reader.jsonl
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.analysis import terms
from rag.build import build_embedder
from rag.config import Config
from rag.protocols import Embedder
from rag.sentences import sentences

EMBEDDED = ("en", "zh", "ru", "de")
LANGUAGES = (*EMBEDDED, "es", "ar", "hi", "th", "tr", "vi", "el", "ro")
ACROSS = (
    ("en", "zh"),
    ("zh", "en"),
    ("en", "ru"),
    ("ru", "en"),
    ("ru", "zh"),
    ("zh", "ru"),
    ("de", "en"),
    ("en", "de"),
)
PAIRS = (*((language, language) for language in LANGUAGES), *ACROSS)
PARAGRAPHS = 5
SENTENCES = 6
OVERLAP_WEIGHT = 4.0

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Text:
    """A text, and where the answer is in it.

    Attributes:
        start, end: code points; -1 and -1 where the answer is not in there.
    """

    text: str
    start: int = -1
    end: int = -1

    @property
    def holds(self) -> bool:
        """Tell whether the answer is in the text."""
        return self.start >= 0


@dataclass(frozen=True, slots=True)
class Example:
    """A question and what is found for it.

    Attributes:
        id: of the question, the same in all languages.
        article: number of its article.
        asked, written: languages of the question and of the texts.
        answer: as the paragraph has it.
        found: the best sentences, the best first, with the answer's paragraph in the index.
        missed: the same without that paragraph, hence without the answer.
        paragraph: the one that holds the answer.
        other: the best paragraph without it.
    """

    id: str
    article: int
    asked: str
    written: str
    question: str
    answer: str
    found: list[Text]
    missed: list[Text]
    paragraph: Text
    other: Text


@dataclass(frozen=True, slots=True)
class Question:
    """A question as its file has it; `paragraph` is the number of its paragraph."""

    id: str
    text: str
    answer: str
    start: int
    paragraph: int


@dataclass(frozen=True, slots=True)
class Language:
    """The paragraphs and questions of one language, and what the embedder makes of them.

    Attributes:
        articles: number of the article of each paragraph.
        spans: (paragraph, start, end) of each sentence.
        held: the terms of each sentence.
        rarity: of each term, log(n / df) over the sentences.
        sentence_vectors, question_vectors: no rows in the languages that are not embedded.
    """

    name: str
    paragraphs: list[str]
    articles: list[int]
    questions: list[Question]
    spans: list[tuple[int, int, int]]
    held: list[frozenset[str]]
    rarity: dict[str, float]
    sentence_vectors: Floats
    question_vectors: Floats


def main() -> None:
    """Read, embed, choose and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("build/reader.jsonl"))
    options = parser.parse_args()
    embedder = build_embedder(Config())
    known = {}
    for name in LANGUAGES:
        known[name] = read(options.data / "xquad" / f"xquad.{name}.json", name, embedder)
        print(name, len(known[name].questions), len(known[name].spans), flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("w", encoding="utf-8") as file:
        for asked, written in PAIRS:
            if asked in EMBEDDED:
                scores = scored(known[asked], known[written])
            else:
                scores = transferred(scored(known["en"], known["en"]), known["en"], known[written])
            for example in examples(known[asked], known[written], scores):
                file.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")


def load(path: Path) -> list[Example]:
    """Return the examples of a file that `main` wrote."""
    return [_example(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _example(values: dict[str, object]) -> Example:
    for name in ("found", "missed"):
        values[name] = [Text(**each) for each in values[name]]  # type: ignore[attr-defined]
    for name in ("paragraph", "other"):
        values[name] = Text(**values[name])  # type: ignore[arg-type]
    return Example(**values)  # type: ignore[arg-type]


def read(path: Path, name: str, embedder: Embedder) -> Language:
    """Return a file of XQuAD, cut into sentences and embedded."""
    paragraphs: list[str] = []
    articles: list[int] = []
    questions: list[Question] = []
    for number, article in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"]):
        for paragraph in article["paragraphs"]:
            for ask in paragraph["qas"]:
                answer = ask["answers"][0]
                place = answer["answer_start"]
                if paragraph["context"][place : place + len(answer["text"])] != answer["text"]:
                    raise ValueError(f"{path}: the answer of {ask['id']} is not where it says")
                questions.append(
                    Question(ask["id"], ask["question"], answer["text"], place, len(paragraphs))
                )
            paragraphs.append(paragraph["context"])
            articles.append(number)
    spans = [(n, *span) for n, text in enumerate(paragraphs) for span in sentences(text, name)]
    texts = [paragraphs[n][start:end] for n, start, end in spans]
    held = [frozenset(terms(text)) for text in texts]
    return Language(
        name,
        paragraphs,
        articles,
        questions,
        spans,
        held,
        _rarity(held),
        embedder.embed_passages(texts if name in EMBEDDED else []),
        embedder.embed_queries([q.text for q in questions] if name in EMBEDDED else []),
    )


def _rarity(held: Sequence[frozenset[str]]) -> dict[str, float]:
    counts: dict[str, int] = {}
    for each in held:
        for term in each:
            counts[term] = counts.get(term, 0) + 1
    return {term: float(np.log(len(held) / count)) + 0.1 for term, count in counts.items()}


def scored(asked: Language, written: Language) -> Floats:
    """Return how near each sentence of one language comes to each question of another (q, n)."""
    scores = asked.question_vectors @ written.sentence_vectors.T
    scores = (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)
    if asked.name != written.name:
        return scores
    overlaps = [_overlaps(question.text, written) for question in asked.questions]
    return scores + OVERLAP_WEIGHT * np.array(overlaps, np.float32)


def transferred(scores: Floats, known: Language, written: Language) -> Floats:
    """Return scores (q, n) for a language from those of another with the same paragraphs."""
    places: dict[int, list[tuple[float, int]]] = {}
    for row, span in enumerate(known.spans):
        places.setdefault(span[0], []).append((_place(span, known), row))
    rows = [
        min((abs(place - _place(span, written)), row) for place, row in places[span[0]])[1]
        for span in written.spans
    ]
    return scores[:, rows]


def _place(span: tuple[int, int, int], language: Language) -> float:
    """Return the middle of a sentence as a share of its paragraph's length."""
    return (span[1] + span[2]) / 2 / len(language.paragraphs[span[0]])


def examples(asked: Language, written: Language, scores: Floats) -> Iterator[Example]:
    """Yield an example for each question of one language over the paragraphs of another.

    Args:
        scores: (questions, sentences).
    """
    answers = {question.id: question for question in written.questions}
    for question, row in zip(asked.questions, scores, strict=True):
        own = answers[question.id]
        found = _texts(_best(row, written), written, own)
        missed = _texts(_best(row, written, without=own.paragraph), written, own)
        other = _first_paragraph(row, written, own.paragraph)
        yield Example(
            own.id,
            written.articles[own.paragraph],
            asked.name,
            written.name,
            question.text,
            own.answer,
            found,
            missed,
            Text(written.paragraphs[own.paragraph], own.start, own.start + len(own.answer)),
            Text(written.paragraphs[other]),
        )


def _overlaps(question: str, written: Language) -> Floats:
    """Return the share of the question's term weight in each sentence (n,)."""
    weights = {term: written.rarity.get(term, 6.0) for term in set(terms(question))}
    total = sum(weights.values()) or 1.0
    return np.array(
        [sum(w for t, w in weights.items() if t in held) / total for held in written.held],
        np.float32,
    )


def _best(scores: Floats, written: Language, without: int = -1) -> list[int]:
    """Return the best sentences of the best paragraphs, the best first."""
    found: dict[int, None] = {}
    order = [int(i) for i in np.argsort(-scores) if written.spans[i][0] != without]
    for i in order:
        if len(found) == PARAGRAPHS:
            break
        found.setdefault(written.spans[i][0])
    return [i for i in order if written.spans[i][0] in found][:SENTENCES]


def _first_paragraph(scores: Floats, written: Language, without: int) -> int:
    return next(written.spans[i][0] for i in np.argsort(-scores) if written.spans[i][0] != without)


def _texts(rows: Iterable[int], written: Language, question: Question) -> list[Text]:
    end = question.start + len(question.answer)
    texts = []
    for paragraph, first, last in (written.spans[row] for row in rows):
        text = written.paragraphs[paragraph][first:last]
        inside = paragraph == question.paragraph and first <= question.start and end <= last
        texts.append(Text(text, question.start - first, end - first) if inside else Text(text))
    return texts


if __name__ == "__main__":
    main()
