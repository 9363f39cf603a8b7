"""Questions drafted from an index: with gold that is there, in five languages, for pruning."""

import json
from pathlib import Path

import pytest

from rag.config import Config
from rag.evaluation.asking import LANGUAGES
from rag.evaluation.formats import read_dataset
from rag.evaluation.question_drafts import GAP, Draft, drafts, write
from rag.ingest import ingest
from rag.store import Store, index_path
from rag.testing import HashEmbedder
from tests.core.bench import put

DOCUMENTS = {
    "en.md": "# Notes\n\n## Memory of the cache\n\nThe cache of the large model takes 320 kilobytes"
    " for each token. It was measured by Noam Shazeer in a paper that many have read since.\n",
    "de.md": "# Hinweise\n\n## Speicher des Modells\n\nDer Speicher des großen Modells beträgt"
    " genau 320 Kilobyte für jedes Zeichen der Eingabe. Danach wird alles wieder freigegeben.\n",
    "ru.md": "# Заметки\n\n## Память модели\n\nПамять большой модели занимает ровно 320 килобайт на"
    " каждый токен входного текста. После этого вся память освобождается и снова свободна.\n",
    "hu.md": "# Jegyzetek\n\n## A modell memóriája\n\nA nagy modell memóriája pontosan 320 kilobájt"
    " a bemenet minden egyes jelére. Ezután az egész memória felszabadul és újra szabad lesz.\n",
    "zh.md": "# 笔记\n\n## 模型的内存占用\n\n大模型的缓存为每个输入的词元占用320千字节的内存空间。"
    "之后所有的内存都会被释放并且重新变为可用的状态。\n",
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An index of a short document in each language."""
    for name, text in DOCUMENTS.items():
        put(tmp_path / "docs" / name, text)
    config = Config(index_dir=tmp_path / "indexes", embedder="hash")
    ingest([tmp_path / "docs"], "default", HashEmbedder(), config)
    return Store(index_path(config.index_dir, "default"))


def test_each_language_has_its_questions(store: Store) -> None:
    """Headings and numbers make questions in the language of their document."""
    found = drafts(store, 50, 0)
    assert {draft.lang for draft in found} == set(LANGUAGES)
    for lang in LANGUAGES:
        mine = [draft for draft in found if draft.lang == lang and draft.answerable]
        (counted,) = (draft for draft in mine if draft.answers == ("320",))
        assert "320" not in counted.question
        assert counted.type == "amount" or GAP in counted.question
        (section,) = (draft for draft in mine if draft.type in ("heading", "section"))
        assert section.sources == (f"{lang}.md",)
    assert "What is said about “Memory of the cache”?" in {draft.question for draft in found}


def test_gold_stands_in_the_document(store: Store) -> None:
    """Evidence is verbatim in the source that is named, and holds the answer."""
    for draft in drafts(store, 50, 0, 0.0):
        (source,) = draft.sources
        assert draft.evidence and all(one in DOCUMENTS[source] for one in draft.evidence)
        assert all(answer in draft.evidence[0] for answer in draft.answers)


def test_any_sentence_of_a_section_may_answer_its_heading(store: Store) -> None:
    """All of them are evidence, those with a word of the heading first; of a number, its own."""
    found = {draft.question: draft for draft in drafts(store, 50, 0, 0.0)}
    first, second = found["What is said about “Memory of the cache”?"].evidence
    assert first.startswith("The cache") and second.startswith("It was measured")
    assert all(len(one.evidence) == 1 for one in found.values() if one.answers)


def many(place: Path) -> Store:
    """Return an index of twenty definitions, with names and numbers."""
    nouns = "anchor barrel candle dagger engine funnel goblet hammer island jacket kettle ladder"
    text = "".join(
        f"A {noun} is a thing that somebody keeps at home in a dry place.\n\n"
        f"The {noun} has {number} handles made by Wolfgang Maier.\n\n"
        for number, noun in enumerate(nouns.split(), start=12)
    )
    put(place / "docs" / "a.md", f"# Things at home\n\n{text}")
    config = Config(index_dir=place / "indexes", embedder="hash")
    ingest([place / "docs"], "default", HashEmbedder(), config)
    return Store(index_path(config.index_dir, "default"))


def test_near_misses_have_their_share_and_their_reason(tmp_path: Path) -> None:
    """A fifth unless asked otherwise, none for 0; each is marked, names no source, and says what
    was put in the place of what."""
    store = many(tmp_path)
    for share, wanted in ((0.2, 2), (0.5, 5), (0.0, 0)):
        found = drafts(store, 10, 0, share)
        misses = [draft for draft in found if not draft.answerable]
        assert (len(found), len(misses)) == (10, wanted)
        for miss in misses:
            assert miss.type == "unanswerable" and not miss.sources + miss.evidence + miss.answers
            assert miss.reason.startswith("no passage has “") and "(a.md)" in miss.reason
    assert all(draft.reason == "" for draft in found if draft.answerable)


def test_no_question_is_asked_twice(tmp_path: Path) -> None:
    """Whatever the documents repeat."""
    asked = [draft.question for draft in drafts(many(tmp_path), 50, 0)]
    assert len(set(asked)) == len(asked)


def test_questions_over_one_sentence_are_a_cluster(tmp_path: Path) -> None:
    """A number and a name of one sentence, and near misses of it, are drawn together."""
    found = drafts(many(tmp_path), 50, 0)
    by_sentence: dict[tuple[str, ...], set[str]] = {}
    for draft in found:
        if draft.answerable:
            by_sentence.setdefault(draft.evidence[:1], set()).add(draft.cluster)
    assert all(len(clusters) == 1 for clusters in by_sentence.values())
    assert len(set.union(*by_sentence.values())) == len(by_sentence)
    made = {cluster for clusters in by_sentence.values() for cluster in clusters}
    assert made & {draft.cluster for draft in found if not draft.answerable}


def test_gaps_are_few(store: Store) -> None:
    """What a person has to reword is at most a quarter of what is asked for."""
    found = drafts(store, 8, 0, 0.0)
    assert sum(draft.type in ("section", "number", "name") for draft in found) <= 2


def test_the_draw_is_by_the_seed(store: Store) -> None:
    """One seed, one set; ids are unique; a limit is kept, and documents take turns."""
    assert drafts(store, 6, 1) == drafts(store, 6, 1) != drafts(store, 6, 2)
    few = drafts(store, 6, 1)
    assert len({draft.id for draft in few}) == len(few) <= 6
    asked = [draft for draft in few if draft.answerable]
    assert len({draft.sources for draft in asked}) > len(asked) / 2


def test_drafts_can_be_run(store: Store, tmp_path: Path) -> None:
    """What is written is a file of questions, each marked as a draft."""
    found = drafts(store, 50, 0)
    file = tmp_path / "new" / "questions.jsonl"
    write(file, found)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert all(line["draft"] is True for line in lines)
    assert all(("reason" in line) is not line["answerable"] for line in lines)
    assert len(read_dataset(file).cases) == len(found)


def test_numbers_of_lists_are_not_asked_for(tmp_path: Path) -> None:
    """What only counts an item of a list is no number to ask for."""
    text = "4. Each call is recorded, so that it can be looked into by somebody later on.\n"
    put(tmp_path / "docs" / "a.txt", text)
    config = Config(index_dir=tmp_path / "indexes", embedder="hash")
    ingest([tmp_path / "docs"], "default", HashEmbedder(), config)
    found = drafts(Store(index_path(config.index_dir, "default")), 50, 0)
    assert not [draft for draft in found if draft.type == "number"]


def test_headings_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    """One word, a heading that stands in two files, and one without text make no question."""
    body = "\n\nThis sentence is long enough to be taken for evidence of something here.\n"
    put(
        tmp_path / "docs" / "a.md",
        f"# Overview{body}\n## Same words here{body}\n## Nothing below it\n",
    )
    put(tmp_path / "docs" / "b.md", f"# 2.1 Another overview page{body}\n## Same words here{body}")
    config = Config(index_dir=tmp_path / "indexes", embedder="hash")
    ingest([tmp_path / "docs"], "default", HashEmbedder(), config)
    found: list[Draft] = drafts(Store(index_path(config.index_dir, "default")), 50, 0)
    asked = [draft.question for draft in found if draft.type in ("heading", "section")]
    assert asked == ["What is said about “Another overview page”?"]
