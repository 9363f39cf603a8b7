"""Suites of claims with known labels, and of answers that people compared."""

from pathlib import Path

from rag.evaluation import datasets, perturbation
from rag.evaluation.answer_suites import ROOT
from rag.evaluation.cases import ClaimCase, Dataset, PairCase
from rag.evaluation.perturbation_sources import build

EACH = 6
"""False claims of a kind in each cell of the perturbation set."""

# Figures to hold ours against; published ones but for the floors, which were measured here.
ATTRIBUTION = (
    "macro-F1 of in-distribution samples: floor 70.4, zero-shot NLI 62–64, best about 80;"
    " out of distribution: floor 83.3, NLI 70–72, GPT-4 78"
)
WICE = "balanced accuracy: floor 65.1"
FAITHBENCH = "balanced accuracy: chance 50, best about 56"
PEOPLE = "Pearson / Spearman: people with each other .70 / .69; Pearson of plain word F1 .52"


def attributionbench(data: Path) -> Dataset[ClaimCase]:
    """Return AttributionBench's development part; claims of one question are a cluster."""
    return _attribution(data, "dev")


def attributionbench_test(data: Path) -> Dataset[ClaimCase]:
    """Return its sample of in-distribution test claims."""
    return _attribution(data, "test_id_500")


def _attribution(data: Path, part: str) -> Dataset[ClaimCase]:
    rows = datasets.attributionbench(data, part)
    sources = sorted({row.source for row in rows})
    cases = [
        ClaimCase(
            id=f"{n:04d}-{row.id}",
            cluster=f"{row.source}/{row.question}",
            lang="en",
            type=row.source,
            claim=row.claim,
            sources=row.references,
            supported=row.attributable,
            source=sources.index(row.source),
        )
        for n, row in enumerate(rows)
    ]
    return Dataset(f"AttributionBench {part}", "Apache-2.0", cases, anchors=ATTRIBUTION)


def wice(data: Path) -> Dataset[ClaimCase]:
    """Return WiCE's claims; part support counts as none, the page is one source."""
    cases = [
        ClaimCase(
            id=f"{n:04d}-{row.id}",
            cluster=row.id,
            lang="en",
            type=row.label,
            claim=row.claim,
            sources=("\n".join(row.evidence),),
            supported=row.supported,
        )
        for n, row in enumerate(datasets.wice(data))
    ]
    return Dataset("WiCE claim_dev", "ODC-BY, CC BY-SA texts", cases, anchors=WICE)


def faithbench(data: Path) -> Dataset[ClaimCase]:
    """Return FaithBench's summaries, each a claim of several sentences, with what was marked.

    Unwanted and questionable stretches count as unsupported, benign ones do not.
    """
    bad = {"Unwanted", "Questionable"}
    cases = [
        ClaimCase(
            id=row.id,
            cluster=row.source[:200],
            lang="en",
            type="summary",
            claim=row.summary,
            sources=(row.source,),
            supported=row.faithful,
            spans=tuple(
                (mark.start, min(mark.end, len(row.summary)))
                for mark in row.marks
                if any(label.split(".")[0] in bad for label in mark.labels)
            ),
        )
        for row in datasets.faithbench(data)
        if row.summary.strip()
    ]
    return Dataset("FaithBench", "CC BY-NC-SA 4.0", cases, anchors=FAITHBENCH)


def hurte(data: Path) -> Dataset[ClaimCase]:
    """Return HuRTE; hypotheses over one premise are a cluster."""
    cases = [
        ClaimCase(
            id=row.id,
            cluster=row.premise,
            lang="hu",
            type="entailment",
            claim=row.hypothesis,
            sources=(row.premise,),
            supported=row.entailed,
        )
        for row in datasets.hurte(data)
    ]
    return Dataset("HuRTE rte_train", "CC BY-SA 4.0", cases)


def perturbed(data: Path) -> Dataset[ClaimCase]:
    """Return the perturbation set, its development half and the other one; one source each."""
    rows = [row for row in _perturbations(data) if row.padding == 1]
    cases = [_perturbation(row, f"{row.half}, {row.claim_type}") for row in rows]
    return Dataset("perturbation set", "Apache-2.0; CC BY-SA 4.0", cases)


def padded(data: Path) -> Dataset[ClaimCase]:
    """Return the test half of the perturbation set, each claim with 1, 10 and 20 sources."""
    rows = [row for row in _perturbations(data) if row.half == "test"]
    cases = [_perturbation(row, f"x{row.padding}, {row.claim_type}") for row in rows]
    return Dataset("perturbation set, padded", "Apache-2.0; CC BY-SA 4.0", cases)


def _perturbations(data: Path) -> list[perturbation.Case]:
    return build(ROOT / "corpus", data, perturbation.Plan(EACH, 0))


def _perturbation(row: perturbation.Case, part: str) -> ClaimCase:
    return ClaimCase(
        id=row.id,
        cluster=row.cluster,
        lang=row.lang,
        type=part,
        claim=row.claim,
        sources=row.sources,
        supported=row.supported,
    )


def ragchecker(data: Path) -> Dataset[PairCase]:
    """Return the pairs of answers that two people compared for correctness."""
    cases = [
        PairCase(
            id=row.id,
            cluster=f"{row.source}/{row.question}",
            lang="en",
            type=row.source,
            question=row.question,
            reference=row.reference,
            answers=row.answers,
            people=row.people,
        )
        for row in datasets.ragchecker(data)
    ]
    return Dataset("RAGChecker, human labels", "Apache-2.0", cases, anchors=PEOPLE)
