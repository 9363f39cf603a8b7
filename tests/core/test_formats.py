"""Files of every format go the whole way: read, cut, stored, and found on their page."""

from pathlib import Path

import pytest

from rag.loaders import kind
from tests.core.bench import Bench, check
from tests.loaders.loader_files import FILES


@pytest.mark.slow
def test_every_real_file_is_ingested_and_found(bench: Bench) -> None:
    """No failure, nothing skipped; each document keeps its text, each passage its offsets."""
    report = bench.ingest(FILES)
    names = sorted(path.name for path in FILES.iterdir())
    assert (report.failed, report.skipped) == ((), ())
    assert bench.sources() == names
    assert {kind(Path(name)) for name in names} > {"json", "jsonl", "ipynb", "epub", "eml", "mbox"}
    check(bench.store())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "words", "page"),
    [
        ("mailbox.mbox", "Средняя ошибка", 2),
        ("thunderbird.mbox", "Cut off in the middle", 3),
        ("russian.jsonl", "x: 1", 4),
        ("chinese.jsonl", "只是一句话", 2),
        ("nbformat4.ipynb", "ZeroDivisionError", 6),
        ("hungarian.eml", "312", None),
        ("epub2.epub", "词向量表示", None),
    ],
)
def test_a_passage_knows_its_message_line_and_cell(
    bench: Bench, source: str, words: str, page: int | None
) -> None:
    """The number is that of the page on which the words stand, inside the passage too."""
    bench.ingest(FILES / source)
    store = bench.store()
    passages = store.passages(store.rows()[0].tolist()).values()
    (found,) = [passage for passage in passages if words in passage.text]
    assert found.page_at(found.start + found.text.index(words)) == page


def test_a_citation_into_a_table_names_its_line(bench: Bench) -> None:
    """Records of a CSV file are lines, though none is named as a page."""
    rows = "".join(f"tea {n},{n * 7}\n" for n in range(300))
    bench.write({"teas.csv": "name,price\n" + rows})
    bench.ingest()
    found = bench.retriever().search("tea 250 1750", 5).hits
    (hit,) = [hit for hit in found if "tea 250" in hit.passage.text]
    at = hit.passage.start + hit.passage.text.index("tea 250")
    assert (hit.passage.unit, hit.passage.page_at(at)) == ("line", 252)
