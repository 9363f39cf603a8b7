"""The JSON that the command line and HTTP print has the shape that was agreed."""

import json

import pytest

from rag.checking import Checked, SourceSpan
from rag.exact import Conflict, ExactFindings, Finding
from rag.types import Failure, IngestReport, Verdict
from rag.views import answer_view, checked_view, ingest_view, search_view
from tests.core.bench import Bench

HIT = "rank score passage_id document_id source also_in title page unit section start end text"
CLAIM = "text start end verdict score citations"
CITATION = "n passage_id document_id source also_in title page unit start end quote"
ANSWER = "question answer abstained reason method claims citations conflicts nearest asked timings"
DOCUMENTS = "added updated unchanged copies deleted failed skipped notes"


def test_a_search_is_its_hits(zoo: Bench) -> None:
    """{"hits": […]}, each with the agreed keys in the agreed order."""
    hits = zoo.retriever().search("the cat drinks milk", 3).hits
    view = search_view(hits)
    assert list(view) == ["hits"] and len(view["hits"]) == 3
    for shown, hit in zip(view["hits"], hits, strict=True):
        assert " ".join(shown) == HIT
        assert shown["score"] == pytest.approx(hit.score, abs=1e-4)
        assert shown["text"] == hit.passage.text and shown["source"] == hit.passage.source
    assert json.loads(json.dumps(view)) == view


def test_an_answer_has_claims_and_citations_that_fit(zoo: Bench) -> None:
    """The agreed keys (and the trace); offsets and numbers lead where they should."""
    view = answer_view(zoo.answerer().answer("Does the cat drink cold milk?"))
    assert " ".join(key for key in view if key != "trace") == ANSWER
    assert (view["abstained"], view["reason"], view["method"]) == (False, None, "quoted")
    assert view["nearest"] == [] and isinstance(view["trace"], list)
    for claim in view["claims"]:
        assert " ".join(claim) == CLAIM and claim["verdict"] == "supported"
        assert view["answer"][claim["start"] : claim["end"]].startswith(claim["text"])
        assert set(claim["citations"]) <= {each["n"] for each in view["citations"]}
    for citation in view["citations"]:
        assert " ".join(citation) == CITATION and citation["page"] is None
    assert all(isinstance(seconds, float) for seconds in view["timings"].values())
    assert json.loads(json.dumps(view)) == view


def test_an_abstention_shows_the_nearest_hits(zoo: Bench) -> None:
    """Reason, no claims, and the hits under "nearest"."""
    view = answer_view(zoo.answerer().answer("Who won the chess championship?"))
    assert (view["abstained"], view["reason"]) == (True, "nothing_relevant")
    assert view["claims"] == view["citations"] == []
    assert view["nearest"] and " ".join(view["nearest"][0]) == HIT
    assert json.loads(json.dumps(view)) == view


def test_a_checked_claim_has_evidence_and_gates() -> None:
    """The agreed keys; what was not found is told with its place in the claim."""
    exact = ExactFindings(
        missing_numbers=(Finding("7 m", 3, 6),),
        missing_dates=(Finding("1994", 9, 13),),
        missing_names=(Finding("Ann", 20, 23),),
        unknown_names=(Finding("Pest", 30, 34),),
        negation=True,
        conflicting_numbers=(Conflict(Finding("7 m", 3, 6), Finding("8 m", 40, 43)),),
    )
    spans = (SourceSpan(0, 1, 3, "ab"), SourceSpan(2, 0, 1, "c"))
    view = checked_view(Checked(Verdict.CONTRADICTED, 0.69, spans, exact, 0.8, True), "x")
    assert view == {
        "id": "x",
        "verdict": "contradicted",
        "score": 0.69,
        "evidence": [
            {"source": 0, "start": 1, "end": 3, "quote": "ab"},
            {"source": 2, "start": 0, "end": 1, "quote": "c"},
        ],
        "gates": {
            "exact": {
                "passed": False,
                "missing_numbers": [{"text": "7 m", "start": 3, "end": 6}],
                "missing_dates": [{"text": "1994", "start": 9, "end": 13}],
                "missing_names": [{"text": "Ann", "start": 20, "end": 23}],
                "unknown_names": [{"text": "Pest", "start": 30, "end": 34}],
                "negation": True,
                "conflicting_numbers": [{"text": "7 m", "start": 3, "end": 6, "instead": "8 m"}],
                "verbatim": False,
            },
            "meaning": {"probability": 0.8, "across_languages": True},
        },
    }
    assert list(view) == ["id", "verdict", "score", "evidence", "gates"]
    assert json.loads(json.dumps(view)) == view


def test_an_ingest_tells_what_changed() -> None:
    """Counts, failures with their error, skipped files with their reason."""
    report = IngestReport(
        added=1,
        updated=2,
        unchanged=3,
        deleted=4,
        failed=(Failure("a.pdf", "is encrypted"),),
        skipped=(Failure("b.png", "an image"),),
        passages=5,
        embedded=6,
        seconds=1.23456,
        notes=(Failure("c.pdf", "without its scanned pages 3, 7"),),
        copies=7,
    )
    view = ingest_view(report)
    assert view == {
        "documents": {
            "added": 1,
            "updated": 2,
            "unchanged": 3,
            "copies": 7,
            "deleted": 4,
            "failed": [{"source": "a.pdf", "error": "is encrypted"}],
            "skipped": [{"source": "b.png", "reason": "an image"}],
            "notes": [{"source": "c.pdf", "note": "without its scanned pages 3, 7"}],
        },
        "passages": 5,
        "embedded": 6,
        "seconds": 1.235,
    }
    assert " ".join(view["documents"]) == DOCUMENTS
