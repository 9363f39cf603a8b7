"""The perturbation set over the real documents, as the script in evals/ writes it."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rag.evaluation.perturbation_sources import half

ROOT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    """Import a script of evals/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "evals" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


perturb = script("perturb")


@pytest.fixture(scope="module")
def made(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small perturbation set, as the script writes it."""
    out = tmp_path_factory.mktemp("set") / "set.jsonl"
    plan = perturb.perturbation.Plan(each=1, seed=0)
    cases = perturb.build(ROOT / "corpus", data, plan)
    lines = [json.dumps(perturb.dataclasses.asdict(case)) for case in cases]
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return out


@pytest.mark.data
@pytest.mark.slow
def test_every_cell_is_filled(made: Path) -> None:
    """Each kind, language and claim type has cases in both halves; Hungarian has no parallel."""
    rows = [json.loads(line) for line in made.read_text(encoding="utf-8").splitlines()]
    cells = {(r["lang"], r["claim_type"], r["half"], r["kind"], r["padding"]) for r in rows}
    for lang in ("en", "zh", "ru", "de", "hu"):
        for claim_type in ("copied", "paraphrased", "cross")[: 2 if lang == "hu" else 3]:
            for side in ("dev", "test"):
                for kind in ("true", *perturb.perturbation.KINDS):
                    for padding in (1, 10, 20):
                        assert (lang, claim_type, side, kind, padding) in cells
    articles = {side: {r["article"] for r in rows if r["half"] == side} for side in ("dev", "test")}
    assert not articles["dev"] & articles["test"]
    assert all((r["lang"] != r["source_lang"]) is (r["claim_type"] == "cross") for r in rows)


def test_halves_do_not_move() -> None:
    """An article stays in its half on every machine."""
    assert [half(name) for name in ("Normans", "Super_Bowl_50")] == ["dev", "test"]
