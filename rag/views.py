"""What the command line and HTTP print: core types as plain JSON values, one form for both."""

from typing import TYPE_CHECKING, Any, TypeAlias

from rag.provenance import Explanation, Provenance, summary
from rag.types import (
    Answer,
    Citation,
    Claim,
    Claimed,
    Conflict,
    Failure,
    Hit,
    IngestReport,
    Preview,
)

if TYPE_CHECKING:  # at run time it would load numpy for every command
    from rag.checking import Checked
    from rag.exact import ExactFindings, Finding

Json = dict[str, Any]
Identity: TypeAlias = str | int | float
"""What whoever asks calls one of many things."""


def hit_view(hit: Hit) -> Json:
    """Return a hit as JSON values."""
    passage = hit.passage
    return {
        "rank": hit.rank,
        "score": round(hit.score, 4),
        "passage_id": passage.id,
        "document_id": passage.document_id,
        "source": passage.source,
        "also_in": list(passage.also_in),
        "title": passage.title,
        "page": passage.page,
        "unit": passage.unit,
        "section": passage.section,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
    }


def search_view(hits: tuple[Hit, ...]) -> Json:
    """Return the hits of one search."""
    return {"hits": [hit_view(hit) for hit in hits]}


def claim_view(claim: Claim) -> Json:
    """Return a claim; start and end are offsets into the answer."""
    return {
        "text": claim.text,
        "start": claim.start,
        "end": claim.end,
        "verdict": claim.verdict.value,
        "score": round(claim.score, 4),
        "citations": list(claim.citations),
    }


def citation_view(citation: Citation) -> Json:
    """Return a citation; start and end are offsets into the document."""
    return {
        "n": citation.n,
        "passage_id": citation.passage_id,
        "document_id": citation.document_id,
        "source": citation.source,
        "also_in": list(citation.also_in),
        "title": citation.title,
        "page": citation.page,
        "unit": citation.unit,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
    }


def conflict_view(conflict: Conflict) -> Json:
    """Return a disagreement of two citations."""
    return {
        "kind": conflict.kind,
        "citations": list(conflict.citations),
        "says": list(conflict.says),
    }


def claimed_view(claimed: Claimed) -> Json:
    """Return a claim of an answer that is being made, with what it adds to text and citations."""
    return {
        "claim": claim_view(claimed.claim),
        "citations": [citation_view(citation) for citation in claimed.citations],
        "text": claimed.text,
    }


def answer_view(answer: Answer, asked: str | None = None) -> Json:
    """Return an answer; `nearest` holds the hits when it abstains, and is empty otherwise.

    Args:
        asked: the question as it was asked, where a follow-up was completed before it was searched.
    """
    return {
        "question": answer.question,
        "answer": answer.text,
        "abstained": answer.abstained,
        "reason": answer.reason.value if answer.reason else None,
        "method": answer.method.value,
        "claims": [claim_view(claim) for claim in answer.claims],
        "citations": [citation_view(citation) for citation in answer.citations],
        "conflicts": [conflict_view(conflict) for conflict in answer.conflicts],
        "nearest": [hit_view(hit) for hit in answer.hits] if answer.abstained else [],
        "asked": answer.question if asked is None else asked,
        "trace": list(answer.trace),
        "timings": {name: round(seconds, 4) for name, seconds in answer.timings.items()},
    }


def explanation_view(explanation: Explanation) -> Json:
    """Return what `explain` adds to an answer."""
    return {
        "explain": [_provenance_view(provenance) for provenance in explanation.claims],
        "explain_notes": list(explanation.notes),
    }


def _provenance_view(provenance: Provenance) -> Json:
    return {
        "claim": provenance.claim,
        "summary": summary(provenance),
        "contextual": round(provenance.contextual, 4),
        "parametric": round(provenance.parametric, 4),
        "tokens": provenance.tokens,
        "difference": round(provenance.difference, 4),
        "influences": [
            {"citation": influence.citation, "drop": round(influence.drop, 4)}
            for influence in provenance.influences
        ],
    }


def checked_view(checked: "Checked", identity: Identity | None) -> Json:
    """Return what checking a claim came to.

    Of evidence, `source` counts from 0, and start and end are offsets into that source; those of
    gate "exact" are offsets into the claim.
    """
    return {
        "id": identity,
        "verdict": checked.verdict.value,
        "score": checked.score,
        "evidence": [
            {"source": span.source, "start": span.start, "end": span.end, "quote": span.quote}
            for span in checked.evidence
        ],
        "gates": {
            "exact": _exact_view(checked.exact),
            "meaning": {"probability": checked.meaning, "across_languages": checked.across},
        },
    }


def _exact_view(exact: "ExactFindings") -> Json:
    return {
        "passed": exact.passed,
        "missing_numbers": [_finding_view(found) for found in exact.missing_numbers],
        "missing_dates": [_finding_view(found) for found in exact.missing_dates],
        "missing_names": [_finding_view(found) for found in exact.missing_names],
        "unknown_names": [_finding_view(found) for found in exact.unknown_names],
        "negation": exact.negation,
        # What the sources have instead is given as text: its offsets count into several sentences.
        "conflicting_numbers": [
            {**_finding_view(each.claim), "instead": each.evidence.text}
            for each in exact.conflicting_numbers
        ],
        "verbatim": exact.verbatim,
    }


def _finding_view(found: "Finding") -> Json:
    return {"text": found.text, "start": found.start, "end": found.end}


def ingest_view(report: IngestReport) -> Json:
    """Return what an ingest run changed."""
    return {
        "documents": {
            "added": report.added,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "copies": report.copies,
            "deleted": report.deleted,
            "failed": [_failure_view(failure, "error") for failure in report.failed],
            "skipped": [_failure_view(failure, "reason") for failure in report.skipped],
            "notes": [_failure_view(note, "note") for note in report.notes],
        },
        "passages": report.passages,
        "embedded": report.embedded,
        "seconds": round(report.seconds, 3),
    }


def preview_view(preview: Preview) -> Json:
    """Return what an ingest run would change."""
    return {
        "added": list(preview.added),
        "updated": list(preview.updated),
        "moved": [{"from": old, "to": new} for old, new in preview.moved],
        "copies": [{"source": source, "of": of} for source, of in preview.copies],
        "deleted": list(preview.deleted),
        "unchanged": preview.unchanged,
        "failed": [_failure_view(failure, "error") for failure in preview.failed],
        "skipped": [_failure_view(failure, "reason") for failure in preview.skipped],
    }


def _failure_view(failure: Failure, key: str) -> Json:
    return {"source": failure.source, key: failure.reason}
