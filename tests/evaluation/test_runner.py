"""Suites run with fakes: into folders, resumed, from the cache, the same each time."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.answerer import Answerer
from rag.checking import Checker
from rag.config import Config
from rag.errors import ConfigError
from rag.evaluation import runner
from rag.evaluation.cases import AnswerCase, ClaimCase, Dataset, PairCase, QueryCase, World
from rag.evaluation.counted import Counted
from rag.evaluation.remembering import Remembering
from rag.evaluation.run_cache import ItemCache, code_digest
from rag.evaluation.runner import Tools, run
from rag.evaluation.runs import Manifest, read_items, read_manifest
from rag.evaluation.worlds import Worlds
from rag.protocols import Generator
from rag.retriever import Retriever
from rag.store import Store, index_path
from rag.testing import HashEmbedder, ScriptedGenerator
from rag.vectors import ExactIndex
from rag.verification import OverlapVerifier
from tests.core.bench import ANIMALS
from tests.evaluation.made import MANIFEST

pytestmark = pytest.mark.slow

TEXTS = {
    "cats/1": "The cat drinks cold milk every morning.",
    "http://rivers": "The Danube flows through ten countries and ends in the Black Sea.",
    "quartet": "A string quartet has two violins, one viola and one cello.",
}
WORLD = World("toy", TEXTS)


def question(identity: str, asked: str, gold: str, source: str, **more: Any) -> AnswerCase:
    return AnswerCase(
        identity,
        identity,
        "en",
        "question",
        asked,
        True,
        ((gold,),),
        "",
        (source,),
        (),
        "toy",
        **more,
    )


QUESTIONS = [
    question("1", "Does the cat drink cold milk every morning?", "milk", "cats/1"),
    question("2", "Does the Danube flow through ten countries?", "ten countries", "http://rivers"),
    replace(
        question("3", "Does the cat drink cold milk every morning?", "x", "y", hidden="cats/1"),
        answerable=False,
        gold=(),
        sources=(),
    ),
]
DATASET = Dataset("toy", "none", QUESTIONS, {"toy": WORLD})


class Lab:
    """Tools with fakes, and runs of data sets."""

    def __init__(self, place: Path, generator: Generator | None = None, jobs: int = 1) -> None:
        self.place = place
        self.embedder = HashEmbedder()
        self.opened = 0
        remembering = Remembering(self.embedder)
        counted = Counted(generator) if generator else None

        def assemble(config: Config, index: str) -> Answerer:
            self.opened += 1
            store = Store(index_path(config.index_dir, index))
            retriever = Retriever(store, remembering, ExactIndex)
            return Answerer(retriever, counted, OverlapVerifier(), config)

        config = Config(index_dir=place / "indexes", embedder="hash", parsers=0)
        worlds = Worlds(config, remembering, assemble, place / "worlds")
        self.tools = Tools(worlds, Checker(None), ItemCache(place / "items"), jobs, resamples=20)

    def run(
        self, name: str, dataset: Dataset[Any], manifest: Manifest = MANIFEST, **how: Any
    ) -> Any:
        described = replace(manifest, dataset=dataset.described())
        return run(self.place / name, dataset, described, self.tools, **how)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Tools that only quote."""
    made = Lab(tmp_path)
    yield made
    made.tools.worlds.close()


def timeless(folder: Path) -> list[Any]:
    return [replace(item, seconds={}) for item in read_items(folder)]


def values(outcome: Any) -> Mapping[tuple[str, str], float]:
    return {(f.metric, f.system): f.value for f in outcome.figures if not f.part}


def test_questions_are_asked(lab: Lab) -> None:
    """Right answers, gold documents, a hidden document, and the baselines beside."""
    told: list[tuple[int, int]] = []
    outcome = lab.run("one", DATASET, told=lambda done, total: told.append((done, total)))
    first, second, hidden = read_items(outcome.folder)
    assert first.values["gold contained"] == first.values["citation precision"] == 1.0
    assert first.values["quotes verbatim"] == second.values["gold cited [quote-only]"] == 1.0
    assert second.values["gold contained [floor: best passage]"] == 1.0
    assert "cat" not in hidden.answer and hidden.columns["answerable"] == 0
    (shown,) = first.claims[0].sources
    assert shown.text[shown.start : shown.end] == "The cat drinks cold milk every morning."
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert values(outcome)["gold contained", "product"] == 1.0
    assert outcome.manifest.finished and read_manifest(outcome.folder) == outcome.manifest
    assert (outcome.folder / "report.md").is_file()


def test_two_runs_are_the_same(lab: Lab, tmp_path: Path) -> None:
    """One seed, nothing kept: the items and figures are equal but for times."""
    first = lab.run("one", DATASET)
    other = Lab(tmp_path / "elsewhere")
    second = other.run("two", DATASET)
    assert timeless(first.folder) == timeless(second.folder)
    plain = [[f for f in o.figures if not f.metric.startswith("seconds")] for o in (first, second)]
    assert plain[0] == plain[1]


def test_models_are_loaded_before_the_clock_runs(lab: Lab) -> None:
    """Once, before the first item that is really made, and not for what the cache knows."""
    warmed: list[int] = []
    lab.tools = replace(lab.tools, warm=lambda: warmed.append(1))
    assert lab.run("one", DATASET).made == 3 and warmed == [1]
    assert lab.run("two", DATASET).made == 0 and warmed == [1]


def test_several_at_a_time_are_in_order(tmp_path: Path) -> None:
    """With more jobs the items are those of one, in the order of the data set."""
    one, four = Lab(tmp_path / "1"), Lab(tmp_path / "4", jobs=4)
    cases = [replace(case, id=f"{case.id}-{n}") for n in range(5) for case in QUESTIONS]
    dataset = replace(DATASET, cases=cases)
    assert timeless(one.run("r", dataset).folder) == timeless(four.run("r", dataset).folder)


def test_an_unchanged_rerun_costs_nothing(lab: Lab) -> None:
    """What was made is taken from the cache: no index is opened, no text embedded."""
    first = lab.run("one", DATASET)
    opened, embedded = lab.opened, lab.embedder.embedded
    second = lab.run("two", DATASET)
    assert (first.made, second.made) == (3, 0)
    assert (lab.opened, lab.embedder.embedded) == (opened, embedded)
    assert read_items(first.folder) == read_items(second.folder)


@pytest.mark.parametrize(
    "changed", [{"config": {"k": 9}}, {"models": {"embedder": "x"}}, {"versions": {"code": "new"}}]
)
def test_what_changed_is_made_again(lab: Lab, changed: dict[str, Any]) -> None:
    """Other settings, models or code find nothing in the cache."""
    lab.run("one", DATASET)
    assert lab.run("two", DATASET, replace(MANIFEST, **changed)).made == 3


def test_a_changed_case_alone_is_made_again(lab: Lab) -> None:
    """Two of three questions are as they were."""
    lab.run("one", DATASET)
    changed = [*QUESTIONS[:2], replace(QUESTIONS[2], question="Who barks?")]
    assert lab.run("two", replace(DATASET, cases=changed)).made == 1


def test_changed_documents_are_asked_again(lab: Lab) -> None:
    """Another text in the world: another index, and nothing from the cache."""
    lab.run("one", DATASET)
    world = World("toy", {**TEXTS, "dogs": "A dog barks."})
    assert lab.run("two", replace(DATASET, worlds={"toy": world})).made == 3


def test_a_damaged_cache_is_made_anew(lab: Lab) -> None:
    """What can not be read counts as not there."""
    lab.run("one", DATASET)
    for path in (lab.place / "items").rglob("*.json"):
        path.write_text("{")
    assert lab.run("two", DATASET).made == 3


class Killed(BaseException):
    """What ends a process at once."""


def test_resuming_after_a_kill(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that died in its second item goes on with it, and ends as if nothing had happened."""
    whole = lab.run("whole", DATASET)
    asked: list[str] = []

    def dying(case: AnswerCase, *rest: Any) -> Any:
        if case.id == "2" and "2" not in asked:
            asked.append("2")
            raise Killed
        asked.append(case.id)
        return real(case, *rest)

    real = runner.ask
    monkeypatch.setattr(runner, "ask", dying)
    lab.tools = replace(lab.tools, cache=None)
    with pytest.raises(Killed):
        lab.run("torn", DATASET)
    folder = lab.place / "torn"
    assert [item.id for item in read_items(folder)] == ["1"]
    assert read_manifest(folder).finished is None
    with (folder / "items.jsonl").open("a") as file:
        file.write('{"id": "2", "clus')
    assert lab.run("torn", DATASET, resume=True).made == 2
    assert asked == ["1", "2", "2", "3"]
    assert timeless(folder) == timeless(whole.folder)
    assert lab.run("torn", DATASET, resume=True).made == 0


def test_a_limit_draws_by_the_seed(lab: Lab) -> None:
    """Fewer items are among more; another seed draws others; order is the data set's."""
    cases = [replace(QUESTIONS[0], id=str(n)) for n in range(20)]
    dataset = replace(DATASET, cases=cases)
    few, more = ([c.id for c in dataset.drawn(n, 0)] for n in (4, 9))
    assert set(few) < set(more) and few == sorted(few, key=int)
    assert [c.id for c in dataset.drawn(9, 1)] != more
    assert list(dataset.drawn(None, 0)) == cases
    assert len(read_items(lab.run("r", dataset, replace(MANIFEST, limit=4)).folder)) == 4


def test_tokens_are_counted(tmp_path: Path) -> None:
    """With a generator, what it reads and writes is the item's cost; each item has its own."""
    generator = ScriptedGenerator(["The cat drinks cold milk every morning [1]."])
    made = Lab(tmp_path, generator)
    outcome = made.run("one", replace(DATASET, cases=QUESTIONS[:1]))
    (item,) = read_items(outcome.folder)
    prompt = made.tools.worlds.open(WORLD).answerer.generator
    assert isinstance(prompt, Counted)
    assert item.cost["tokens in"] == generator.count_tokens(generator.prompts[0])
    assert item.cost["tokens out"] == 11
    assert prompt.take() == {"tokens in": 0.0, "tokens out": 0.0}


def test_documents_are_ranked(lab: Lab) -> None:
    """Queries find the document that they name, whatever characters its name has."""
    cases = [
        QueryCase("1", "1", "en", "q", "the cat drinks milk", ("cats/1",), "toy"),
        QueryCase("2", "2", "en", "q", "Danube countries Black Sea", ("http://rivers",), "toy"),
    ]
    found = values(lab.run("r", Dataset("toy", "none", cases, {"toy": WORLD})))
    assert found["recall@1", "product"] == found["MRR", "lexical"] == 1.0
    assert {system for metric, system in found if metric == "MRR"} == {
        "product",
        "dense",
        "lexical",
    }


def test_claims_are_checked(lab: Lab) -> None:
    """The floor of always supporting accepts the false claim too; marked spans are compared."""
    cases = [
        ClaimCase("1", "1", "en", "c", "The cat drinks cold milk.", (TEXTS["cats/1"],), True),
        ClaimCase("2", "2", "en", "c", "The dog sings 7 operas.", (TEXTS["cats/1"],), False),
        ClaimCase(
            "3", "3", "en", "c", f"{TEXTS['cats/1']} The dog sings.", (TEXTS["cats/1"],), False,
            spans=((40, 54),),
        ),
    ]  # fmt: skip
    outcome = lab.run("c", Dataset("toy", "none", cases))
    true, false, marked = read_items(outcome.folder)
    assert (true.columns["gold"], false.columns["accepted"]) == (1.0, 0.0)
    assert false.columns["accepted [floor: always supported]"] == 1.0
    assert marked.columns["span shared"] == marked.columns["span gold"] == 14
    assert marked.claims[0].gold == "unsupported" == marked.claims[0].verdict
    assert "source" not in true.columns


def test_answers_are_compared_as_people_do(lab: Lab) -> None:
    """The answer that says what the gold answer says is better; people stand beside."""
    gold = "The cat drinks cold milk every morning."
    pair = PairCase("1", "1", "en", "p", "?", gold, ("Nobody knows it.", gold), (1.0, 2.0))
    (item,) = read_items(lab.run("p", Dataset("toy", "none", [pair])).folder)
    assert item.columns["measured"] > 0.5 and item.columns["human"] == 1.5
    assert item.columns["measured [floor: shared words]"] == 1.0
    assert item.columns["measured [people]"] == 2.0


def test_questions_without_documents_need_an_index(lab: Lab) -> None:
    """The error names the option."""
    with pytest.raises(ConfigError, match="--index"):
        lab.run("r", Dataset("own", "mine", [replace(QUESTIONS[0], world="")]))


def test_a_folder_of_files_is_a_world(lab: Lab) -> None:
    """Files are ingested where they lie, under their own names."""
    folder = lab.place / "docs"
    for name, text in ANIMALS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    case = question("1", "Does the cat drink cold milk every morning?", "milk", "animals/cats.md")
    world = World("files", folder=folder)
    outcome = lab.run("r", Dataset("f", "n", [replace(case, world="files")], {"files": world}))
    assert read_items(outcome.folder)[0].values["gold cited"] == 1.0
    before = world.digest
    (folder / "new.txt").write_text("new", encoding="utf-8")
    assert world.digest != before


def test_ids_are_unique() -> None:
    """A data set with an id twice is refused."""
    with pytest.raises(ValueError, match="the id '1' twice"):
        Dataset("x", "n", [QUESTIONS[0], QUESTIONS[0]]).described()


def test_the_code_has_a_digest() -> None:
    """It is the same each time and a hash."""
    assert code_digest() == code_digest() and len(code_digest()) == 64
    assert json.dumps(code_digest()).isascii()
