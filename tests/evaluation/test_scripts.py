"""The scripts in evals/: the perturbation set over the real documents, and the checker's report."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    """Import a script of evals/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "evals" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


perturb, check_support = script("perturb"), script("check_support")


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
            for half in ("dev", "test"):
                for kind in ("true", *perturb.perturbation.KINDS):
                    for padding in (1, 10, 20):
                        assert (lang, claim_type, half, kind, padding) in cells
    articles = {half: {r["article"] for r in rows if r["half"] == half} for half in ("dev", "test")}
    assert not articles["dev"] & articles["test"]
    assert all((r["lang"] != r["source_lang"]) is (r["claim_type"] == "cross") for r in rows)


@pytest.mark.data
@pytest.mark.slow
def test_report(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The floor accepts copied claims; the JSON holds the figures and how they came about."""
    out = tmp_path / "figures.json"
    arguments = ["perturbation", "--file", str(made), "--checker", "overlap", "--json", str(out)]
    assert check_support.main([*arguments, "--half", "all"]) == 0
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["figures"]["copied"]["true_acceptance"]["estimate"] > 0.98
    assert report["seed"] == 0 and "--checker overlap" in report["command"]
    assert "| copied, kind unit |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["perturbation", "--checker", "always"], "make it with evals/perturb.py"),
        (["hurte", "--checker", "always"], "set RAG_TEST_DATA"),
        (["hurte", "--checker", "rag.nowhere:Checker"], "set RAG_TEST_DATA"),
    ],
)
def test_what_is_missing_is_named(
    arguments: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2 and one line."""
    monkeypatch.setenv("RAG_TEST_DATA", str(tmp_path))
    assert check_support.main(arguments) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1


@pytest.mark.parametrize("name", ["rag.nowhere:X", "rag.types:Nothing", "rag.types:Mode", "", "x:"])
def test_checkers_that_can_not_be_made(name: str) -> None:
    """A wrong name is an error with the remedy."""
    with pytest.raises(check_support.ConfigError, match="--checker"):
        check_support.checker(name)


def test_damaged_set(tmp_path: Path) -> None:
    """A file of another kind is named."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": "1", "sources": []}\n')
    with pytest.raises(check_support.ConfigError, match="is no perturbation set"):
        check_support.perturbation_rows(path)


def test_the_floor_by_hand() -> None:
    """Two of three terms, the number missing: 2/3 - .3."""
    [judged] = check_support.Overlap().check([("alpha beta 5", ["beta alpha 6"])])
    assert judged.score == pytest.approx(2 / 3 - 0.3)
    assert str(judged.verdict) == "unsupported"


def test_halves_do_not_move() -> None:
    """An article stays in its half on every machine."""
    assert [perturb.half(name) for name in ("Normans", "Super_Bowl_50")] == ["dev", "test"]
