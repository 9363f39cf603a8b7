"""The files of the page: what may come with them, their words in four languages, how they come."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.about import sends_to
from api.app import Exposure, create_app
from api.database import DATABASE, ServiceDatabase
from api.keys import Keys, Scope
from api.page import FOLDER, POLICY
from rag.config import Config

LANGUAGES = ("en", "zh", "ru", "hu")
WORDS = {
    code: json.loads((FOLDER / f"lang/{code}.json").read_text(encoding="utf-8"))
    for code in LANGUAGES
}
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.js")}
HTML = (FOLDER / "index.html").read_text(encoding="utf-8")


class Elements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.found.append((tag, dict(attrs)))


def places(text: str) -> list[str]:
    """Return the names for which values are put into a text."""
    return sorted(re.findall(r"\{(\w+)\}", text))


# -- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_the_same_words(code: str) -> None:
    """The same names, none empty, each with the same places for values."""
    assert set(WORDS[code]) == set(WORDS["en"])
    for name, text in WORDS[code].items():
        assert text.strip() and places(text) == places(WORDS["en"][name]), name


def test_the_page_uses_the_words_that_there_are() -> None:
    """Each name in a script or in the page has words, and no words are left over."""
    text = HTML + "".join(SCRIPTS.values())
    used = set(re.findall(r'data-t(?:-label|-placeholder)?="([\w.]+)"', HTML))
    used |= set(re.findall(r'\bt\(\s*"([\w.]+)"', text))
    families = set(re.findall(r"\b(?:t|has)\(`([\w.]+\.)\$\{", text))
    assert not used - set(WORDS["en"])
    left = {name for name in WORDS["en"] if not name.startswith(tuple(families))} - used
    assert not left


def test_families_of_words_are_whole() -> None:
    """What the service can say has words: verdicts, methods, reasons, units, states of sources."""
    from api.answers import SourceState
    from rag.types import Method, Reason, Verdict

    families = {"verdict": Verdict, "verdict_note": Verdict, "method": Method, "reason": Reason}
    wanted = {f"{family}.{member}" for family, kind in families.items() for member in kind}
    wanted |= {f"state.{state}" for state in SourceState if state is not SourceState.UNCHANGED}
    wanted |= {f"unit.{unit}" for unit in ("page", "slide", "sheet", "message", "cell", "line")}
    assert wanted <= set(WORDS["en"])


# -- files --------------------------------------------------------------------------------------


def test_the_page_holds_no_script_and_no_style_of_its_own() -> None:
    """Nothing inline, nothing from elsewhere: what the policy forbids is not there either."""
    for tag, attributes in Elements(HTML).found:
        assert tag not in ("style", "iframe", "object", "embed", "base")
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        for name in ("src", "href"):
            assert (attributes.get(name) or "/static/").startswith(("/static/", "#")), attributes
        if tag == "script":
            assert attributes.get("src")


def test_scripts_make_no_markup_of_text() -> None:
    """No way from a string to elements, scripts or code is used anywhere."""
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|"
    ways += r"DOMParser|createContextualFragment|setHTML|javascript:|srcdoc|import\("
    for name, script in SCRIPTS.items():
        assert not re.search(ways, script), name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", script), name


def test_scripts_stay_small() -> None:
    """Modules of at most 300 lines."""
    assert all(script.count("\n") <= 300 for script in SCRIPTS.values())


# -- over HTTP ------------------------------------------------------------------------------------


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[tuple[TestClient, str]]:
    """A service that needs a key, and the key."""
    config = Config(index_dir=tmp_path / "indexes", embedder="hash", generator="none")
    config.index_dir.mkdir()
    keys = Keys(ServiceDatabase(config.index_dir / DATABASE))
    _, token = keys.create("reader", [Scope.READ], ["manuals"])
    app = create_app(config, exposure=Exposure(keys_required=True))
    with TestClient(app) as client:
        yield client, token


@pytest.mark.slow
def test_the_page_needs_no_key_and_what_it_asks_for_does(keyed: tuple[TestClient, str]) -> None:
    """Its files are the same for everybody; they tell nothing of the documents."""
    client, token = keyed
    assert client.get("/").status_code == client.get("/static/js/main.js").status_code == 200
    assert client.get("/v1/about").status_code == 401
    about = client.get("/v1/about", headers={"Authorization": f"Bearer {token}"})
    assert about.status_code == 200
    told = about.json()
    assert told["scopes"] == ["read"] and told["collection"] is None
    assert ".pdf" in told["uploads"]["kinds"] and told["writes"] is False


@pytest.mark.slow
def test_every_file_tells_what_the_page_may_do(keyed: tuple[TestClient, str]) -> None:
    """The policy comes with all of them, and with what has not changed."""
    client, _ = keyed
    for path in ("/", "/static/js/main.js", "/static/css/theme.css", "/static/lang/zh.json"):
        response = client.get(path)
        assert response.headers["content-security-policy"] == POLICY
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
    again = {"If-None-Match": client.get("/static/js/main.js").headers["etag"]}
    assert client.get("/static/js/main.js", headers=again).status_code == 304
    assert "unsafe" not in POLICY and "default-src 'none'" in POLICY


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", ["/static/", "/static/nothing.js", "/static/../app.py", "/static/%2e%2e/app.py"]
)
def test_nothing_but_the_files_is_served(keyed: tuple[TestClient, str], path: str) -> None:
    """What is not there, or lies beside the folder, is not found."""
    client, _ = keyed
    response = client.get(path)
    assert response.status_code == 404 and response.json()["error"]["code"] == "not_found"


@pytest.mark.slow
def test_the_page_is_read_and_not_written(keyed: tuple[TestClient, str]) -> None:
    """Other methods are refused."""
    client, _ = keyed
    assert client.post("/").status_code == client.post("/static/js/main.js").status_code == 405


@pytest.mark.parametrize(
    ("generator", "address", "told"),
    [
        ("none", "http://models.example/v1", None),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", None, None),
        ("openai:tiny", "http://127.0.0.1:9000/v1", None),
        ("openai:tiny", "http://[::1]:9000/v1", None),
        ("openai:tiny", "https://models.example:8443/v1", "models.example:8443"),
    ],
)
def test_it_is_told_where_passages_are_sent(
    generator: str, address: str | None, told: str | None
) -> None:
    """A generator on another machine is named; one on this machine is not another."""
    assert sends_to(Config(generator=generator, openai_base_url=address)) == told
