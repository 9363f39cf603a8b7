"""Several answers made into one: text, claims and citations renumbered, offsets exact. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.types import Answer, Citation, Claim, Conflict, Judgement

_MARKER = re.compile(r"\[(\d{1,3})\]")
_Place = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Joined:
    """The text of a joined answer with what stands behind it."""

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    conflicts: tuple[Conflict, ...] = ()


class Joiner:
    """Grows a text of claims, remarks and their citations; numbers follow first appearance."""

    def __init__(self) -> None:
        """Begin with an empty text."""
        self._text = ""
        self._claims: list[Claim] = []
        self._citations: dict[_Place, Citation] = {}
        self._conflicts: dict[tuple[_Place, _Place], Conflict] = {}
        self._said: set[tuple[str, tuple[_Place, ...]]] = set()

    def remark(self, text: str) -> None:
        """Add a line that claims nothing of the documents."""
        self._text += f"\n{text}" if self._text else text

    def answer(self, answer: Answer) -> None:
        """Add an answer's text on a line of its own, less claims that were made already."""
        cited = {citation.n: citation for citation in answer.citations}
        for conflict in answer.conflicts:
            one, other = (_place(cited[n]) for n in conflict.citations)
            self._conflicts.setdefault((one, other), conflict)
        begun, at = False, 0
        for claim in answer.claims:
            between, at = answer.text[at : claim.start], claim.end
            places = tuple(_place(cited[n]) for n in claim.citations)
            if (claim.text, places) in self._said:
                continue
            self._said.add((claim.text, places))
            self._text += between if begun else ("\n" if self._text else "")
            begun = True
            self._claim(claim, answer.text[claim.start : claim.end], cited)
        if begun:
            self._text += answer.text[at:]

    def stated(self, text: str, citations: Sequence[Citation], judgement: Judgement) -> None:
        """Add a claim of our own on a line of its own, with its markers behind it."""
        numbers = tuple(self._number(citation) for citation in citations)
        written = text + "".join(f" [{n}]" for n in dict.fromkeys(numbers))
        self._text += "\n" if self._text else ""
        start, self._text = len(self._text), self._text + written
        unique = tuple(dict.fromkeys(numbers))
        claim = Claim(text, start, len(self._text), unique, judgement.verdict, judgement.score)
        self._claims.append(claim)

    def joined(self) -> Joined:
        """Return what was added; of the conflicts those of which both sides are cited."""
        conflicts = tuple(
            replace(conflict, citations=(self._citations[one].n, self._citations[other].n))
            for (one, other), conflict in self._conflicts.items()
            if one in self._citations and other in self._citations
        )
        citations = tuple(self._citations.values())
        return Joined(self._text, tuple(self._claims), citations, conflicts)

    def _claim(self, claim: Claim, written: str, cited: dict[int, Citation]) -> None:
        new = {n: self._number(cited[n]) for n in claim.citations}

        def renumbered(match: re.Match[str]) -> str:
            n = int(match.group(1))
            return f"[{new[n]}]" if n in new else match.group()

        # What reads as a marker inside the claim's own words is none.
        words = claim.text if written.startswith(claim.text) else ""
        start = len(self._text)
        self._text += words + _MARKER.sub(renumbered, written[len(words) :])
        numbers = tuple(new[n] for n in claim.citations)
        self._claims.append(replace(claim, start=start, end=len(self._text), citations=numbers))

    def _number(self, citation: Citation) -> int:
        place = _place(citation)
        if place not in self._citations:
            self._citations[place] = replace(citation, n=len(self._citations) + 1)
        return self._citations[place].n


def _place(citation: Citation) -> _Place:
    return citation.document_id, citation.start, citation.end
