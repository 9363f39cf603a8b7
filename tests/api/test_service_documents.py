"""Collections, uploads, jobs and documents over HTTP."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.database import DATABASE, ServiceDatabase
from api.job_runner import JobRunner
from api.jobs import Job, Jobs, State
from api.uploads import FOLDER, INCOMING, Uploads, safe_name
from rag.cli import main
from rag.config import Config
from rag.ingest import ingest
from rag.store import Store
from rag.testing import HashEmbedder
from rag.writer import write_lock
from tests.api.test_api_routes import error_of
from tests.api.test_api_streaming import events
from tests.cli.runner import DOCUMENTS, QUESTION

CATS = b"# Cats\n\nThe cat drinks cold milk every morning.\n"
Files = list[tuple[str, tuple[str, bytes]]]


@pytest.fixture
def empty(config: Config) -> Iterator[TestClient]:
    """The service without any collection."""
    with TestClient(create_app(replace(config, parsers=0))) as client:
        yield client


def files(**named: bytes) -> Files:
    return [("files", (name.replace("__", "."), data)) for name, data in named.items()]


def finished(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for a job's end, on its stream, and return it."""
    text = client.get(f"/v1/jobs/{job['id']}/events").text
    name, last = events(text.replace(": still here\n\n", ""))[-1]
    assert name in ("done", "failed") and last["created"] == job["created"]
    assert client.get(f"/v1/jobs/{job['id']}").json() == last
    found: dict[str, Any] = last
    return found


def uploaded(client: TestClient, given: Files, collection: str | None = None) -> dict[str, Any]:
    """Upload files and wait until they are ingested."""
    query = f"?collection={collection}" if collection else ""
    response = client.post(f"/v1/documents{query}", files=given)
    assert response.status_code == 202, response.text
    return finished(client, response.json()["job"])


# -- collections ----------------------------------------------------------------------------------


def test_collections_are_made_listed_and_deleted(empty: TestClient, config: Config) -> None:
    """An empty one answers, that it knows nothing; a deleted one is gone with all of its files."""
    made = empty.post("/v1/collections", json={"name": "manuals"})
    view = {"name": "manuals", "documents": 0, "passages": 0, "problem": None}
    assert made.status_code == 201 and made.json() == view
    assert empty.get("/v1/collections").json() == {"collections": [view], "default": "default"}
    body = {"question": QUESTION, "collection": "manuals"}
    assert empty.post("/v1/ask", json=body).json()["abstained"]
    again = empty.post("/v1/collections", json={"name": "manuals"})
    assert "already" in error_of(again, 409, "conflict")
    uploaded(empty, files(cats__md=CATS), "manuals")
    answer = empty.post("/v1/ask", json=body).json()
    assert not answer["abstained"]
    assert empty.delete("/v1/collections/manuals").status_code == 204
    assert empty.get("/v1/collections").json()["collections"] == []
    error_of(empty.post("/v1/ask", json=body), 404, "index_not_found")
    error_of(empty.get(f"/v1/answers/{answer['id']}"), 404, "not_found")
    kept = {path.name for path in config.index_dir.iterdir()}
    assert not kept - {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "service.jobs.lock"}
    # Made anew under its name, it holds nothing of the old one.
    assert empty.post("/v1/collections", json={"name": "manuals"}).json() == view
    assert empty.post("/v1/ask", json=body).json()["abstained"]


@pytest.mark.parametrize("name", ["", "../x", ".hidden", "a/b", "x" * 65, "a\u0000b", "\ud83d"])
def test_names_that_could_leave_the_folder_are_refused(empty: TestClient, name: str) -> None:
    """422, and nothing is made."""
    content = json.dumps({"name": name})
    response = empty.post(
        "/v1/collections", content=content, headers={"content-type": "application/json"}
    )
    error_of(response, 422, "invalid_request")
    assert empty.get("/v1/collections").json()["collections"] == []


def test_a_collection_that_is_being_written_is_not_deleted(
    client: TestClient, config: Config
) -> None:
    """409; it is whole afterwards."""
    with write_lock(config.index_dir / "default"):
        error_of(client.delete("/v1/collections/default"), 409, "index_locked")
    assert client.post("/v1/ask", json={"question": QUESTION}).status_code == 200


def test_a_damaged_collection_is_listed_as_such(client: TestClient, config: Config) -> None:
    """It must not hide the others."""
    (config.index_dir / "broken").mkdir()
    (config.index_dir / "broken" / "store.sqlite3").write_bytes(b"x" * 8192)
    found = client.get("/v1/collections").json()["collections"]
    assert [(each["name"], each["problem"]) for each in found] == [
        ("broken", "index_corrupt"),
        ("default", None),
    ]


def test_collection_and_index_are_one_thing(client: TestClient) -> None:
    """Both names are taken; two different ones are refused."""
    for name in ("collection", "index"):
        body = {"question": QUESTION, name: "default"}
        assert client.post("/v1/search", json=body).status_code == 200
    for name in ("collection", "index"):
        empty_name = {"question": QUESTION, name: ""}
        error_of(client.post("/v1/ask", json=empty_name), 422, "invalid_request")
    both = {"question": QUESTION, "collection": "a", "index": "b"}
    assert "differ" in error_of(client.post("/v1/ask", json=both), 422, "invalid_request")


# -- uploads --------------------------------------------------------------------------------------


def test_an_upload_is_ingested_and_answers(empty: TestClient, config: Config) -> None:
    """The default collection is made for it; on disk are opaque names only."""
    job = uploaded(empty, files(cats__md=CATS, law__txt=b"A contract is void.\n"))
    assert job["state"] == "done" and job["report"]["documents"]["added"] == 2
    assert [file["name"] for file in job["files"]] == ["cats.md", "law.txt"]
    assert job["progress"]["documents"] == 2 and job["error"] is None
    answer = empty.post("/v1/ask", json={"question": QUESTION}).json()
    (citation, *_) = answer["citations"]
    assert citation["title"] == "cats.md" and "milk" in citation["quote"]
    listed = empty.get("/v1/documents").json()
    assert sorted(each["name"] for each in listed["documents"]) == ["cats.md", "law.txt"]
    found = sorted(path.name for path in (config.index_dir / "default" / FOLDER).iterdir())
    ids = sorted(file["id"] for file in job["files"])
    assert all(name.partition(".")[0] in ids for name in found) and len(found) == 4


def test_a_file_of_a_known_name_replaces_it(empty: TestClient) -> None:
    """One document, with the new text."""
    uploaded(empty, files(cats__md=CATS))
    job = uploaded(empty, files(cats__md=b"Cats hate water.\n"))
    assert job["report"]["documents"]["updated"] == 1
    (document,) = empty.get("/v1/documents").json()["documents"]
    text = empty.get(f"/v1/documents/{document['id']}").json()["text"]
    assert "hate water" in text and "milk" not in text


def test_files_that_can_not_be_read_are_named(empty: TestClient) -> None:
    """By kind at once, by content in the job's report, each by the name it came with."""
    given = files(cats__md=CATS, photo__jpg=b"\xff\xd8", broken__pdf=b"%PDF-1.7 nonsense")
    response = empty.post("/v1/documents", files=given)
    assert [each["name"] for each in response.json()["refused"]] == ["photo.jpg"]
    report = finished(empty, response.json()["job"])["report"]["documents"]
    assert report["added"] == 1 and [each["source"] for each in report["failed"]] == ["broken.pdf"]
    only = empty.post("/v1/documents", files=files(photo__jpg=b"\xff\xd8"))
    assert "photo.jpg" in error_of(only, 422, "invalid_request")


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/cron.d/evil.md",
        "..\\..\\evil.md",
        "/etc/passwd.md",
        "con\u202egnp.md",
        "a\x00b.md",
        "<img src=x onerror=alert(1)>.md",
        "x" * 5_000 + ".md",
        ".md",
        "a\nb.md",
        "résumé 日本.md",
        "store.sqlite3.md",
        "x.md.meta.json",
    ],
)
def test_hostile_names_stay_in_the_folder(empty: TestClient, config: Config, name: str) -> None:
    """What is written has an opaque name; what is shown is one line without what is not seen."""
    before = {path for path in config.index_dir.parent.rglob("*")}
    # The header as curl would send it: quotes and backslashes escaped, controls as they are.
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "%0A").encode()
    body = (
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="'
        + quoted
        + b'"\r\n\r\n'
        + CATS
        + b"\r\n--b--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=b"}
    response = empty.post("/v1/documents", content=body, headers=headers)
    assert response.status_code in (202, 422), response.text
    if response.status_code == 202:
        job = finished(empty, response.json()["job"])
        (file,) = job["files"]
        assert file["name"].isprintable() and len(file["name"]) <= 200 and "/" not in file["name"]
    for path in set(config.index_dir.parent.rglob("*")) - before:
        assert path == config.index_dir or path.is_relative_to(config.index_dir)
        assert "evil" not in path.name and "passwd" not in path.name


def test_a_shown_name_keeps_its_suffix() -> None:
    """Long names are cut before it."""
    assert safe_name("a/b\\c.pdf") == "c.pdf" and safe_name("") == safe_name("\u202e/") == "unnamed"
    long = safe_name("x" * 500 + ".tar.gz")
    assert long.endswith("….gz") and len(long) <= 200


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "multipart/form-data; boundary=b"),
        (b"--b--\r\n", "multipart/form-data; boundary=b"),
        (b"--c\r\n\r\nx", "multipart/form-data; boundary=b"),
        (
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--b--',
            "multipart/form-data",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.md"\r\n\r\nhalf',
            "multipart/form-data; boundary=b",
        ),
        (b"{}", "application/json"),
        (b"x", "multipart/form-data; boundary=" + "b" * 500),
        (b"--b\r\n" + b"X: y\r\n" * 5_000 + b"\r\n", "multipart/form-data; boundary=b"),
    ],
)
def test_what_is_no_upload_is_refused(
    client: TestClient, config: Config, content: bytes, kind: str
) -> None:
    """422 with what was expected; no half of a file stays."""
    response = client.post("/v1/documents", content=content, headers={"content-type": kind})
    error_of(response, 422, "invalid_request")
    assert not list((config.index_dir / "default" / FOLDER).glob("*"))


def test_an_upload_over_the_limit_is_refused(config: Config, docs: Path) -> None:
    """413, whether its length was announced or not; nothing of it stays."""
    with TestClient(create_app(replace(config, max_upload_mb=1))) as client:
        big = files(a__txt=b"x" * 1_100_000)
        error_of(client.post("/v1/documents", files=big), 413, "content_too_large")
        head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n'
        pieces = iter([head, *[b"x" * 100_000] * 11, b"\r\n--b--\r\n"])
        response = client.post(
            "/v1/documents",
            content=pieces,
            headers={"content-type": "multipart/form-data; boundary=b"},
        )
        error_of(response, 413, "content_too_large")
        assert not list((config.index_dir / "default" / FOLDER).glob("*"))
        many = [("files", (f"{i}.txt", b"x")) for i in range(101)]
        assert "at most 100 files" in client.post("/v1/documents", files=many).text


def test_uploads_and_folders_live_in_one_collection(
    client: TestClient, config: Config, docs: Path
) -> None:
    """An ingest of the folder deletes no upload, and an upload none of the folder's documents."""
    uploaded(client, files(extra__md=b"Ravens count to four.\n"))
    count = len(DOCUMENTS) + 1
    assert client.get("/v1/documents").json()["total"] == count
    ingest([docs], "default", HashEmbedder(), config)
    # Even of a folder that the indexes lie in.
    ingest([docs.parent], "default", HashEmbedder(), config)
    assert client.get("/v1/documents").json()["total"] >= count
    found = client.post("/v1/search", json={"question": "How far do ravens count?"}).json()
    assert found["hits"][0]["title"] == "extra.md"


# -- documents ------------------------------------------------------------------------------------


def test_documents_come_in_pages(client: TestClient) -> None:
    """By source, each once, until there is no next one."""
    seen, after = list[str](), None
    while True:
        query = "limit=3" + (f"&after={after}" if after else "")
        page = client.get(f"/v1/documents?{query}").json()
        seen += [each["source"] for each in page["documents"]]
        after = page["next"]
        assert page["total"] == len(DOCUMENTS) and len(page["documents"]) <= 3
        if after is None:
            break
    assert seen == sorted(DOCUMENTS)
    for query in ("limit=0", "limit=501", "after=x", "after=W10=", "after=WzEsMl0=", "after=é"):
        error_of(client.get(f"/v1/documents?{query}"), 422, "invalid_request")


def test_a_citation_is_found_in_its_document(client: TestClient) -> None:
    """The text around it, in which the offsets of the quote point to the quote."""
    answer = client.post("/v1/ask", json={"question": QUESTION}).json()
    for citation in answer["citations"]:
        where = f"start={citation['start']}&end={citation['end']}"
        found = client.get(f"/v1/documents/{citation['document_id']}?{where}").json()
        first = citation["start"] - found["start"]
        quote = found["text"][first : first + citation["end"] - citation["start"]]
        assert quote == citation["quote"]
        assert found["selected"] == {"start": citation["start"], "end": citation["end"]}
        assert (found["source"], found["title"]) == (citation["source"], citation["title"])


def test_offsets_that_are_none_are_refused(client: TestClient) -> None:
    """422; a document that is not there is 404."""
    (document, *_) = client.get("/v1/documents").json()["documents"]
    path = f"/v1/documents/{document['id']}"
    for query in ("start=5&end=2", "start=0&end=99999", "start=-1", "start=x", "end=1e3"):
        error_of(client.get(f"{path}?{query}"), 422, "invalid_request")
    for identity in ("nothing", "%F0%9F%98%80", document["source"].replace("/", "%2F")):
        response = client.get(f"/v1/documents/{identity}")
        assert response.status_code == 404 and response.json()["error"]["message"]


def test_a_deleted_upload_does_not_come_back(empty: TestClient, config: Config) -> None:
    """Its file goes with it; what is uploaded later brings only itself."""
    uploaded(empty, files(cats__md=CATS, law__txt=b"A contract is void.\n"))
    cats = next(d for d in empty.get("/v1/documents").json()["documents"] if d["name"] == "cats.md")
    gone = empty.delete(f"/v1/documents/{cats['id']}")
    assert gone.json() == {"id": cats["id"], "source": cats["source"], "returns": False}
    error_of(empty.delete(f"/v1/documents/{cats['id']}"), 404, "not_found")
    uploaded(empty, files(music__md=b"A quartet has two violins.\n"))
    names = [each["name"] for each in empty.get("/v1/documents").json()["documents"]]
    assert sorted(names) == ["law.txt", "music.md"]
    assert not [p for p in (config.index_dir / "default" / FOLDER).iterdir() if "gone" in p.name]
    again = uploaded(empty, files(cats__md=CATS))
    assert again["report"]["documents"]["added"] == 1


def test_a_deletion_that_fails_leaves_the_document(empty: TestClient, config: Config) -> None:
    """409 while the index is being written; the next ingest has nothing to do."""
    uploaded(empty, files(cats__md=CATS))
    (document,) = empty.get("/v1/documents").json()["documents"]
    with write_lock(config.index_dir / "default"):
        response = empty.delete(f"/v1/documents/{document['id']}")
        error_of(response, 409, "index_locked")
    job = uploaded(empty, files(law__txt=b"A contract is void.\n"))
    counts = job["report"]["documents"]
    assert (counts["deleted"], counts["unchanged"], counts["added"]) == (0, 1, 1)


def test_a_document_of_a_folder_is_deleted_from_the_index_only(
    client: TestClient, docs: Path
) -> None:
    """Its file is the user's; the answer says that an ingest brings it back."""
    (document, *_) = client.get("/v1/documents").json()["documents"]
    assert client.delete(f"/v1/documents/{document['id']}").json()["returns"] is True
    assert (docs / document["source"]).exists()


# -- jobs -----------------------------------------------------------------------------------------


def runner_of(config: Config) -> tuple[JobRunner, Jobs, Uploads]:
    database = ServiceDatabase(config.index_dir / DATABASE)
    jobs, uploads = Jobs(database), Uploads(database, config.index_dir)
    return JobRunner(config, jobs, uploads, HashEmbedder), jobs, uploads


def ended(jobs: Jobs, job: Job) -> Job:
    """Wait for a job's end."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = jobs.get(job.id)
        assert found is not None
        if found.state in (State.DONE, State.FAILED):
            return found
        time.sleep(0.02)
    raise AssertionError("the job did not end")


def placed(uploads: Uploads, collection: str, name: str, data: bytes) -> None:
    """Put a file where uploads are kept."""
    from api.uploads import Received

    with uploads.incoming(collection) as folder:
        (folder / "0").write_bytes(data)
        uploads.keep(collection, [Received(name, folder / "0", len(data), "")])


def test_a_job_of_a_server_that_died_is_done_by_the_next(config: Config, docs: Path) -> None:
    """It was begun and not finished; its files are ingested after all."""
    config = replace(config, parsers=0)
    runner, jobs, uploads = runner_of(config)
    placed(uploads, "default", "ravens.md", b"Ravens count to four.\n")
    job = jobs.add("default", [])
    jobs.begin(job.id)
    runner.start()
    try:
        found = ended(jobs, job)
    finally:
        runner.stop()
    assert found.state is State.DONE and found.attempts == 2
    assert found.report is not None and found.report["documents"]["added"] == 1


def test_only_one_process_does_jobs(config: Config, docs: Path) -> None:
    """A second one waits, and takes over when the first is gone."""
    config = replace(config, parsers=0)
    first, jobs, uploads = runner_of(config)
    second, _, _ = runner_of(config)
    placed(uploads, "default", "a.md", CATS)
    first.start()
    ended(jobs, jobs.add("default", []))
    second.start()
    first.stop()
    try:
        assert ended(jobs, jobs.add("default", [])).state is State.DONE
    finally:
        second.stop()


def test_a_job_waits_for_an_index_that_is_being_written(config: Config, docs: Path) -> None:
    """Another program's ingest is no failure."""
    config = replace(config, parsers=0)
    runner, jobs, uploads = runner_of(config)
    placed(uploads, "default", "a.md", CATS)
    job = jobs.add("default", [])
    with write_lock(config.index_dir / "default"):
        runner.start()
        time.sleep(0.3)
        found = jobs.get(job.id)
        assert found is not None and found.state in (State.QUEUED, State.RUNNING)
    try:
        assert ended(jobs, job).state is State.DONE
    finally:
        runner.stop()


def test_a_job_of_a_deleted_collection_brings_it_not_back(config: Config, docs: Path) -> None:
    """It fails, and nothing is made."""
    runner, jobs, _ = runner_of(config)
    job = jobs.add("nowhere", [])
    runner.start()
    try:
        found = ended(jobs, job)
    finally:
        runner.stop()
    assert found.state is State.FAILED and found.error is not None
    assert found.error["code"] == "index_not_found"
    assert not (config.index_dir / "nowhere").exists()


def test_what_was_received_half_is_removed_in_time(config: Config, docs: Path) -> None:
    """Of servers that died; what comes in just now stays."""
    import os

    _, _, uploads = runner_of(config)
    folder = uploads.folder("default")
    old, new = folder / f"{INCOMING}old", folder / f"{INCOMING}new"
    for each in (old, new):
        each.mkdir(parents=True)
    os.utime(old, (0, 0))
    uploads.tidy()
    assert not old.exists() and new.exists()


def test_a_snapshot_brings_no_key_back(
    config: Config, docs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys are no part of an index: restoring one restores none."""
    from api.keys import Keys, Scope

    keys = Keys(ServiceDatabase(config.index_dir / DATABASE))
    key, token = keys.create("me", [Scope.READ])
    where = ["--index-dir", str(config.index_dir)]
    assert main(["snapshot", str(tmp_path / "file"), *where]) == 0
    keys.revoke(key.id)
    assert main(["restore", str(tmp_path / "file"), "--yes", *where]) == 0
    capsys.readouterr()
    assert keys.find(token) is None
    with closing(Store(config.index_dir / "default")) as store:
        assert store.count()[0] == len(DOCUMENTS)
