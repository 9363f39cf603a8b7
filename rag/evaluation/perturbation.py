"""Claims with known labels, made by rule from documents: true ones, and false ones by kind.

Every false claim is made from a true one. A case has its gold paragraph among 0, 9 or 19 others
of the same language and half that do not support the claim. evals/LOG.md tells how the labels were
read and what share was right.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from rag.analysis import terms
from rag.evaluation import falsify
from rag.evaluation.negating import denials
from rag.evaluation.paraphrase import join
from rag.sentences import sentences

COPIED, PARAPHRASED, CROSS = "copied", "paraphrased", "cross"
CLAIM_TYPES = (COPIED, PARAPHRASED, CROSS)
TRUE = "true"
KINDS = ("number", "unit", "entity", "negation", "date", "neighbour", "half-true")
PADDINGS = (1, 10, 20)
# Of a claim's terms, the share from which a text may well say the same.
_RELATED = 0.5
# What ends at an abbreviation may not have ended.
_CUT_SHORT = re.compile(r"\b(?:др|т\. ?[дпе]|etc|al|stb|Jr|St|kb|ca|bzw|sog|г|гг|[A-ZА-Я])\.$")


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph that claims are made from or padded with.

    Attributes:
        id: the same for a paragraph and its translations.
        article: what it belongs to; halves are made of whole articles.
        half: dev or test.
        names: names in it by type ("Who"), of which two of a type can stand for each other.
    """

    id: str
    article: str
    half: str
    lang: str
    text: str
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Base:
    """A true claim, in the language of `text`, to be checked against `source`.

    `text` is the paragraph in the claim's own language: the source itself, or its translation.
    """

    id: str
    claim: str
    claim_type: str
    text: Text
    source: Text


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the set; `cluster` is the paragraph that it was made from."""

    id: str
    lang: str
    source_lang: str
    kind: str
    claim_type: str
    padding: int
    claim: str
    sources: tuple[str, ...]
    supported: bool
    half: str
    article: str
    cluster: str
    base: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim of some kind, with the paragraph it is checked against and those kept away."""

    kind: str
    claim: str
    base: Base
    given: Text
    away: frozenset[str]


class Pool:
    """All paragraphs, to draw others from."""

    def __init__(self, texts: Sequence[Text]) -> None:
        """Index texts by language, half and id.

        Raises:
            ValueError: a paragraph occurs twice in a language.
        """
        self._groups: dict[tuple[str, str], list[Text]] = {}
        self._by_id: dict[tuple[str, str], Text] = {}
        self._terms: dict[tuple[str, str], frozenset[str]] = {}
        for text in texts:
            key = (text.id, text.lang)
            if key in self._by_id:
                raise ValueError(f"paragraph {text.id} is there twice in {text.lang}")
            self._by_id[key] = text
            self._groups.setdefault((text.lang, text.half), []).append(text)
            self._terms[key] = frozenset(terms(text.text))

    def in_language(self, text: Text, lang: str) -> Text:
        """Return the translation of a paragraph; KeyError where there is none."""
        return self._by_id[text.id, lang]

    def group(self, lang: str, half: str) -> Sequence[Text]:
        """Return the paragraphs of a language and half."""
        return self._groups.get((lang, half), ())

    def related(self, claim: str, text: Text) -> bool:
        """Tell whether a paragraph in the claim's language may say what the claim says."""
        wanted = set(terms(claim))
        return len(wanted & self._terms[text.id, text.lang]) > _RELATED * len(wanted)

    def others(
        self, claim: str, base: Base, random: Random, away: frozenset[str]
    ) -> Iterator[Text]:
        """Yield paragraphs of the source's language that do not support the claim.

        Those of its own article come first, then the rest, each at random. Where a paragraph
        has a translation into the claim's language, that is what is compared with the claim.
        """
        group = self.group(base.source.lang, base.source.half)
        near = [text for text in group if text.article == base.source.article]
        far = [text for text in group if text.article != base.source.article]
        for texts in (near, far):
            for text in random.sample(texts, len(texts)):
                told = self._by_id.get((text.id, base.text.lang), text)
                if text.id not in away and not self.related(claim, told):
                    yield text


def drafts(base: Base, kind: str, pool: Pool, random: Random) -> Iterator[Draft]:
    """Yield the claims of a kind that can be made from a true one.

    Raises:
        ValueError: the kind is not one of KINDS.
    """
    away = frozenset((base.source.id,))
    claim, lang = base.claim, base.text.lang
    known = f"{base.text.text}\n{base.source.text}"
    if kind == "neighbour":
        for other in pool.others(claim, base, random, away):
            yield Draft(kind, claim, base, other, away)
    elif kind == "half-true":
        yield from _half_true(base, pool, random)
    else:
        makers = {
            "number": lambda: falsify.changed_numbers(claim, lang, known, random),
            "unit": lambda: falsify.changed_units(claim, lang),
            "date": lambda: falsify.changed_dates(claim, lang, known, random),
            "negation": lambda: denials(claim, lang),
            "entity": lambda: _swapped(base, pool, random),
        }
        if kind not in makers:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        for changed in makers[kind]():
            yield Draft(kind, changed, base, base.source, away)


def _half_true(base: Base, pool: Pool, random: Random) -> Iterator[Draft]:
    """Join the claim with a sentence from elsewhere, in either order."""
    lang, half = base.text.lang, base.text.half
    group = pool.group(lang, half)
    for other in random.sample(group, len(group)):
        foreign = [s for s in whole_sentences(other.text, lang) if not pool.related(s, base.text)]
        if other.article == base.text.article or not foreign:
            continue
        first, second = random.sample([base.claim, random.choice(foreign)], 2)
        away = frozenset((base.source.id, other.id))
        yield Draft("half-true", join(first, second, lang), base, base.source, away)


def _swapped(base: Base, pool: Pool, random: Random) -> Iterator[str]:
    """Exchange a name for one of its type: of the paragraph, else of the article."""
    lang = base.text.lang
    article = [t for t in pool.group(lang, base.text.half) if t.article == base.text.article]
    for kind in base.text.names:
        own = [name for name in base.text.names[kind] if name in base.claim]
        near = [name for name in base.text.names[kind] if name not in base.claim]
        far = [name for text in article for name in text.names.get(kind, ())]
        for others in (near, sorted(set(far).difference(near))):
            chosen = random.sample(others, len(others))
            yield from falsify.swapped_entities(base.claim, chosen, own)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many of each: `each` false claims of a kind in a language, half and claim type."""

    each: int
    seed: int


def cases(bases: Sequence[Base], pool: Pool, plan: Plan) -> Iterator[Case]:
    """Yield the set: per language, half and claim type the false claims, and as many true ones.

    A kind has fewer than `plan.each` where the documents do not give more. Every claim comes
    with each padding. The same arguments give the same cases.
    """
    cells: dict[tuple[str, str, str], list[Base]] = {}
    for base in bases:
        cells.setdefault((base.text.lang, base.claim_type, base.text.half), []).append(base)
    for cell, found in sorted(cells.items()):
        random = Random(f"{plan.seed} {cell}")
        chosen = random.sample(found, len(found))
        made = [d for kind in KINDS for d in _of_kind(kind, chosen, pool, random, plan.each)]
        made += [
            Draft(TRUE, base.claim, base, base.source, frozenset((base.source.id,)))
            for base in chosen[: len(made)]
        ]
        for number, draft in enumerate(made):
            yield from _padded(draft, number, pool, random)


def _of_kind(
    kind: str, bases: Sequence[Base], pool: Pool, random: Random, most: int
) -> Iterator[Draft]:
    """Yield one draft a base, starting at another base for each kind."""
    start = KINDS.index(kind) * len(bases) // len(KINDS)
    for base in [*bases[start:], *bases[:start]]:
        if most == 0:
            return
        for draft in drafts(base, kind, pool, random):
            if draft.claim != base.claim or kind == "neighbour":
                yield draft
                most -= 1
                break


def _padded(draft: Draft, number: int, pool: Pool, random: Random) -> Iterator[Case]:
    base = draft.base
    away = draft.away | {draft.given.id}
    others = [t.text for t in pool.others(draft.claim, base, random, away)][: max(PADDINGS) - 1]
    name = f"{base.text.lang}-{base.claim_type}-{base.text.half}-{draft.kind}-{number:03d}"
    case = Case(
        id=name,
        lang=base.text.lang,
        source_lang=base.source.lang,
        kind=draft.kind,
        claim_type=base.claim_type,
        padding=1,
        claim=draft.claim,
        sources=(),
        supported=draft.kind == TRUE,
        half=base.text.half,
        article=base.text.article,
        cluster=base.source.id,
        base=base.id,
    )
    for padding in PADDINGS:
        if len(others) >= padding - 1:
            sources = others[: padding - 1]
            random.shuffle(sources)
            sources.insert(random.randrange(padding), draft.given.text)
            yield replace(case, id=f"{name}-x{padding}", padding=padding, sources=tuple(sources))


def whole_sentences(text: str, lang: str) -> list[str]:
    """Return the sentences of a paragraph that can stand as claims: whole ones, of fair length."""
    shortest, longest = (14, 110) if lang == "zh" else (45, 260)
    found = [text[start:end] for start, end in sentences(text, lang)]
    return [
        sentence
        for sentence in found
        if shortest <= len(sentence) <= longest
        and sentence[-1] in ".。"
        and not _CUT_SHORT.search(sentence)
        and (sentence[0].isupper() or sentence[0].isdigit() or lang == "zh")
        and not set(sentence) & set("|•·?？!！:：;；\t")
        and sentence.count('"') % 2 == 0
        and sentence.count("(") == sentence.count(")")
        and sentence.count("„") == sentence.count("“") * (lang == "de")
        and sentence.count("（") == sentence.count("）")
        and sentence.count("«") == sentence.count("»")
    ]
