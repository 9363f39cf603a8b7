"""Items, manifests and cases made for tests."""

from dataclasses import replace
from typing import Any

from rag.evaluation.cases import AnswerCase
from rag.evaluation.runs import Item, Manifest, ShownClaim, Source

MANIFEST = Manifest(
    run="20260101-000000-toy",
    suite="toy",
    kind="answers",
    command="rag eval run toy --seed 0",
    started="2026-01-01T00:00:00+00:00",
    finished=None,
    seed=0,
    limit=None,
    dataset={"name": "toy", "licence": "none", "items": 2, "sha256": "0"},
    models={"embedder": "hash@1"},
    config={"k": 5},
    index=None,
    versions={"rag": "0", "code": "c"},
    hardware={"cores": 1},
)
CLAIM = ShownClaim(
    "The cat drinks.", "supported", 1.0, (Source("a.md", "The cat drinks.", 0, 3),), None
)


def item(identity: str, **fields: Any) -> Item:
    """Return an item; what is not given is plain."""
    plain = Item(identity, identity, "en", "question", {}, {}, {}, {}, "q", "a", ("g",), (CLAIM,))
    return replace(plain, **fields)


def case(**fields: Any) -> AnswerCase:
    """Return a question with the gold answer "Paris" in a.md; what is given counts."""
    plain = AnswerCase(
        id="1",
        cluster="1",
        lang="en",
        type="question",
        question="Where is the tower?",
        answerable=True,
        gold=(("Paris",),),
        sources=("a.md",),
    )
    return replace(plain, **fields)
