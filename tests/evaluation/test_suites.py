"""The suites over the real data: all of it is read, and every case can be asked."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rag.errors import ConfigError
from rag.evaluation import claim_suites
from rag.evaluation.cases import AnswerCase, ClaimCase, Dataset, QueryCase
from rag.evaluation.suites import ANSWERS, CLAIMS, RETRIEVAL, SUITES, Suite, chosen, suite

# Of the development halves, and of this repository.
SIZES = {
    "corpus": 56,
    "seeds": 33,
    "clapnq": 275,
    "bipia": 125,
    "anthropic_docs_qa": 100,
    "documentation-retrieval": 100,
    "attributionbench": 1198,
    "attributionbench-test": 500,
    "wice": 349,
    "ragchecker": 280,
}
SLOW = {"perturbation", "perturbation-padded"}
LOADED = [name for name in SUITES if name not in SLOW]


@pytest.fixture(scope="module", params=LOADED)
def loaded(request: pytest.FixtureRequest, data: Path) -> tuple[Suite, Dataset[Any]]:
    """Each suite with its data."""
    found = SUITES[request.param]
    return found, found.load(data)


@pytest.mark.data
@pytest.mark.slow
def test_suites_are_whole(loaded: tuple[Suite, Dataset[Any]]) -> None:
    """All items, unique ids, a licence, and kinds as announced."""
    found, dataset = loaded
    described = dataset.described()
    assert described["items"] == SIZES.get(found.name, described["items"]) and dataset.licence
    kind = {AnswerCase: ANSWERS, QueryCase: RETRIEVAL}.get(type(dataset.cases[0]), CLAIMS)
    assert kind == found.kind


@pytest.mark.data
@pytest.mark.slow
def test_what_cases_name_is_there(loaded: tuple[Suite, Dataset[Any]]) -> None:
    """Worlds, sources, evidence and hidden documents exist; the answerable have gold."""
    _, dataset = loaded
    for case in dataset.cases:
        if isinstance(case, ClaimCase):
            assert case.claim.strip() and case.sources
            assert all(0 <= a <= b <= len(case.claim) for a, b in case.spans or ())
            continue
        if not isinstance(case, AnswerCase | QueryCase):
            continue
        world = dataset.worlds[case.world]
        named = case.relevant if isinstance(case, QueryCase) else case.sources
        if world.folder:
            assert all((world.folder / source).is_file() for source in named)
        else:
            assert set(named) <= set(world.documents)
        if isinstance(case, AnswerCase):
            assert not case.hidden or case.hidden in world.documents
            assert case.answerable is bool(case.gold or case.reference), case.id


@pytest.mark.data
def test_parts_of_rgb(data: Path) -> None:
    """Rejection has no answer, false facts conflict, true ones alone do not."""
    cases = SUITES["rgb"].load(data).cases
    assert {c.type for c in cases} == {"noise", "false facts", "true only", "rejection"}
    assert all(c.answerable is (c.type != "rejection") for c in cases)
    assert {c.expect_conflict for c in cases if c.type == "false facts"} == {True}
    assert {c.lang for c in cases} == {"en", "zh"}


@pytest.mark.data
def test_xquad_is_asked_twice(data: Path) -> None:
    """As many questions with their paragraph as without, in four languages."""
    cases = SUITES["xquad"].load(data).cases
    counts = Counter((case.lang, case.answerable) for case in cases)
    assert len(counts) == 8 and len(set(counts.values())) == 1
    pairs = Counter(case.type for case in SUITES["xquad-retrieval"].load(data).cases)
    assert {"zh>en", "ru>en", "en>zh", "de>de"} <= set(pairs)


@pytest.mark.data
@pytest.mark.slow
def test_planted_attacks_are_in_the_mail(data: Path) -> None:
    """The instruction stands in its world, and the rest of the mail does too."""
    dataset = SUITES["bipia"].load(data)
    for case in dataset.cases:
        (mail,) = dataset.worlds[case.world].documents.values()
        assert case.planted in mail and len(mail) > len(case.planted)


@pytest.mark.data
@pytest.mark.slow
def test_the_perturbation_set(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five languages, both halves; padded, three sizes of the test half."""
    monkeypatch.setattr(claim_suites, "EACH", 1)
    plain = SUITES["perturbation"].load(data).cases
    assert {case.lang for case in plain} == {"en", "zh", "ru", "hu", "de"}
    assert {case.type.split(",")[0] for case in plain} == {"dev", "test"}
    assert {len(case.sources) for case in plain} == {1}
    padded = SUITES["perturbation-padded"].load(data).cases
    assert {len(case.sources) for case in padded} == {1, 10, 20}


def test_choosing() -> None:
    """all is every suite; a name twice, and one that is none, are errors with the remedy."""
    assert [one.name for one in chosen(["all"])] == list(SUITES)
    with pytest.raises(ConfigError, match="named twice"):
        chosen(["all", "seeds"])
    with pytest.raises(ConfigError, match="expected a path or one of corpus"):
        suite("nothing")


@pytest.mark.parametrize("name", [n for n in LOADED if n != "corpus"])
def test_missing_data_is_named(name: str, tmp_path: Path) -> None:
    """Without the data: one line that names what to set."""
    with pytest.raises(ConfigError, match="set RAG_TEST_DATA") as error:
        SUITES[name].load(tmp_path)
    assert "\n" not in str(error.value)
