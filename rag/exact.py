"""Gate 1: are the numbers, dates and names of a claim in its evidence, and does it deny as much?

The gate does not understand the claim. It refuses what words alone show to be unsupported, and
says what that is. Evidence may be in another language: numbers and dates are compared by value,
names only where spelling decides (else they are `unknown_names`).
docs/decisions/0013-exact.md has the figures behind the choices.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from rag.alignment import Sentences, align
from rag.dates import Date
from rag.names import KEY, Name, names, same_word, script, squeezed
from rag.polarity import Clause
from rag.profiles import ExactProfile, plain_form, profile
from rag.quantities import Quantity, base, same
from rag.units import UNITS


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in, or missed from, a text: `source[start:end] == text`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A number or name of the claim, and another one that the evidence has in its place."""

    claim: Finding
    evidence: Finding


@dataclass(frozen=True, slots=True)
class ExactFindings:
    """What the exact gate found; offsets count into the claim, but for `Conflict.evidence`.

    Attributes:
        negation: the evidence says the contrary: one of the two is negated.
        conflicting_numbers: of `missing_numbers`, those that the evidence has other values for.
        unknown_names: not found, but in another language than the evidence.
        numbers_total: numbers that were looked for; likewise `dates_total`, `names_total`.
        verbatim: the claim stands in the evidence word for word, as whole clauses.
        conflicting_names: where a sentence says the same of another name (`rag.slots`); found by
            who knows which sentences are near.
    """

    missing_numbers: tuple[Finding, ...] = ()
    missing_dates: tuple[Finding, ...] = ()
    missing_names: tuple[Finding, ...] = ()
    unknown_names: tuple[Finding, ...] = ()
    negation: bool = False
    conflicting_numbers: tuple[Conflict, ...] = ()
    numbers_total: int = 0
    dates_total: int = 0
    names_total: int = 0
    verbatim: bool = False
    conflicting_names: tuple[Conflict, ...] = ()

    @property
    def passed(self) -> bool:
        """Nothing is missing and nothing denied."""
        missing = self.missing_numbers or self.missing_dates or self.missing_names
        return not (missing or self.negation or self.conflicting_names)


def check(claim: str, evidence: str) -> ExactFindings:
    """Compare a claim with its evidence; both in any language.

    An empty claim passes; against empty evidence all is missing. To check several claims
    against one text, use `profile` and `check_profile`.
    """
    return check_profile(profile(claim), profile(evidence))


def check_profile(claim: ExactProfile, evidence: ExactProfile) -> ExactFindings:
    """Compare a claim with its evidence, each read by `profile`."""
    wanted_dates = _spans(claim.dates)
    wanted_names = names(claim.text, claim.language)
    apart = [*wanted_dates, *((name.start, name.end) for name in wanted_names if name.literal)]
    if label := _LABEL.match(claim.plain):
        apart.append(label.span())
    wanted = [q for q in claim.quantities if q.certain and _apart(q, apart)]
    totals = (len(wanted), len(wanted_dates), len(wanted_names))
    if _verbatim(claim, evidence):
        return ExactFindings((), (), (), (), False, (), *totals, verbatim=True)
    missing, conflicts = _missing(claim, evidence, wanted)
    alike = _same_language(claim, evidence)
    absent, unknown = _absent_names(wanted_names, evidence, alike)
    return ExactFindings(
        tuple(_finding(claim, q.start, q.end) for q in missing),
        tuple(
            _finding(claim, *span)
            for span, readings in wanted_dates.items()
            if not any(_has_date(evidence, date) for date in readings)
        ),
        absent,
        unknown,
        _denies(claim, evidence, alike),
        tuple(conflicts),
        *totals,
    )


def _finding(source: ExactProfile, start: int, end: int) -> Finding:
    return Finding(source.text[start:end], start, end)


# --- word for word ---------------------------------------------------------------------------

_STOPS = ' \t\n\r\u3000.!?。!?…"“”„«»'
_BEFORE = re.compile(r"(?:^|[\n.!?;:,。!?;:,、…\"'“”„«»()\[\]—|>*•#-][\"'”»)\]]*)\s*$")
_AFTER = re.compile(r"\s*(?:$|\n|[.!?;:,。!?;:,、…\"'“”„«»()\[\]—|<*#])")


def _verbatim(claim: ExactProfile, evidence: ExactProfile) -> bool:
    """Tell whether the claim is made of whole clauses of the evidence.

    Less than a clause could leave its negation out.
    """
    core = claim.plain.strip(_STOPS)
    if not core:
        return True
    pattern = r"\s+".join(map(re.escape, core.split()))
    for match in re.finditer(pattern, evidence.plain):
        before = evidence.plain[max(0, match.start() - 8) : match.start()]
        after = evidence.plain[match.end() : match.end() + 8]
        if core[0].isdigit() and re.search(r"[0-9][.,:'/-]$", before):
            continue
        if core[-1].isdigit() and re.match(r"[.,:'/-][0-9]", after):
            continue
        if (match.start() == 0 or _BEFORE.search(before)) and _AFTER.match(after):
            return True
    return False


# "4." before an entry of a list is no part of the claim.
_LABEL = re.compile(r"\s*[(\[]?[0-9]{1,3}[.)\]]+(?=\s)")


# --- numbers ---------------------------------------------------------------------------------


def _has_quantity(evidence: ExactProfile, wanted: Quantity) -> bool:
    """Tell whether the evidence has the number, with its unit where it has one there."""
    if plain_form(wanted.text) in evidence.surfaces:
        return True
    found = [q for value in wanted.readings for q in evidence.by_value.get(value, ())]
    if not wanted.unit:
        return bool(found)
    if any(base(value, wanted.unit) in evidence.amounts for value in wanted.readings):
        return True
    dimension = UNITS[wanted.unit][0]
    # "5 days" does not answer for "5 years", though "5" may stand elsewhere.
    if any(q.unit and UNITS[q.unit][0] == dimension for q in found):
        return False
    return any(not q.unit for q in found)


def _missing(
    claim: ExactProfile, evidence: ExactProfile, wanted: Iterable[Quantity]
) -> tuple[list[Quantity], list[Conflict]]:
    """Return the numbers that the evidence lacks, and what it has in place of some."""
    missing, conflicts = [], []
    for quantity in wanted:
        there = _has_quantity(evidence, quantity)
        rival, closeness = _rival(claim, evidence, quantity)
        if there and closeness < SAME_PLACE:
            continue
        missing.append(quantity)
        if rival:
            found = _finding(evidence, rival.start, rival.end)
            conflicts.append(Conflict(_finding(claim, quantity.start, quantity.end), found))
    return missing, conflicts


SAME_PLACE = 2
"""So many of the unit and the words beside two numbers are the same if one stands in the other's
place."""


def _rival(
    claim: ExactProfile, evidence: ExactProfile, wanted: Quantity
) -> tuple[Quantity | None, int]:
    """Return the number in the place of the wanted one, in the sentences nearest to the claim.

    With it comes how much beside both is the same: the unit, the word before, the word after.
    There is none if one of those sentences has the wanted number.
    """
    known = {value for q in claim.quantities for value in q.readings}
    rival, closeness = None, 0
    for start, end in align(claim.sentences.about_at(wanted.start), evidence.sentences):
        first = bisect_left(evidence.quantities, start, key=lambda q: q.start)
        past = bisect_left(evidence.quantities, end, key=lambda q: q.start)
        for other in evidence.quantities[first:past]:
            if same(wanted, other):
                return None, 0
            if known.intersection(other.readings) or not _comparable(wanted, other):
                continue
            near = _same_neighbours(claim.plain, wanted, evidence.plain, other)
            near += wanted.unit == other.unit != ""
            if near and near >= closeness:
                rival, closeness = other, near
    return rival, closeness


def _comparable(one: Quantity, other: Quantity) -> bool:
    if not one.unit or not other.unit:
        return one.unit == other.unit
    return UNITS[one.unit][0] == UNITS[other.unit][0]


_WORD_BEFORE = re.compile(r"([^\W\d_\u3400-\u9fff]+|[\u3400-\u9fff])\W*$")
_WORD_AFTER = re.compile(r"\W*([^\W\d_\u3400-\u9fff]+|[\u3400-\u9fff])")


def _same_neighbours(one: str, wanted: Quantity, two: str, other: Quantity) -> int:
    """Count the same words beside two numbers: the one before, the one after."""
    pairs = ((one, wanted), (two, other))
    before = [_WORD_BEFORE.search(text[max(0, q.start - 30) : q.start]) for text, q in pairs]
    after = [_WORD_AFTER.match(text, q.end) for text, q in pairs]
    return sum(a is not None and b is not None and a[1] == b[1] for a, b in (before, after))


# --- dates -----------------------------------------------------------------------------------


def _spans(found: Iterable[Date]) -> dict[tuple[int, int], list[Date]]:
    spans: dict[tuple[int, int], list[Date]] = {}
    for date in found:
        spans.setdefault((date.start, date.end), []).append(date)
    return spans


def _apart(quantity: Quantity, spans: Iterable[tuple[int, int]]) -> bool:
    return not any(start < quantity.end and quantity.start < end for start, end in spans)


def _has_date(evidence: ExactProfile, wanted: Date) -> bool:
    """Tell whether the evidence has the date; day and month may stand apart from the year."""
    if any(wanted.implied_by(date) for date in evidence.dates):
        return True
    year = not wanted.year or Fraction(wanted.year) in evidence.by_value
    if not wanted.month:
        return year
    rest = (wanted.month, wanted.day)
    return year and any(
        date.month == rest[0] and date.day in (rest[1], 0 if not rest[1] else rest[1])
        for date in evidence.dates
        if not date.year
    )


# --- names -----------------------------------------------------------------------------------

SHORT = 100
"""The language of so few characters is a guess."""


def _same_language(claim: ExactProfile, evidence: ExactProfile) -> bool:
    """Tell whether both are in one language; short claims are told by the words they share."""
    if claim.language == evidence.language:
        return True
    short = len(claim.text) <= SHORT and claim.script == evidence.script
    return short and evidence.sentences.covers(claim.sentences) >= COVERED


def _absent_names(
    wanted: Iterable[Name], evidence: ExactProfile, alike: bool
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    absent: list[Finding] = []
    unknown: list[Finding] = []
    for name in wanted:
        if _has_name(evidence, name):
            continue
        finding = Finding(name.text, name.start, name.end)
        (absent if _must_be_there(name, evidence, alike) else unknown).append(finding)
    return tuple(absent), tuple(unknown)


def _has_name(evidence: ExactProfile, name: Name) -> bool:
    if name.literal:
        return name.words[0] in evidence.identifiers
    if all(_has_word(evidence, word) for word in name.words):
        return True
    short = "".join(word[0] for word in name.words)
    if len(short) > 1 and short in evidence.words.get(short[:KEY], ()):
        return True  # "United States" is there as "US"
    return name.text.isupper() and squeezed(name.text) in evidence.initials


def _has_word(evidence: ExactProfile, word: str) -> bool:
    if script(word) == "han":
        return word in evidence.plain
    return any(same_word(word, other) for other in evidence.words.get(word[:KEY], ()))


def _must_be_there(name: Name, evidence: ExactProfile, alike: bool) -> bool:
    """Tell whether the name, not found, is missing; in another language it may be translated."""
    if alike:
        return True
    if name.literal:
        digits = re.sub(r"\D+", "", name.words[0])
        return Fraction(int(digits)) not in evidence.by_value
    return False


# --- negation --------------------------------------------------------------------------------

COVERED = 0.6
"""The share of a clause's weight that a sentence must have to be about the same."""


def _denies(claim: ExactProfile, evidence: ExactProfile, alike: bool) -> bool:
    if not alike:
        # No words to align by: only a negation where the evidence denies nothing shows.
        denied = any(clause.negated for clause in claim.sentences.clauses)
        return denied and not any(c.negated or c.hedged for c in evidence.sentences.clauses)
    return any(_contrary(clause, evidence.sentences) for clause in claim.sentences.clauses)


def _contrary(clause: Clause, evidence: Sentences) -> bool:
    """Tell whether the sentences about the same as the clause are of the other polarity."""
    contrary = False
    for start, end in evidence.about(clause.terms, COVERED):
        agreeing = opposed = 0.0
        for other in evidence.clauses[start:end]:
            shared = evidence.weight(clause.terms & other.terms)
            if other.negated == clause.negated or other.hedged:
                agreeing = max(agreeing, shared)
            else:
                opposed = max(opposed, shared)
        if agreeing >= opposed:
            return False
        contrary |= opposed >= COVERED * evidence.weight(clause.terms)
    return contrary


__all__ = [
    "Conflict",
    "ExactFindings",
    "ExactProfile",
    "Finding",
    "check",
    "check_profile",
    "profile",
]
