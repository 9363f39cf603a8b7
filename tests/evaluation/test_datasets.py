"""The development data as it lies, and files that are missing or damaged."""

import json
from collections import Counter
from pathlib import Path

import pytest

from rag.errors import ConfigError
from rag.evaluation import datasets

real = pytest.mark.data


@real
def test_attributionbench(data: Path) -> None:
    """Both parts are whole, labels balanced in every source."""
    dev = datasets.attributionbench(data)
    assert len(dev) == 1198 and len(datasets.attributionbench(data, "test_id_500")) == 500
    assert Counter(case.source for case in dev if case.attributable) == Counter(
        case.source for case in dev if not case.attributable
    )
    assert all(case.claim and all(case.references) for case in dev)


@real
def test_wice(data: Path) -> None:
    """Labels as the README counts them; supporting sentences exist in the evidence."""
    claims = datasets.wice(data)
    assert Counter(c.label for c in claims) == {
        "partially_supported": 191,
        "supported": 115,
        "not_supported": 43,
    }
    assert sum(c.supported for c in claims) == 115
    for claim in claims:
        assert all(0 <= i < len(claim.evidence) for group in claim.supporting for i in group)
    assert len(datasets.wice(data, "oracle_claim_dev")) == 1043


@real
def test_wice_tokens(data: Path) -> None:
    """Marked stretches lie in their claim, and each claim has some."""
    claims = datasets.wice_tokens(data)
    assert len(claims) == 124
    first = claims[0]
    marked = " ".join(first.claim[slice(*span)] for span in first.unsupported)
    assert marked == "is the only one dedicated"
    assert all(claim.unsupported for claim in claims)


@real
@pytest.mark.parametrize("language", ["en", "de", "ru", "zh"])
def test_xquad_is_parallel(data: Path, language: str) -> None:
    """Paragraphs and questions have the same ids in every language."""
    english, other = datasets.xquad(data, "en"), datasets.xquad(data, language)
    assert len(other) == 120
    for one, two in zip(english, other, strict=True):
        assert one.id == two.id
        assert [q.id for q in one.questions] == [q.id for q in two.questions]
        for question in two.questions:
            assert all(two.text[gold.start : gold.end] == gold.text for gold in question.answers)


@real
def test_clapnq(data: Path) -> None:
    """Answerable ones have answers, which rest on sentences (but for one), the others none."""
    answerable = datasets.clapnq(data, answerable=True)
    assert len(answerable) == 143
    assert all(one.answers for one in answerable)
    assert sum(any(a.sentences for a in one.answers) for one in answerable) == 142
    assert {one.answers for one in datasets.clapnq(data, answerable=False)} == {()}


@real
def test_rgb(data: Path) -> None:
    """Answers come as things to name with their spellings, in both languages."""
    for language in ("en", "zh"):
        cases = datasets.rgb(data, language)
        assert len(cases) == 100
        assert all(case.true_passages and case.false_passages for case in cases)
        assert all(case.answers and all(case.answers) for case in cases)
    assert datasets.rgb(data, "en")[0].answers == (("Tampa, Florida",),)


@real
def test_bipia(data: Path) -> None:
    """75 text attacks and 50 for code; 50 mails."""
    attacks = datasets.bipia_attacks(data)
    assert len(attacks) == 125 and len({attack.kind for attack in attacks}) == 25
    assert len(datasets.bipia_mails(data)) == 50


@real
def test_hurte(data: Path) -> None:
    """Pairs as counted, the first a negation."""
    pairs = datasets.hurte(data)
    assert Counter(pair.entailed for pair in pairs) == {True: 1092, False: 1040}
    assert not pairs[0].entailed


@real
def test_faithbench(data: Path) -> None:
    """Marks lie in their summaries; a benign mark does not make one unfaithful."""
    summaries = datasets.faithbench(data)
    assert len(summaries) == 400
    assert all(0 <= m.start <= m.end <= len(s.summary) for s in summaries for m in s.marks)
    assert any(s.faithful and s.marks for s in summaries)
    assert any(not s.faithful for s in summaries)


@real
def test_seeds(data: Path) -> None:
    """Sources exist; what can not be answered names none."""
    questions = datasets.seeds(data)
    assert len(questions) == 33
    for question in questions:
        assert bool(question.source) is question.answerable
        assert (data / "seeds" / "documents" / question.source).exists()


def test_missing_file(tmp_path: Path) -> None:
    """One line that names the file and the variable."""
    with pytest.raises(
        ConfigError, match=r"hurte.rte_train\.json is missing; set RAG_TEST_DATA"
    ) as e:
        datasets.hurte(tmp_path)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    "content",
    ["{", '[{"id": "0"}]', '[{"id":"0","premise":"","hypothesis":"","label":"2"}]', "5", "[4]"],
)
def test_damaged_file(tmp_path: Path, content: str) -> None:
    """Broken JSON, missing fields and unknown labels name the file, in one line."""
    path = tmp_path / "hurte" / "rte_train.json"
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"rte_train\.json does not hold") as error:
        datasets.hurte(tmp_path)
    assert "\n" not in str(error.value)


def test_answer_that_is_not_where_it_should_be(tmp_path: Path) -> None:
    """Offsets are checked, for everything later counts on them."""
    qa = {"id": "q1", "question": "?", "answers": [{"text": "b", "answer_start": 0}]}
    article = {"title": "T", "paragraphs": [{"context": "ab", "qas": [qa]}]}
    (tmp_path / "xquad").mkdir()
    (tmp_path / "xquad" / "xquad.en.json").write_text(json.dumps({"data": [article]}))
    with pytest.raises(ConfigError, match="question q1: 'b' is not at 0"):
        datasets.xquad(tmp_path, "en")


def test_references_written_as_a_string(tmp_path: Path) -> None:
    """Some releases write the list in Python's way; code in it is refused."""
    row = {
        "id": "1",
        "question": None,
        "claim": "c",
        "references": "['a', \"b's\"]",
        "attribution_label": "attributable",
        "src_dataset": "X",
    }
    path = tmp_path / "attributionbench" / "dev.jsonl"
    path.parent.mkdir()
    path.write_text(json.dumps(row) + "\n\n")
    assert datasets.attributionbench(tmp_path)[0].references == ("a", "b's")
    path.write_text(json.dumps(row | {"references": "__import__('os').getcwd()"}))
    with pytest.raises(ConfigError, match="does not hold"):
        datasets.attributionbench(tmp_path)
