"""`rag check`: a claim and its sources in a line, a verdict and its evidence out."""

import io
import json
import sys
import time
from pathlib import Path

import pytest

from rag.checking import Checker
from rag.views import checked_view
from tests.cli.runner import Run
from tests.support_models import support_model

BRIDGE = "It spans the Danube. The bridge is 1,600 metres long."
LINES = [
    {"id": "a", "claim": "The bridge is 1600 metres long.", "sources": [BRIDGE], "gold": True},
    {"id": 7, "claim": "The bridge is 1700 metres long.", "sources": ["", BRIDGE]},
    {"id": 0.5, "claim": "猫每天喝牛奶。", "sources": ["猫每天喝牛奶。\u2028狗睡觉。\x85"]},
    {"id": "empty", "claim": "It rains.", "sources": ["", " \n"]},
    {"id": "none", "claim": "It rains.", "sources": []},
    {"id": "nothing", "claim": "", "sources": [BRIDGE]},
]
FINDINGS = (
    "passed missing_numbers missing_dates missing_names unknown_names negation"
    " conflicting_numbers verbatim"
)


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model made by hand."""
    monkeypatch.setattr("rag.checking.load_model", support_model)


def claims(place: Path, *lines: object, end: str = "\n", start: str = "") -> Path:
    path = place / "claims.jsonl"
    written = [
        line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines
    ]
    path.write_bytes((start + "".join(line + end for line in written)).encode())
    return path


def test_each_claim_yields_a_line_of_the_agreed_shape(rag: Run, place: Path) -> None:
    """In order, ids as they were, further keys passed over; no index is needed."""
    result = rag("check", claims(place, *LINES), "--json")
    assert (result.code, result.err) == (0, "")
    assert [view["id"] for view in result.lines] == [line["id"] for line in LINES]
    verdicts = [view["verdict"] for view in result.lines]
    assert verdicts == ["supported", "contradicted", "supported", *["unsupported"] * 3]
    for view in result.lines:
        assert list(view) == ["id", "verdict", "score", "evidence", "gates"]
        assert list(view["gates"]) == ["exact", "meaning"]
        assert " ".join(view["gates"]["exact"]) == FINDINGS
        assert list(view["gates"]["meaning"]) == ["probability", "across_languages"]
    assert result.lines[0]["evidence"] == [
        {"source": 0, "start": 21, "end": 53, "quote": "The bridge is 1,600 metres long."}
    ]
    assert result.lines[1]["gates"]["exact"]["conflicting_numbers"] == [
        {"text": "1700 metres", "start": 14, "end": 25, "instead": "1,600 metres"}
    ]


def test_it_says_what_the_core_says(rag: Run, place: Path) -> None:
    """Nothing is lost or rounded on the way."""
    checker = Checker(None, support_model())
    expected = [
        checked_view(checker.check(line["claim"], line["sources"]), line["id"])  # type: ignore[arg-type]
        for line in LINES
    ]
    assert rag("check", claims(place, *LINES), "--json").lines == expected


@pytest.mark.parametrize(
    "form", [{}, {"start": "\ufeff"}, {"end": "\r\n"}, {"end": "\n\n \t\n"}, {"start": "\n"}]
)
def test_the_form_of_the_file_makes_no_difference(
    rag: Run, place: Path, form: dict[str, str]
) -> None:
    """A byte order mark, lines that end as on Windows, blank lines."""
    plain = rag("check", claims(place, *LINES), "--json").out
    assert rag("check", claims(place, *LINES, **form), "--json").out == plain


def test_claims_come_from_standard_input_and_are_answered_at_once(
    rag: Run, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A claim is answered before the next is read."""
    content = claims(place, *LINES).read_bytes()
    seen: list[int] = []

    class Watched(io.BytesIO):
        def __next__(self) -> bytes:
            seen.append(printed())
            return super().__next__()

    def printed() -> int:
        told.append(capsys.readouterr().out)
        return "".join(told).count("\n")

    told: list[str] = []
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Watched(content)))
    assert rag("check", "-", "--json").code == 0
    assert seen == list(range(len(LINES) + 1))
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert rag("check", "-", "--json").out == "".join(told)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not an object"),
        ("[" * 100_000, "is not JSON"),
        ('{"claim": "x", "sources": []}', "has no id"),
        ('{"id": true, "claim": "x", "sources": []}', "has no id"),
        ('{"id": 1e999, "claim": "x", "sources": []}', "has no id"),
        ('{"id": NaN, "claim": "x", "sources": []}', "is not JSON (NaN is no number)"),
        ('{"id": 1, "sources": []}', "has no claim that is a string"),
        ('{"id": 1, "claim": ["x"], "sources": []}', "has no claim that is a string"),
        ('{"id": 1, "claim": "x"}', "has no sources that are a list of strings"),
        ('{"id": 1, "claim": "x", "sources": "y"}', "has no sources that are a list of strings"),
        ('{"id": 1, "claim": "x", "sources": [null]}', "has no sources that are a list"),
        ('{"id": 1, "claim": "x", "sources": ["\\ud800"]}', "is not valid text"),
    ],
)
def test_a_malformed_line_ends_the_run(rag: Run, place: Path, line: str, named: str) -> None:
    """What came before it is answered; the error names file, line and what was expected."""
    path = claims(place, LINES[0], "", line, LINES[1])
    result = rag("check", path, "--json")
    assert result.code == 2 and [view["id"] for view in result.lines] == ["a"]
    assert result.err.startswith(f"error: {path}, line 3 {named}")
    assert 'expected {"id": "1", "claim": "…", "sources": ["…"]}' in result.err
    assert result.err.count("\n") == 1 and len(result.err) < 400


def test_a_line_that_is_not_utf_8_is_told_with_its_number(rag: Run, place: Path) -> None:
    """Also where the lines before it are."""
    path = claims(place, LINES[0])
    path.write_bytes(path.read_bytes() + b'{"id": 1, "claim": "caf\xe9", "sources": []}')
    result = rag("check", path)
    assert result.code == 2
    assert result.err == (
        f"error: {path}, line 2 can not be read: it is not UTF-8; expected JSON lines\n"
    )


def test_a_file_of_no_claims_is_refused(
    rag: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, a folder, empty, nothing on standard input, or none at all."""
    (place / "folder").mkdir()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    for name, named in {
        "missing.jsonl": "can not be read: No such file",
        "folder": "can not be read: Is a directory",
        str(claims(place, "", "")): "holds no claim; expected lines",
        "-": "standard input holds no claim",
    }.items():
        result = rag("check", name)
        assert named in result.error and result.code == 2
    monkeypatch.setattr(sys, "stdin", None)
    assert "standard input can not be read: it is closed" in rag("check", "-").error
    assert "Missing argument 'FILE'" in rag("check").error


def test_people_read_verdict_evidence_and_reasons(rag: Run, place: Path) -> None:
    """Plain text, with what was not found, and nothing that steers the terminal."""
    odd = {"id": "e\x1b[31m", "claim": "Cats are not red.", "sources": ["Cats are\x1b[31m\nred."]}
    out = rag("check", claims(place, *LINES[:2], odd)).out
    first, quote, second, *rest = out.split("\n")
    assert first == "a  supported  (0.953)"
    assert quote == "    source 0: “The bridge is 1,600 metres long.”"
    assert second.startswith("7  contradicted  (0.")
    assert rest[1:3] == [
        "    not in the sources: 1700 metres",
        "    they have 1,600 metres in place of 1700 metres",
    ]
    assert "\x1b" not in out and json.loads(json.dumps(out)) == out
    negated = {"id": 1, "claim": "The bridge is not long.", "sources": ["The bridge is long."]}
    assert rag("check", claims(place, negated)).out.endswith("    negated on one side only\n")


def test_events_count_claims(rag: Run, place: Path) -> None:
    """--events tells how many are done."""
    result = rag("check", claims(place, *LINES[:2]), "--events")
    told = [json.loads(line) for line in result.err.splitlines()]
    assert told == [{"event": "claim", "done": 1}, {"event": "claim", "done": 2}]


def test_a_model_that_can_not_be_had_ends_the_run(rag: Run, place: Path) -> None:
    """Exit code 6, once a claim needs it."""
    options = ["--embedder", "intfloat/multilingual-e5-small", "--offline", "--model-dir", place]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_CACHE", str(place))
        result = rag("check", claims(place, LINES[4], LINES[0]), "--json", *options)
    assert result.code == 6 and [view["id"] for view in result.lines] == ["none"]
    assert "no weights for intfloat/multilingual-e5-small" in result.err


@pytest.mark.slow
def test_a_source_of_100_000_words_is_read_in_full(rag: Run, place: Path) -> None:
    """What decides stands at its very end; a minute is much for it on a slow machine."""
    filler = "".join(
        f"Entry {n}: the river flows through field and forest. " for n in range(11_200)
    )
    source = f"{filler}The bridge is 1,600 metres long."
    assert len(source.split()) > 100_000
    path = claims(place, {"id": 1, "claim": LINES[0]["claim"], "sources": [source]})
    began = time.monotonic()
    view = rag("check", path, "--json").json
    assert time.monotonic() - began < 60
    assert view["verdict"] == "supported"
    assert {"source": 0, "start": len(filler), "end": len(source)}.items() <= view["evidence"][
        -1
    ].items()
