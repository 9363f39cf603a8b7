"""README.md shows what the program does: its commands are run, and their output has that shape.

A block marked `console` is a session: a line "$ COMMAND", then what it prints. All blocks are one
session in one folder, with fakes in place of the models, so texts and numbers differ and shapes
are compared: of JSON the keys and the types, of text the kinds of lines. "…" stands for what the
README leaves out: a line, a part of a text, the rest of an object or a list.
"""

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import api.server
from api.app import create_app
from rag.cli import main
from rag.config import load_config

pytestmark = pytest.mark.slow  # what it imports

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

# The kinds of lines of text, the first that matches; the name is filled in from the match.
KINDS = (
    (r"\s*", ""),
    (r"\[\d+\] \S.*", "citation"),
    (r" {4}.*", "indented"),
    (r"\d+  \S.* \(-?[\d.]+\)", "hit"),
    (r"(documents|passages|failed|skipped|error|Nearest passages):.*", r"\1:"),
    (r"([a-z_]+)  +\S.*", r"\1 …"),
    (r"(downloading|converting) .*", "fetching"),
    (r"\d+", "number"),
    (r".*", "text"),
)
# Not in every run: the fakes are not fetched.
OPTIONAL = {"", "fetching"}
URL = "http://127.0.0.1:8000"
# An object whose keys depend on the way an answer took.
FREE = {"timings"}


@dataclass(frozen=True)
class Command:
    """A command of the README, what it shows, and the line it stands on."""

    line: int
    text: str
    shown: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text[:60]}"


def blocks(language: str) -> Iterator[tuple[int, str]]:
    """Yield the number of the first line and the text of each block of a language."""
    for match in re.finditer(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE):
        yield README.count("\n", 0, match.start(1)) + 1, match[1]


def commands() -> Iterator[Command]:
    """Yield the commands of the README in order."""
    for first, block in blocks("console"):
        for match in re.finditer(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            yield Command(first + block.count("\n", 0, match.start()), match[1], match[2])


COMMANDS = list(commands())


@dataclass
class Session:
    """Runs commands as a shell would, in this process."""

    code: int = 0
    served: list[str] = field(default_factory=list)

    def run(self, command: Command) -> str:
        """Return what a command prints on both streams."""
        if command.text == "echo $?":
            return f"{self.code}\n"
        name, *arguments = shlex.split(command.text)
        run = {"rag": self._rag, "curl": self._curl, "cat": self._cat, "make": self._make}[name]
        return run(command, arguments)

    def _rag(self, command: Command, arguments: list[str]) -> str:
        if arguments[0] == "serve":
            self.served = arguments
            arguments = [*arguments, "--port", "0"]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            self.code = main(arguments)
        assert (self.code != 0) == command.shown.startswith("error: "), printed.getvalue()
        return printed.getvalue()

    def _curl(self, command: Command, arguments: list[str]) -> str:
        """Send the request to the app that the last `rag serve` would serve."""
        place = next(word.removeprefix(URL) for word in arguments if word.startswith(URL))
        index = self.served[self.served.index("--index") + 1]
        with TestClient(create_app(load_config(), index=index)) as client:
            until = time.monotonic() + 30
            while (ready := client.get("/readyz")).status_code != 200:
                assert time.monotonic() < until, ready.text
                time.sleep(0.01)
            if "-d" not in arguments:
                return client.get(place).text
            name, value = arguments[arguments.index("-H") + 1].split(": ")
            body = arguments[arguments.index("-d") + 1]
            return client.post(place, content=body, headers={name: value}).text

    def _cat(self, command: Command, arguments: list[str]) -> str:
        """A file that is shown is there: it is written as shown."""
        Path(arguments[0]).write_text(command.shown, encoding="utf-8")
        return command.shown

    def _make(self, command: Command, arguments: list[str]) -> str:
        """A target exists and its recipe can be read; what it runs is shown and run by itself."""
        if make := shutil.which("make"):
            done = subprocess.run(
                [make, "-n", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, done.stderr
        assert re.search(rf"^{arguments[0]}:", MAKEFILE, re.MULTILINE)
        return command.shown


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[Command, str]:
    """What each command of the README printed, all run in order in one folder, with fakes."""
    place = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "corpus", place / "corpus")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RAG_")]:
            patch.delenv(name)
        patch.chdir(place)
        patch.setenv("RAG_EMBEDDER", "hash")
        patch.setenv("RAG_GENERATOR", "none")
        patch.setenv("RAG_MODEL_DIR", str(place / "models"))
        patch.setenv("XDG_CACHE_HOME", str(place / "cache"))
        patch.setattr(api.server, "serve", lambda config, index, listener, tell: tell(URL))
        session = Session()
        found = {command: session.run(command) for command in COMMANDS}
        for _, source in blocks("python"):
            exec(compile(source, "README.md", "exec"), {})
    return found


def values(text: str) -> list[Any]:
    """Return the JSON values that stand one after the other in a text; "…" stands for a rest."""
    text = re.sub(r",\s*…\s*}", ', "…": "…"}', text)
    text = re.sub(r",\s*…\s*]", ', "…"]', text).strip()
    found = []
    while text:
        value, end = json.JSONDecoder().raw_decode(text)
        found.append(value)
        text = text[end:].strip()
    return found


def differences(shown: Any, real: Any, place: str = "") -> Iterator[str]:
    """Yield how the shape of a shown JSON value differs from that of a real one."""
    if shown is None or real is None:
        return  # a page, a reason: not every document and answer has one
    if isinstance(shown, dict) and isinstance(real, dict):
        elided = "…" in shown
        wanted = shown.keys() - {"…"}
        differ = wanted - real.keys() or (not elided and real.keys() - wanted)
        if differ and place.rpartition(".")[2] not in FREE:
            yield f"{place}: keys {list(shown)}, really {list(real)}"
        for key in wanted & real.keys():
            yield from differences(shown[key], real[key], f"{place}.{key}")
    elif isinstance(shown, list) and isinstance(real, list):
        for one, other in zip((one for one in shown if one != "…"), real, strict=False):
            yield from differences(one, other, f"{place}[]")
    elif isinstance(shown, float) != isinstance(real, float) or type(shown) is not type(real):
        yield f"{place}: {shown!r}, really {real!r}"


def kinds(text: str) -> list[str]:
    """Return the kinds of the lines of a text, each once, in order of appearance."""
    found = {}
    for line in text.splitlines():
        if line != "…":
            pattern, name = next(kind for kind in KINDS if re.fullmatch(kind[0], line))
            found[re.sub(pattern, name, line, count=1) if "\\" in name else name] = None
    return list(found)


# The fakes find nothing across languages, so such a question is asked but not compared.
@pytest.mark.parametrize("command", [c for c in COMMANDS if c.text.isascii()], ids=str)
def test_output_has_the_shape_shown(command: Command, printed: dict[Command, str]) -> None:
    """What a command prints has the shape that README.md shows."""
    real = printed[command]
    if command.shown.startswith(("{", "[{")):
        shown_values, real_values = values(command.shown), values(real)
        assert len(shown_values) == len(real_values)
        pairs = zip(shown_values, real_values, strict=True)
        assert not [told for pair in pairs for told in differences(*pair)]
        return
    shown_kinds, real_kinds = kinds(command.shown), kinds(real)
    missing = [kind for kind in shown_kinds if kind not in real_kinds and kind not in OPTIONAL]
    new = [kind for kind in real_kinds if kind not in shown_kinds and kind not in OPTIONAL]
    assert not missing and not new, f"really:\n{real}"


@pytest.mark.parametrize("command", [c for c in COMMANDS if "$?" in c.text], ids=str)
def test_exit_codes_are_those_shown(command: Command, printed: dict[Command, str]) -> None:
    """`echo $?` prints what README.md shows."""
    assert printed[command] == command.shown


def demo_commands() -> list[str]:
    """Return the commands that README.md shows under `make demo`."""
    block = next(text for _, text in blocks("console") if text.startswith("$ make demo"))
    return re.findall(r"^\$ (rag .+)$", block, re.MULTILINE)


def test_the_demo_shown_is_the_demo_of_the_makefile() -> None:
    """The commands under `make demo` are those that its recipe runs."""
    questions = dict(re.findall(r"^(QUESTION_\w+) := (.+)$", MAKEFILE, re.MULTILINE))
    recipe = re.search(r"^demo:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe
    filled = re.sub(r"\$\((QUESTION_\w+)\)", lambda match: questions[match[1]], recipe[1])
    assert demo_commands() == re.findall(r"'(rag [^']+)'", filled)


def test_a_difference_of_shape_is_seen() -> None:
    """Keys and types are compared through lists, and "…" stands for a rest only."""
    (shown,) = values('{"a": [{"b": 1, "c": "x"}], "d": {"e": 1, …}}')
    assert not list(differences(shown, {"a": [{"b": 2, "c": "y"}], "d": {"e": 0, "f": 1}}))
    assert len(list(differences(shown, {"a": [{"b": "2", "d": "y"}], "d": {"f": 1}}))) == 3
    assert kinds("[1] a.md\n    “x”\n\n…\nstatus  ok\n") == ["citation", "indented", "", "status …"]


@pytest.mark.model
def test_the_demo_answers_with_citations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the default models both questions of the demo are answered from the gold document."""
    for name in ("RAG_EMBEDDER", "RAG_GENERATOR", "RAG_INDEX_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus").symlink_to(ROOT / "corpus")
    ingest, english, other = demo_commands()
    assert main([*shlex.split(ingest)[1:], "--json"]) == 0
    capsys.readouterr()
    sources = ("retrieval/retrieval-with-citations.en.pdf", "backpropagation.en.rst")
    gold = ("the share of citations that support their sentence", "16 bytes for each parameter")
    for command, source, words in zip((english, other), sources, gold, strict=True):
        assert main([*shlex.split(command)[1:], "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert not answer["abstained"]
        assert all(claim["citations"] for claim in answer["claims"])
        assert answer["citations"][0]["source"] == source
        assert words in " ".join(answer["citations"][0]["quote"].split())
