"""The JSON that the command line and HTTP print has the shape that was agreed."""

import json

import pytest

from rag.types import Failure, IngestReport
from rag.views import answer_view, ingest_view, search_view
from tests.core.bench import Bench

HIT = "rank score passage_id document_id source title page section start end text"
CLAIM = "text start end verdict score citations"
CITATION = "n passage_id document_id source title page start end quote"
ANSWER = "question answer abstained reason method claims citations conflicts nearest asked timings"
DOCUMENTS = "added updated unchanged deleted failed skipped"


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
    )
    view = ingest_view(report)
    assert view == {
        "documents": {
            "added": 1,
            "updated": 2,
            "unchanged": 3,
            "deleted": 4,
            "failed": [{"source": "a.pdf", "error": "is encrypted"}],
            "skipped": [{"source": "b.png", "reason": "an image"}],
        },
        "passages": 5,
        "embedded": 6,
        "seconds": 1.235,
    }
    assert " ".join(view["documents"]) == DOCUMENTS
