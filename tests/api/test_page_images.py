"""Pages of PDFs as pictures: drawn by a process of their own, marked where the passage stands."""

import io
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from api import page_images
from api.app import create_app
from api.page_images import Drawing, PageImages
from rag.config import Config
from rag.ingest import ingest
from rag.loaders.page_image import MOST_PIXELS, draw, places
from rag.testing import HashEmbedder
from tests.api.test_api_routes import error_of

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).resolve().parents[2] / "corpus/retrieval/retrieval-with-citations.en.pdf"
YELLOW = (255, 236, 130)


@pytest.fixture
def served(config: Config, tmp_path: Path) -> Iterator[TestClient]:
    """The service over one PDF and one text."""
    folder = tmp_path / "docs"
    folder.mkdir()
    shutil.copy(SAMPLE, folder / "sample.pdf")
    (folder / "note.md").write_text("# Note\n\nNothing to draw.\n", encoding="utf-8")
    ingest([folder], "default", HashEmbedder(), config)
    with TestClient(create_app(replace(config, parsers=0))) as client:
        yield client


def documents(client: TestClient) -> dict[str, Any]:
    """Return the documents by name."""
    return {found["name"]: found for found in client.get("/v1/documents").json()["documents"]}


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def marked(data: bytes) -> int:
    """Return how many pixels have the marker's colour."""
    colours = picture(data).getcolors(1 << 24) or []
    return sum(count for count, colour in colours if colour == YELLOW)


def test_a_page_is_drawn_with_what_is_cited_marked(served: TestClient) -> None:
    """Its picture is as wide as asked; the marker's colour is there with the offsets alone."""
    where = f"/v1/documents/{documents(served)['sample.pdf']['id']}"
    found = served.get(where, params={"start": 5446, "end": 5732}).json()
    assert (found["page"], found["pages"], found["drawable"]) == (3, 3, True)
    plain = served.get(f"{where}/pages/3", params={"width": 600})
    assert plain.status_code == 200 and plain.headers["content-type"] == "image/png"
    assert plain.headers["x-content-type-options"] == "nosniff"
    assert abs(picture(plain.content).width - 600) <= 1 and marked(plain.content) == 0
    shown = served.get(f"{where}/pages/3", params={"width": 600, "start": 5446, "end": 5732})
    assert marked(shown.content) > 1_000
    elsewhere = served.get(f"{where}/pages/1", params={"width": 600, "start": 5446, "end": 5732})
    assert marked(elsewhere.content) == 0


def test_what_can_not_be_drawn_is_told(served: TestClient, tmp_path: Path) -> None:
    """No PDF, no such page or document: 404; a width beyond the limits: 422."""
    found = documents(served)
    note, sample = found["note.md"]["id"], found["sample.pdf"]["id"]
    assert not served.get(f"/v1/documents/{note}").json()["drawable"]
    error_of(served.get(f"/v1/documents/{note}/pages/1"), 404, "not_found")
    assert "1 … 3" in error_of(served.get(f"/v1/documents/{sample}/pages/4"), 404, "not_found")
    error_of(served.get("/v1/documents/nothing/pages/1"), 404, "not_found")
    wide = served.get(f"/v1/documents/{sample}/pages/1", params={"width": 100_000})
    error_of(wide, 422, "invalid_request")
    other = served.get(f"/v1/documents/{sample}/pages/1", params={"collection": "other"})
    error_of(other, 404, "index_not_found")


def test_a_file_that_has_changed_is_not_drawn(served: TestClient, tmp_path: Path) -> None:
    """A page that is not what was cited proves nothing; nor does a file that is gone."""
    identity = documents(served)["sample.pdf"]["id"]
    file = tmp_path / "docs/sample.pdf"
    file.write_bytes(SAMPLE.read_bytes() + b"\n% more")
    changed = served.get(f"/v1/documents/{identity}/pages/1")
    assert "changed" in error_of(changed, 409, "conflict")
    file.unlink()
    assert "no longer" in error_of(served.get(f"/v1/documents/{identity}/pages/1"), 409, "conflict")


@pytest.mark.parametrize("data", [b"%PDF-1.7\nnothing", b"", SAMPLE.read_bytes()[:3_000]])
def test_a_damaged_file_is_an_error_of_one_line(data: bytes, tmp_path: Path) -> None:
    """What pdfium makes of it ends with the process; the service tells that it is not drawn."""
    file = tmp_path / "bad.pdf"
    file.write_bytes(data)
    with pytest.raises(HTTPException) as raised:
        page_images._drawn(Drawing(file, 1, 500, ""))
    assert raised.value.status_code == 422 and "can not be drawn" in raised.value.detail


def test_a_page_that_takes_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is killed when its time is over."""
    monkeypatch.setattr(page_images, "WALL_SECONDS", 0.5)
    monkeypatch.setattr(page_images, "_program", lambda: "import time; time.sleep(60)")
    with pytest.raises(HTTPException) as raised:
        page_images._drawn(Drawing(SAMPLE, 1, 500, ""))
    assert raised.value.status_code == 422 and "seconds" in raised.value.detail


def test_a_process_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it left on its output is no picture."""
    monkeypatch.setattr(page_images, "_program", lambda: "print('[1]'); raise SystemExit(7)")
    with pytest.raises(HTTPException) as raised:
        page_images._drawn(Drawing(SAMPLE, 1, 500, ""))
    assert "ended the process" in raised.value.detail


def test_few_pages_are_drawn_at_a_time() -> None:
    """Who gets no turn in time is told when to come again."""
    images = PageImages(at_once=1, patience=0.05)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with images._turn():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(10)
    with pytest.raises(HTTPException) as raised, images._turn():
        pass
    leave.set()
    thread.join()
    assert raised.value.status_code == 503 and raised.value.headers == {"Retry-After": "5"}


def test_a_long_page_is_drawn_more_coarsely() -> None:
    """The number of pixels is bounded, whatever size a page says it has."""
    import pypdfium2 as pdfium

    document = pdfium.PdfDocument.new()
    document.new_page(100, 14_000)
    out = io.BytesIO()
    document.save(out)
    found = picture(draw(out.getvalue(), 1, 2_000, ""))
    assert found.width * found.height <= MOST_PIXELS * 1.01


def test_a_passage_is_found_whatever_became_of_blanks_and_hyphens() -> None:
    """By hand: a hyphen at a line's end, the bars of a table, two blanks."""
    page = list("A con-\nver sion. Rate 4 % next")
    assert list(places(page, "conversion.")) == [(2, 15)]
    assert list(places(page, "Rate | 4 %")) == [(17, 23)]
    assert list(places(page, "")) == []
    assert list(places(page, "nowhere at all")) == []


@given(st.text(max_size=80), st.data())
def test_a_stretch_of_a_page_is_found_on_it(text: str, data: st.DataObject) -> None:
    """What is marked has the passage's letters and digits, in order."""
    start = data.draw(st.integers(0, len(text)))
    passage = text[start : data.draw(st.integers(start, len(text)))]
    wanted = "".join(filter(str.isalnum, passage))
    found = ["".join(filter(str.isalnum, text[a:b])) for a, b in places(list(text), passage)]
    assert found == ([wanted] if wanted else [])
