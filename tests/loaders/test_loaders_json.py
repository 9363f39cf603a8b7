"""JSON and JSON Lines: key paths, text fields, records, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.chunking import page_of
from rag.errors import LoadError
from rag.loaders import json_text, load
from rag.types import Parsed
from tests.loaders.loader_files import FILES, by_page, sections, write
from tests.loaders.test_loaders_properties import FEW, check


def js(tmp_path: Path, content: str) -> Parsed:
    """Load content as a JSON file called data.json."""
    return load(write(tmp_path / "data.json", content))


# -- real files -------------------------------------------------------------------------------


def test_an_article_reads_like_one() -> None:
    """Hungarian: fields in order, the body as paragraphs, numbers as spelt, null left out."""
    parsed = load(FILES / "article.json")
    assert parsed.text == (
        "title: A Duna vízállása\nauthors: Kovács Ágnes, Nagy Béla\ndate: 2024-05-01\n"
        "language: hu\n\nbody:\nElső bekezdés.\n\nA vízállás 312 cm.\n\n"
        "measured.level_cm: 312\nmeasured.flow: 1.5\nmeasured.flooded: false\n"
        "tags: víz, folyó"
    )
    assert parsed.title == "A Duna vízállása"
    assert parsed.metadata == {
        "author": "Kovács Ágnes, Nagy Béla", "lang": "hu", "tags": "víz, folyó",
        "date": "2024-05-01",
    }  # fmt: skip


def test_an_array_of_records_has_their_titles_as_headings() -> None:
    """Chinese: what stands beside the array comes first; a record begins with its title."""
    parsed = load(FILES / "records.json")
    assert parsed.text == (
        "source: 词典\ncount: 2\n\nentries[0].title: 语言模型\nentries[0].id: 7\n"
        "entries[0].text: 语言模型预测下一个词。\n\nentries[1].title: 词向量\nentries[1].id: 8\n\n"
        "entries[1].text:\n词向量表示\n单词之间的相似性。"
    )
    assert [(each.start, each.title) for each in parsed.headings] == [
        (21, "语言模型"),
        (91, "词向量"),
    ]


def test_settings_keep_their_numbers_and_paths() -> None:
    """UTF-16: nested arrays have numbers, an empty key is shown, large numbers stay whole."""
    parsed = load(FILES / "settings.json")
    assert parsed.text == (
        "model.layers[0].size: 128\nmodel.layers[0].bias: true\nmodel.layers[1].size: 64\n"
        'model.rate: 1e-4\nname: trainer\n"": odd\nbig: 123456789012345678901234567890'
    )
    assert parsed.metadata == {"encoding": "utf-16-le"}


def test_a_record_of_json_lines_has_the_page_of_its_line() -> None:
    """Russian, as written and escaped; a blank line counts, as in an editor."""
    parsed = load(FILES / "russian.jsonl")
    assert parsed.unit == "line"
    assert by_page(parsed) == [
        "title: Весы\ntext: Модель состоит из весов.",
        "title: Код\ntext: Код занимает 500 строк.",
        "",
        "x: 1, 2",
    ]
    assert sections(parsed) == [(1, "Весы", "title: Весы"), (1, "Код", "title: Код")]


def test_json_lines_of_windows_are_decoded() -> None:
    """Hungarian in cp1250 with \\r\\n: as text files are; an empty object is an empty page."""
    parsed = load(FILES / "windows.ndjson")
    assert by_page(parsed) == [
        "név: Ágnes\nkor: 42",
        "",
        "név: Béla\nkor: 40\nnyelvek: magyar, őshonos",
    ]


def test_json_lines_may_hold_any_value() -> None:
    """Chinese: a string, an object with records inside, an array; the first line is blank."""
    parsed = load(FILES / "chinese.jsonl")
    assert by_page(parsed) == [
        "",
        "只是一句话。",
        "question: 什么是词向量？\nanswers[0].text: 向量\nanswers[0].start: 3\n"
        "answers[1].text: 表示\nanswers[1].start: 9",
        "1",
    ]
    assert page_of(parsed.pages, parsed.text.index("只是")) == 2


# -- rules ------------------------------------------------------------------------------------


def test_nothing_of_an_object_is_lost(tmp_path: Path) -> None:
    """A key given twice is written twice; halves of characters become U+FFFD."""
    parsed = js(tmp_path, '{"a": "x", "a": "y", "b": "\\ud800\\u0000", "c d": [null, "z"]}')
    assert (
        parsed.text == "a: x\na: y\nb: \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\nc d: z"
    )


def test_a_title_comes_first_only_where_it_can_be_one(tmp_path: Path) -> None:
    """Not a number, not an empty one, not a paragraph; "title" goes before "name"."""
    parsed = js(tmp_path, json.dumps([
        {"id": 1, "name": "N", "title": "T"},
        {"id": 2, "title": ""},
        {"id": 3, "title": "word " * 60},
        {"id": 4, "title": {"name": "inner"}},
    ]))  # fmt: skip
    assert sections(parsed) == [(1, "T", "[0].title: T")]
    assert parsed.text.startswith("[0].title: T\n[0].id: 1\n[0].name: N\n\n[1].id: 2\n\n[2].id: 3")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.json", '{"a": ', "Expecting value: line 1 column 7"),
        ("a.json", "{'a': 1}", "Expecting property name"),
        ("a.json", "[" * 5000, "nested more than 100 deep"),
        ("a.json", "[" * 200 + "1" + "]" * 200, "nested more than 100 deep"),
        ("a.json", "[]", "holds no text"),
        ("a.json", '{"a": null, "b": ""}', "holds no text"),
        ("a.jsonl", '\n{"a": 2\n[1\n', "line 2: Expecting"),
        ("a.jsonl", "{}\n" + "[" * 5000, "line 2: nested more than 100 deep"),
        ("a.jsonl", "null\n\n", "holds no text"),
    ],
)
def test_broken_json_is_refused_in_one_line(
    name: str, content: str, told: str, tmp_path: Path
) -> None:
    """The error says where; in JSON Lines it names the line."""
    with pytest.raises(LoadError) as caught:
        load(write(tmp_path / name, content))
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_limits_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A huge value, too many lines, and key paths that outgrow the file."""
    monkeypatch.setattr(json_text, "MAX_SOURCE", 1 << 20)
    huge = '"' + "a" * (1 << 20) + '"'
    with pytest.raises(LoadError, match="at most 1 were expected"):
        js(tmp_path, huge)
    with pytest.raises(LoadError, match="line 1: 1 Mi characters"):
        load(write(tmp_path / "a.jsonl", huge))
    parsed = load(write(tmp_path / "a.jsonl", "1\n" + huge))
    assert (parsed.text, parsed.metadata["broken_lines"]) == ("1", "2")
    with pytest.raises(LoadError, match=r"line 2: its key paths.*over 10 times as long"):
        load(write(tmp_path / "a.jsonl", "1\n" + json.dumps({"k" * 50_000: [{"a": 1}] * 500})))
    with pytest.raises(LoadError, match="over 10 times as long"):
        js(tmp_path, json.dumps({"k" * 50_000: [{"a": 1}] * 500}))
    monkeypatch.setattr("rag.loaders.jsonl.MAX_PAGES", 2)
    with pytest.raises(LoadError, match="holds 3 lines; at most 2"):
        load(write(tmp_path / "a.jsonl", "1\n2\n3\n"))


def test_a_broken_line_costs_no_other(tmp_path: Path) -> None:
    """Cut short, no JSON, nested too deeply half way: passed over and named, lines keep pages."""
    deep = '{"name": "Half", "a": 1, "b": ' + "[" * 150 + "1" + "]" * 150 + "}"
    lines = ['{"name": "One"}', "no json", deep, '{"name": "Two"}', "", '{"name": "Th']
    parsed = load(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert parsed.text == "name: One\n\nname: Two"
    assert sections(parsed) == [(1, "One", "name: One"), (1, "Two", "name: Two")]
    assert by_page(parsed)[3] == "name: Two" and len(parsed.pages) == 6
    assert parsed.metadata["broken_lines"] == "2, 3, 6"
    many = "\n".join(["1", *["{"] * 1_500])
    named = load(write(tmp_path / "b.jsonl", many)).metadata["broken_lines"]
    assert named == "2-101 and 1,400 more"


# -- properties -------------------------------------------------------------------------------

KEYS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
SCALARS = st.one_of(KEYS, st.booleans(), st.none(), st.integers(), st.text(max_size=300))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def words(value: Any) -> list[str]:
    """Return the strings of a value that are one word."""
    if isinstance(value, dict):
        return [word for held in value.values() for word in words(held)]
    if isinstance(value, list):
        return [word for held in value for word in words(held)]
    return [value] if isinstance(value, str) and value.isalnum() else []


@pytest.mark.slow
@FEW
@given(value=VALUES)
def test_each_word_of_a_value_is_in_the_text(value: Any, tmp_path: Path) -> None:
    """Whatever the shape, invariants hold and no string is lost."""
    path = write(tmp_path / "a.json", json.dumps(value))
    try:
        parsed = load(path)
    except LoadError as error:
        assert "holds no text" in str(error) and not words(value)
        return
    check(parsed)
    assert all(word in parsed.text for word in words(value))


@pytest.mark.slow
@settings(FEW, max_examples=10)
@given(values=st.lists(st.none() | VALUES, min_size=1, max_size=6))
def test_each_word_of_a_line_is_on_its_page(values: list[Any], tmp_path: Path) -> None:
    """Page n holds the n-th line; None stands for a blank line."""
    lines = ["" if value is None else json.dumps(value) for value in values]
    path = write(tmp_path / "a.jsonl", "\n".join([*lines, '"end"']))
    parsed = load(path)
    check(parsed)
    for page, value in zip(by_page(parsed), [*values, "end"], strict=True):
        assert all(word in page for word in words(value))
