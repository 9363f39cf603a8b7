"""Where the perturbation set comes from: the sample corpus, XQuAD and HuRTE's premises.

The corpus is in en, zh, ru and hu; XQuAD in en, zh, ru and de, parallel; HuRTE in hu.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.analysis import numbers
from rag.evaluation import datasets, falsify, perturbation
from rag.evaluation.paraphrase import join, paraphrase
from rag.evaluation.perturbation import Base, Case, Pool, Text, whole_sentences
from rag.evaluation.records import Entailment, Paragraph
from rag.evaluation.statements import statements
from rag.loaders import kind, load

PARALLEL = ("en", "zh", "ru", "de")
_LONGEST = 1200  # characters of a paragraph
_MOST_PREMISES = 300
_HEADING = re.compile(
    r"\s*(?:\d+\.|[一二三四五六七八九十]+、)\s?[^.。]{2,60}|.{0,40}[–-] ?\d+|\d+|[#=~*_-]+"
)


def half(article: str) -> str:
    """Return the half of an article, the same on every machine and for every translation."""
    return ("dev", "test")[hashlib.sha256(article.encode()).digest()[0] % 2]


def names_of(text: str, lang: str) -> dict[str, tuple[str, ...]]:
    """Return the names of running text, all of one type."""
    found = tuple(dict.fromkeys(falsify.names(text, lang)))
    return {"name": found} if found else {}


def corpus_texts(folder: Path) -> Iterator[Text]:
    """Yield the prose of the sample corpus in paragraphs of at most `_LONGEST` characters."""
    documents = [path for path in sorted(folder.rglob("*.*.*")) if kind(path)]
    for turn, path in enumerate(documents):
        lang = path.suffixes[-2][1:]
        source = path.relative_to(folder).as_posix()
        for number, block in enumerate(paragraphs(load(path).text, lang)):
            # Documents of a language lie together in this order, so halves get some of each.
            side = ("dev", "test")[turn % 2]
            yield Text(f"{source}/{number}", source, side, lang, block, names_of(block, lang))


def paragraphs(text: str, lang: str) -> list[str]:
    """Return the prose of a document without headings, lists' tables and page numbers."""
    gap = "" if lang == "zh" else " "
    found: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        lines = [line.strip() for line in block.splitlines()]
        prose = [
            line for line in lines if line and "|" not in line and not _HEADING.fullmatch(line)
        ]
        joined = gap.join(prose).replace("\uf0b7", "").replace("**", "").replace("``", "")
        whole = whole_sentences(joined, lang)
        if len(joined) <= _LONGEST:
            found += [joined] if whole else []
            continue
        # A document without blank lines: its whole sentences, a few at a time.
        size = 10 if lang == "zh" else 6
        found += [gap.join(whole[i : i + size]) for i in range(0, len(whole), size)]
    return found


def xquad_texts(folder: Path) -> Iterator[Text]:
    """Yield XQuAD's paragraphs with the names among their answers, by who asks for them."""
    english = {p.id: p for p in datasets.xquad(folder, "en")}
    for lang in PARALLEL:
        for paragraph in datasets.xquad(folder, lang):
            names = answer_names(paragraph, english[paragraph.id])
            yield Text(
                paragraph.id,
                paragraph.article,
                half(paragraph.article),
                lang,
                paragraph.text,
                names,
            )


def answer_names(paragraph: Paragraph, english: Paragraph) -> dict[str, tuple[str, ...]]:
    """Return answers that are names in English, by the question's first word."""
    names: dict[str, list[str]] = {}
    for question, original in zip(paragraph.questions, english.questions, strict=True):
        words = original.answers[0].text.split()
        capital = [word[0].isupper() for word in words if word not in ("of", "the", "de", "la")]
        asks = original.text.split()[0]
        answer = question.answers[0].text.strip()
        if (
            all(capital)
            and not re.search(r"\d|,| and ", original.answers[0].text)
            and asks
            in (
                "Who",
                "Where",
            )
        ):
            names.setdefault(asks, []).append(answer)
    return {asks: tuple(dict.fromkeys(found)) for asks, found in names.items()}


def hurte_texts(pairs: Sequence[Entailment]) -> Iterator[Text]:
    """Yield premises that entail something, each once and an article of its own.

    No more than `_MOST_PREMISES`: there are so many that the project's own Hungarian documents
    would hardly be drawn.
    """
    seen: set[str] = set()
    for pair in pairs:
        if len(seen) == _MOST_PREMISES:
            return
        if pair.entailed and pair.premise not in seen and 60 <= len(pair.premise) <= _LONGEST:
            seen.add(pair.premise)
            name = premise_id(pair.premise)
            text = Text(name, name, half(name), "hu", pair.premise, names_of(pair.premise, "hu"))
            yield text


def premise_id(premise: str) -> str:
    """Return an id that equal premises share."""
    return "hurte/" + hashlib.sha256(premise.encode()).hexdigest()[:10]


def copied(texts: Sequence[Text]) -> Iterator[Base]:
    """Yield every whole sentence."""
    for text in texts:
        for number, sentence in enumerate(whole_sentences(text.text, text.lang)):
            yield Base(
                f"{text.id}/{text.lang}-s{number}", sentence, perturbation.COPIED, text, text
            )


def paraphrased(texts: Sequence[Text]) -> Iterator[Base]:
    """Yield sentences reworded, and two neighbouring ones reworded and joined."""
    for text in texts:
        whole = whole_sentences(text.text, text.lang)
        for number, sentence in enumerate(whole):
            changed = paraphrase(sentence, text.lang)
            if number % 3 == 2 and text.text.find(whole[number - 1] + " " + sentence) >= 0:
                changed = join(paraphrase(whole[number - 1], text.lang), changed, text.lang)
            if changed != sentence:
                yield Base(
                    f"{text.id}/{text.lang}-p{number}",
                    changed,
                    perturbation.PARAPHRASED,
                    text,
                    text,
                )


def stated(folder: Path, texts: Sequence[Text]) -> Iterator[Base]:
    """Yield questions with their answers as statements: paraphrases, and across languages."""
    by_key = {(text.id, text.lang): text for text in texts}
    for lang in PARALLEL:
        for paragraph in datasets.xquad(folder, lang):
            text = by_key[paragraph.id, lang]
            for question in paragraph.questions:
                for claim in statements(question.text, question.answers[0].text, lang):
                    name = f"{question.id}/{lang}"
                    yield Base(name, claim, perturbation.PARAPHRASED, text, text)
                    other = rotated(question.id, lang)
                    source = by_key[paragraph.id, other]
                    yield Base(f"{name}-{other}", claim, perturbation.CROSS, text, source)


def rotated(name: str, lang: str) -> str:
    """Return one of the other parallel languages, by the name."""
    others = [other for other in PARALLEL if other != lang]
    return others[hashlib.sha256(name.encode()).digest()[0] % len(others)]


def translated(texts: Sequence[Text]) -> Iterator[Base]:
    """Yield sentences against a translation of their paragraph that holds all their numbers.

    The sentence need not be one sentence there: the whole paragraph is the source.
    """
    by_key = {(text.id, text.lang): text for text in texts}
    for text in texts:
        if text.lang not in PARALLEL or (text.id, rotated(text.id, text.lang)) not in by_key:
            continue
        source = by_key[text.id, rotated(text.id, text.lang)]
        for number, sentence in enumerate(whole_sentences(text.text, text.lang)):
            if numbers(sentence) <= numbers(source.text):
                name = f"{text.id}/t{number}/{text.lang}-{source.lang}"
                yield Base(name, sentence, perturbation.CROSS, text, source)


def entailed(pairs: Sequence[Entailment], texts: Sequence[Text]) -> Iterator[Base]:
    """Yield what people say that Hungarian premises entail."""
    by_id = {text.id: text for text in texts if text.lang == "hu"}
    for pair in pairs:
        text = by_id.get(premise_id(pair.premise))
        if pair.entailed and text and pair.hypothesis not in pair.premise:
            yield Base(f"hurte/{pair.id}", pair.hypothesis, perturbation.PARAPHRASED, text, text)


def build(corpus: Path, data: Path, plan: perturbation.Plan) -> list[Case]:
    """Return all cases."""
    pairs = datasets.hurte(data)
    own, parallel = list(corpus_texts(corpus)), list(xquad_texts(data))
    texts = [*own, *parallel, *hurte_texts(pairs)]
    bases = [*copied(texts), *paraphrased(texts), *stated(data, parallel)]
    bases += [*translated(parallel), *entailed(pairs, texts)]
    return list(perturbation.cases(bases, Pool(texts), plan))
