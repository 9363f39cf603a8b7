"""Documents by name, and stretches of their text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.config import Config
from rag.errors import ConfigError
from rag.excerpts import excerpt, find, listed, page_of
from rag.ingest import ingest
from rag.store import Store, index_path
from rag.testing import HashEmbedder
from rag.types import Document
from tests.cli.runner import DOCUMENTS, write


def document(text: str, pages: tuple[int, ...] = ()) -> Document:
    return Document("d", "a.txt", "A", text, (), pages, "en", {}, "h")


@given(
    st.text(max_size=60),
    st.integers(-2, 70),
    st.integers(-2, 70),
    st.integers(0, 20),
    st.integers(1, 40),
)
def test_an_excerpt_is_the_documents_text(
    text: str, start: int, end: int, around: int, most: int
) -> None:
    """Within its bounds and the document, to the letter; a span that can not be is refused."""
    if not 0 <= start <= end or start > len(text):
        with pytest.raises(ConfigError, match="the span is"):
            excerpt(document(text), start, end, around, most)
        return
    found = excerpt(document(text), start, end, around, most)
    assert found.text == text[found.start : found.end] and len(found.text) <= most
    assert start - around <= found.start <= start
    assert found.end <= end + around
    if end - start + 2 * around <= most:
        assert found.end == min(len(text), end + around)


def test_a_page_holds_its_offsets() -> None:
    """Three pages; the first offset of a page is its own."""
    assert [page_of((0, 10, 20), offset) for offset in (0, 9, 10, 19, 20, 99)] == [1, 1, 2, 2, 3, 3]
    assert page_of((), 5) is None
    assert excerpt(document("x" * 30, (0, 10, 20)), 15, 16, 2, 100).page == 2


def test_documents_are_found_and_listed(tmp_path: Path) -> None:
    """By id and by source; in the order of ids, a few at a time."""
    config = Config(index_dir=tmp_path / "indexes")
    ingest([write(tmp_path / "docs", DOCUMENTS)], "default", HashEmbedder(), config)
    store = Store(index_path(config.index_dir, "default"))
    whole = listed(store, "", 100)
    assert sorted(each.source for each in whole) == sorted(DOCUMENTS)
    assert [each.id for each in whole] == sorted(each.id for each in whole)
    first = listed(store, "", 3)
    assert [*first, *listed(store, first[-1].id, 100)] == whole
    for each in whole:
        assert find(store, each.id) == find(store, each.source)
        assert find(store, each.id).title == each.title
    with pytest.raises(ConfigError, match="there is no document 'nowhere'"):
        find(store, "nowhere")


def test_a_source_of_several_documents_is_not_enough(tmp_path: Path) -> None:
    """Two folders have a file of the same name: the ids are told."""
    config = Config(index_dir=tmp_path / "indexes")
    folders = [write(tmp_path / name, {"a.txt": f"The {name} sleeps."}) for name in ("cat", "dog")]
    for folder in folders:
        ingest([folder], "default", HashEmbedder(), config)
    store = Store(index_path(config.index_dir, "default"))
    ids = [each.id for each in listed(store, "", 9)]
    assert len(ids) == 2
    with pytest.raises(ConfigError, match=f"{ids[0]}, {ids[1]}"):
        find(store, "a.txt")
