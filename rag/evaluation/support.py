"""Measuring a checker: cases whose label is known, its judgements, and the figures they give."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from rag.evaluation import metrics
from rag.evaluation.checks import Flags, Numbers, Undefined, same_length
from rag.evaluation.intervals import Interval, Rows, cluster_bootstrap
from rag.evaluation.perturbation import TRUE, Case
from rag.evaluation.records import Attribution, Entailment, WiceClaim


class Judged(Protocol):
    """What a checker says of one claim: a verdict, and a score from 0 to 1 of being supported."""

    @property
    def verdict(self) -> str:
        """The claim is accepted when this is "supported"."""
        ...

    @property
    def score(self) -> float:
        """Grows with support."""
        ...


class SupportChecker(Protocol):
    """Tells of claims whether their sources support them."""

    def check(self, claims: list[tuple[str, list[str]]]) -> Sequence[Judged]:
        """Return one judgement for each (claim, sources), in order."""
        ...


@dataclass(frozen=True, slots=True)
class SupportCase:
    """A claim with its sources and the truth.

    Attributes:
        source: what the case was gathered from; macro-F1 is averaged over these.
        cluster: cases that stand or fall together share it.
        labels: what the case is, for breaking figures down ("lang": "hu").
    """

    claim: str
    sources: tuple[str, ...]
    supported: bool
    source: str
    cluster: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Cases with what was said of them: columns of one length."""

    cases: Sequence[SupportCase]
    accepted: Sequence[bool]
    scores: Sequence[float]

    def only(self, **labels: str) -> "Outcome":
        """Return the part whose cases carry all the labels; it can be empty."""
        rows = [
            row
            for row, case in enumerate(self.cases)
            if all(case.labels.get(name) == value for name, value in labels.items())
        ]
        return Outcome(
            [self.cases[row] for row in rows],
            [self.accepted[row] for row in rows],
            [self.scores[row] for row in rows],
        )


def run(checker: SupportChecker, cases: Sequence[SupportCase], batch: int = 256) -> Outcome:
    """Return what the checker says of every case.

    Raises:
        ValueError: it returns another number of judgements than it was given claims.
    """
    judged: list[Judged] = []
    for start in range(0, len(cases), batch):
        part = cases[start : start + batch]
        found = checker.check([(case.claim, list(case.sources)) for case in part])
        same_length(claims=part, judgements=found)
        judged += found
    accepted = [str(one.verdict) == "supported" for one in judged]
    return Outcome(cases, accepted, [float(one.score) for one in judged])


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures with their intervals, and why those that are missing have no value."""

    values: Mapping[str, Interval]
    missing: Mapping[str, str]


def figures(outcome: Outcome, *, seed: int = 0, resamples: int = 2_000) -> Figures:
    """Return every figure of a checker; verdicts are those it gave, scores serve the rest."""
    gold = np.array([case.supported for case in outcome.cases], dtype=np.bool_)
    said = np.array(outcome.accepted, dtype=np.bool_)
    scores: Numbers = np.array(outcome.scores, dtype=np.float64)
    sources = np.array([case.source for case in outcome.cases])
    statistics: dict[str, Callable[[Rows], float]] = {
        "macro_f1": lambda r: metrics.macro_f1(gold[r], said[r]),
        "macro_f1_over_sources": lambda r: metrics.macro_f1_over_sources(
            gold[r], said[r], sources[r].tolist()
        ),
        "balanced_accuracy": lambda r: metrics.balanced_accuracy(gold[r], said[r]),
        "true_acceptance": lambda r: _share(said[r], gold[r]),
        "false_acceptance": lambda r: _share(said[r], ~gold[r]),
        "auroc": lambda r: metrics.auroc(gold[r], scores[r]),
        "far_at_90_ta": lambda r: metrics.false_acceptance_rate(gold[r], scores[r], 0.9),
        "ece": lambda r: metrics.ece(gold[r], scores[r]),
    }
    if len(set(sources.tolist())) < 2:
        del statistics["macro_f1_over_sources"]
    return _with_intervals(statistics, outcome, seed, resamples)


def acceptance(outcome: Outcome, *, seed: int = 0, resamples: int = 2_000) -> Figures:
    """Return true and false acceptance alone, for small parts of a set."""
    gold = np.array([case.supported for case in outcome.cases], dtype=np.bool_)
    said = np.array(outcome.accepted, dtype=np.bool_)
    statistics: dict[str, Callable[[Rows], float]] = {
        "true_acceptance": lambda r: _share(said[r], gold[r]),
        "false_acceptance": lambda r: _share(said[r], ~gold[r]),
    }
    return _with_intervals(statistics, outcome, seed, resamples)


def _share(said: Flags, among: Flags) -> float:
    if not among.any():
        raise Undefined("no case of this class")
    return float(said[among].mean())


def _with_intervals(
    statistics: Mapping[str, Callable[[Rows], float]], outcome: Outcome, seed: int, resamples: int
) -> Figures:
    clusters = [case.cluster for case in outcome.cases]
    values: dict[str, Interval] = {}
    missing: dict[str, str] = {}
    for name, statistic in statistics.items():
        try:
            values[name] = cluster_bootstrap(statistic, clusters, resamples=resamples, seed=seed)
        except Undefined as error:
            missing[name] = str(error)
    return Figures(values, missing)


def attribution_cases(rows: Sequence[Attribution]) -> list[SupportCase]:
    """Return AttributionBench as cases; claims of one question are a cluster."""
    return [
        SupportCase(
            row.claim,
            row.references,
            row.attributable,
            row.source,
            f"{row.source}/{row.question}",
            {"source": row.source},
        )
        for row in rows
    ]


def wice_cases(rows: Sequence[WiceClaim]) -> list[SupportCase]:
    """Return WiCE as cases, partial support counting as none; the evidence is one source."""
    return [
        SupportCase(
            row.claim,
            ("\n".join(row.evidence),),
            row.supported,
            "wice",
            row.id,
            {"label": row.label},
        )
        for row in rows
    ]


def entailment_cases(rows: Sequence[Entailment]) -> list[SupportCase]:
    """Return HuRTE as cases; hypotheses over one premise are a cluster."""
    return [
        SupportCase(row.hypothesis, (row.premise,), row.entailed, "hurte", row.premise)
        for row in rows
    ]


def perturbation_cases(rows: Sequence[Case]) -> list[SupportCase]:
    """Return the perturbation set as cases; what is made from one paragraph is a cluster."""
    return [
        SupportCase(
            row.claim,
            row.sources,
            row.supported,
            "perturbation",
            row.cluster,
            {
                "lang": row.lang,
                "source_lang": row.source_lang,
                "kind": row.kind,
                "claim_type": row.claim_type,
                "padding": str(row.padding),
                "half": row.half,
            },
        )
        for row in rows
    ]


def parts(outcome: Outcome) -> dict[str, Outcome]:
    """Return the perturbation set by claim type, and each of those by language, padding, kind.

    A kind comes without true claims, which belong to all of them.
    """
    found: dict[str, Outcome] = {}
    for claim_type in _present(outcome, "claim_type"):
        whole = outcome.only(claim_type=claim_type)
        found[claim_type] = whole
        for name in ("lang", "padding", "kind"):
            for value in _present(whole, name):
                if value != TRUE:
                    found[f"{claim_type}, {name} {value}"] = whole.only(**{name: value})
    return found


def _present(outcome: Outcome, label: str) -> list[str]:
    return list(dict.fromkeys(case.labels[label] for case in outcome.cases))
