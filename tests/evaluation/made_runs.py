"""Runs made up for tests, with figures computed as those of real ones are."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rag.evaluation.figures import figures
from rag.evaluation.run_folder import Run, read_run, write_run
from rag.evaluation.runs import Item, Manifest, ShownClaim, Source

TEXTS = {
    "en": ("How long is the bridge?", "The bridge is 1,600 metres long.", "It spans the Danube. "),
    "zh": ("这座桥有多长？", "这座桥长1600米。", "它横跨多瑙河。"),
    "ru": ("Какой длины мост?", "Длина моста 1600 метров.", "Он перекинут через Дунай. "),
    "hu": ("Milyen hosszú a híd?", "A híd 1600 méter hosszú.", "A Dunán ível át. "),
    "de": ("Wie lang ist die Brücke?", "Die Brücke ist 1600 Meter lang.", "Sie quert die Donau. "),
}


def manifest(**changed: object) -> Manifest:
    """Return a manifest with some of it changed."""
    known = Manifest(
        run="20260101-120000-made",
        suite="made",
        kind="answers",
        command="rag eval run made --seed 0",
        started="2026-01-01T12:00:00Z",
        finished="2026-01-01T12:05:00Z",
        seed=0,
        limit=None,
        dataset={"name": "made", "licence": "CC0", "items": 2, "sha256": "ab" * 32},
        models={"embedder": "hash@1"},
        config={"k": 5},
        index=None,
        versions={"rag": "0.1"},
        hardware={"cpus": 2},
    )
    return replace(known, **changed)  # type: ignore[arg-type]


def item(identity: str, values: Mapping[str, float] | None = None, **changed: object) -> Item:
    """Return an item with some of it changed; its cluster is itself."""
    known = Item(
        id=identity,
        cluster=identity,
        lang="en",
        type="all",
        values=values or {},
        columns={},
        seconds={},
        cost={},
        question="",
        answer="",
        gold=(),
        claims=(),
    )
    return replace(known, **changed)  # type: ignore[arg-type]


def run(items: Sequence[Item], folder: Path = Path("made"), **changed: object) -> Run:
    """Return a run of items that was never written."""
    return Run(folder, manifest(**changed), tuple(items), ())


def written(folder: Path, items: Sequence[Item], **changed: object) -> Run:
    """Write a run and return it as it is read."""
    made = manifest(run=folder.name, **changed)
    write_run(folder, made, items, figures(items, seed=0, resamples=50))
    return read_run(folder)


def answers(
    count: int, seed: int = 0, change: Callable[[Item, random.Random], Item] | None = None
) -> list[Item]:
    """Return answers in five languages, some wrong, with what a report shows of them."""
    drawn = random.Random(seed)
    made = [_answer(number, drawn) for number in range(count)]
    return [change(one, drawn) for one in made] if change else made


def _answer(number: int, drawn: random.Random) -> Item:
    lang = list(TEXTS)[number % len(TEXTS)]
    question, claim, before = TEXTS[lang]
    right, sure = drawn.random() < 0.8, drawn.random()
    score = min(max(0.35 + 0.5 * right + drawn.gauss(0, 0.15), 0), 1)
    verdict = "supported" if score > 0.6 else "partial" if score > 0.4 else "unsupported"
    text = before + claim
    source = Source(f"bridges.{lang}.md", text, len(before), len(text))
    shown = ShownClaim(claim, verdict, score, (source,), "supported" if right else "unsupported")
    values = {
        "gold contained": float(right),
        "gold contained [quote-only]": float(drawn.random() < 0.7),
        "citation recall": float(verdict == "supported"),
        "citation recall [quote-only]": 1.0,
        "citation precision": drawn.choice([0.5, 1.0]) if right else 0.0,
        "token F1": round(drawn.uniform(0.3, 1) if right else drawn.uniform(0, 0.4), 3),
    }
    columns = {
        "gold": float(right),
        "score": score,
        "accepted": float(verdict == "supported"),
        "score [floor: lexical overlap]": min(max(score + drawn.gauss(0, 0.3), 0), 1),
        "accepted [floor: lexical overlap]": float(drawn.random() < 0.6),
        "answerable": 1.0,
        "abstained": 0.0,
        "correct": float(right),
        "confidence": min(1.0, 0.3 * sure + 0.7 * score),
        "correct [quote-only]": float(drawn.random() < 0.7),
        "confidence [quote-only]": sure,
    }
    stages = {"search": drawn.uniform(0.04, 0.09), "generate": drawn.lognormvariate(0.5, 0.5)}
    return item(
        f"q{number}",
        values,
        cluster=f"p{number // 5}",
        lang=lang,
        type=("number", "name", "unanswerable")[number % 3],
        columns=columns,
        seconds={**stages, "total": sum(stages.values())},
        cost={
            "tokens in": float(drawn.randint(300, 700)),
            "tokens out": float(drawn.randint(9, 80)),
        },
        question=question,
        answer=f"{claim} [1]",
        gold=("1600",),
        claims=(shown,),
    )
