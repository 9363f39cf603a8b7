"""Run folders: written, read, resumed, and refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ConfigError
from rag.evaluation.runs import (
    ITEMS,
    MANIFEST,
    Figure,
    ItemLog,
    begin,
    difference,
    item_line,
    parse_item,
    read_figures,
    read_items,
    read_manifest,
    write_figures,
    write_manifest,
)
from tests.evaluation.made import MANIFEST as PLAIN
from tests.evaluation.made import item


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Manifest, items and figures come back equal."""
    figures = [Figure("MRR", "product", {"lang": "zh"}, 0.5, 0.1, 0.9, 3, True)]
    write_manifest(tmp_path, PLAIN)
    write_figures(tmp_path, figures)
    with ItemLog(tmp_path) as log:
        log.append(item("a", values={"MRR": 0.5}))
        log.append(item("b", answer="猫\n喝 \u2028 牛奶"))
    assert read_manifest(tmp_path) == PLAIN
    assert read_figures(tmp_path) == figures
    assert read_items(tmp_path) == log.items


@given(
    st.text(),
    st.text(),
    st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
)
def test_an_item_is_one_line(question: str, answer: str, values: dict[str, float]) -> None:
    """Whatever texts hold, an item is one line that gives it back."""
    made = item("a", question=question, answer=answer, values=values)
    line = item_line(made)
    assert "\n" not in line
    assert parse_item(line) == made


@pytest.mark.parametrize("kept", [0, 1, 17, -1])
def test_a_torn_last_line_is_dropped(tmp_path: Path, kept: int) -> None:
    """A run that was killed while it wrote goes on behind its last whole item."""
    with ItemLog(tmp_path) as log:
        log.append(item("a"))
    torn = item_line(item("b")).encode()[:kept]
    with (tmp_path / ITEMS).open("ab") as file:
        file.write(torn)
    assert [one.id for one in read_items(tmp_path)] == ["a"]
    with ItemLog(tmp_path) as log:
        assert [one.id for one in log.items] == ["a"]
        log.append(item("c"))
    assert [one.id for one in read_items(tmp_path)] == ["a", "c"]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    """What is no item, and is not the torn end, is an error with its line."""
    (tmp_path / ITEMS).write_text(item_line(item("a")) + '\n{"id": "b"}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"items\.jsonl, line 2 is not an item"):
        ItemLog(tmp_path)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"seed": 1}, "its seed was 0, now 1"),
        ({"limit": 5}, "its limit was null, now 5"),
        ({"dataset": {**PLAIN.dataset, "sha256": "1"}}, '"sha256": "0"'),
        ({"config": {"k": 6}}, '{"k": 5}, now {"k": 6}'),
        ({"models": {"embedder": "hash@2"}}, "its models was"),
        ({"versions": {"code": "d"}}, "made by other code"),
        ({"index": {"name": "x"}}, "its index was"),
    ],
)
def test_another_run_is_not_resumed(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    """Other data, settings, models, code, seed or index: one line says which."""
    begin(tmp_path, PLAIN, resume=False)
    with pytest.raises(ConfigError, match="can not be resumed") as error:
        begin(tmp_path, replace(PLAIN, **changed), resume=True)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_beginning_and_resuming(tmp_path: Path) -> None:
    """A folder that holds a run is resumed when asked, and else refused; so is a stranger's."""
    folder = tmp_path / "runs" / "one"
    assert begin(folder, PLAIN, resume=True) == PLAIN
    with pytest.raises(ConfigError, match="--resume"):
        begin(folder, PLAIN, resume=False)
    later = replace(PLAIN, started="2027-01-01T00:00:00+00:00", run="other", hardware={"cores": 9})
    assert begin(folder, later, resume=True) == PLAIN
    with pytest.raises(ConfigError, match="holds no run"):
        begin(tmp_path, PLAIN, resume=True)


def test_folders_that_hold_no_run(tmp_path: Path) -> None:
    """Missing and damaged files are named with the remedy."""
    for read in (read_manifest, read_figures, read_items):
        with pytest.raises(ConfigError, match="expected"):
            read(tmp_path)
    (tmp_path / MANIFEST).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not JSON"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST).write_text('{"run": "x"}', encoding="utf-8")
    with pytest.raises(ConfigError, match="is no manifest"):
        read_manifest(tmp_path)


def test_times_and_places_make_no_difference() -> None:
    """A run may go on tomorrow, on another machine."""
    assert difference(PLAIN, replace(PLAIN, started="later", command="x", hardware={})) is None
