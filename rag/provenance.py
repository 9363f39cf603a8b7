"""Where the words of a claim come from: the quotes of its answer, or the generator's memory.

    contextual   log p(claim | question, quotes)
    parametric   log p(claim | question)
    drop         contextual − log p(claim | question, quotes less one), for each quote

The drops are ContextCite's idea (Cohen-Wang et al. 2024, arXiv:2409.00729), with one ablation a
quote in place of a fit over random ones. Of two quotes that say the same neither is missed, so
both drops are small. All figures are what the generator would have written; that the quotes
support the claim is checked elsewhere. Logarithms are natural.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.types import LogProbability

# Per token; what is nearer to nothing is not told as a cause, and rounds to 0.0. Reading in
# bfloat16 moves the sums of SmolLM2-135M by up to .02 a token.
LEAST = 0.05


@dataclass(frozen=True, slots=True)
class Influence:
    """How much a claim owes to a quote.

    Attributes:
        citation: its n in the answer.
        drop: by how much the claim's log p falls without it; below 0 where it rises.
    """

    citation: int
    drop: float


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a claim comes from.

    Attributes:
        claim: its place in the answer's claims, from 0.
        contextual, parametric: its log p with the quotes and without any.
        tokens: the generator's tokens that the claim has.
        influences: of each quote shown, in the order of their numbers.
    """

    claim: int
    contextual: float
    parametric: float
    tokens: int
    influences: tuple[Influence, ...]

    @property
    def difference(self) -> float:
        """Contextual less parametric, per token; 0 for a claim without tokens."""
        return (self.contextual - self.parametric) / self.tokens if self.tokens else 0.0

    @property
    def main(self) -> Influence | None:
        """The quote that brings more than half of all drops, and of what all quotes bring.

        None where there is none: a quote that another repeats is hardly missed.
        """
        first = max(self.influences, key=lambda influence: influence.drop, default=None)
        if first is None or first.drop < LEAST * self.tokens:
            return None
        dropped = sum(max(influence.drop, 0.0) for influence in self.influences)
        whole = max(dropped, self.contextual - self.parametric)
        return first if first.drop > whole / 2 else None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The provenance of the claims of an answer; `notes` tell what was not done, and why."""

    claims: tuple[Provenance, ...] = ()
    notes: tuple[str, ...] = ()


def provenances(
    parametric: Sequence[LogProbability],
    contextual: Sequence[LogProbability],
    without: Mapping[int, Sequence[LogProbability]],
) -> tuple[Provenance, ...]:
    """Return the provenance of each claim, out of how likely it is.

    Args:
        parametric, contextual: of each claim, with no quote and with all.
        without: the n of each quote to the same with all quotes but that.
    """
    return tuple(
        Provenance(
            claim=i,
            contextual=shown.total,
            parametric=bare.total,
            tokens=shown.tokens,
            influences=tuple(
                Influence(n, shown.total - left[i].total) for n, left in without.items()
            ),
        )
        for i, (bare, shown) in enumerate(zip(parametric, contextual, strict=True))
    )


def summary(provenance: Provenance) -> str:
    """Return a provenance in words: "from the passages (+1.8 per token); mostly [1]"."""
    if provenance.difference >= LEAST:
        source = "from the passages"
    elif provenance.difference <= -LEAST:
        source = "less likely with the passages"
    else:
        source = "as likely without the passages"
    # Without "-0.0".
    told = f"{source} ({round(provenance.difference, 1) + 0.0:+.1f} per token)"
    if provenance.main is not None:
        return f"{told}; mostly [{provenance.main.citation}]"
    return f"{told}; no one quote alone" if len(provenance.influences) > 1 else told
