"""Settings: which source wins, what is refused, and that the documentation says the same."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from rag.config import Config, load_config
from rag.errors import ConfigError
from rag.types import Mode

DOCUMENTATION = Path(__file__).parents[1] / "docs" / "configuration.md"
FIELDS = {field.name: field for field in dataclasses.fields(Config)}


def load(
    folder: Path, toml: str = "", environ: dict[str, str] | None = None, **given: Any
) -> Config:
    if toml:
        (folder / "rag.toml").write_text(toml, encoding="utf-8")
    return load_config(given, environ or {}, folder)


def test_defaults_hold_where_nothing_is_set(tmp_path: Path) -> None:
    """Without a file, environment or options."""
    assert load(tmp_path) == Config()


def test_command_line_wins_over_environment_over_file(tmp_path: Path) -> None:
    """Each source is overridden by the one before it, setting by setting."""
    toml = 'k = 7\nmode = "dense"\nembedder = "file"\nindex_dir = "there"\n'
    environ = {"RAG_K": "8", "RAG_EMBEDDER": "environment", "OTHER_K": "1"}
    config = load(tmp_path, toml, environ, embedder="option", k=None)
    assert (config.embedder, config.k, config.mode) == ("option", 8, Mode.DENSE)
    assert config.index_dir == Path("there") and config.generator == Config().generator


def test_the_environment_counts_for_every_setting(tmp_path: Path) -> None:
    """RAG_ and the name in capitals; an empty value counts as not set."""
    values = {
        "index_dir": "a", "model_dir": "b", "embedder": "hash", "generator": "none",
        "device": "cpu", "offline": "yes", "passage_tokens": "64", "overlap_tokens": "8", "k": "9",
        "mode": "lexical", "evidence": "3", "max_answer_tokens": "50", "batch_tokens": "512",
        "verifier": "llm", "temperature": "0.7", "top_p": "0.9", "seed": "7",
        "openai_base_url": "http://127.0.0.1:8000/v1", "openai_window": "8192",
        "openai_timeout": "5", "openai_retries": "0", "strictness": "0.7", "quote_only": "1",
        "parsers": "3", "ocr": "off", "cors_origins": "https://a.example", "rate_limit": "5",
        "max_upload_mb": "7", "keep_answers": "0", "max_active": "2", "max_waiting": "3",
        "max_waiting_tokens": "99", "deadline": "9.5", "batch_wait_ms": "0",
    }  # fmt: skip
    assert sorted(values) == sorted(FIELDS)
    config = load(tmp_path, environ={f"RAG_{name.upper()}": v for name, v in values.items()})
    assert all(getattr(config, name) != field.default for name, field in FIELDS.items())
    assert load(tmp_path, environ={"RAG_K": "", "RAG_DEBUG": "1"}) == Config()


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ("k = 'many'", "sets k to 'many'; expected int"),
        ("k = 5.5", "sets k to 5.5; expected int"),
        ("k = true", "sets k to True; expected int"),
        ("offline = 'perhaps'", "sets offline to 'perhaps'; expected bool"),
        ("mode = 'sideways'", "sets mode to 'sideways'; expected hybrid, dense, lexical"),
        ("index_dir = 3", "sets index_dir to 3; expected Path"),
        ("embedder = 3", "sets embedder to 3; expected str"),
        ("embedder = ['hash']", "sets embedder to ['hash']; expected str"),
        ("colour = 'red'", "sets 'colour', which is no setting; expected one of: batch_tokens"),
        ("k = ", "can not be read"),
    ],
)
def test_values_of_the_wrong_type_are_refused(tmp_path: Path, toml: str, named: str) -> None:
    """The message names the file, the setting, the value and what was expected."""
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, toml)
    assert str(refused.value).startswith(str(tmp_path / "rag.toml"))
    assert named in str(refused.value)


def test_the_message_names_where_a_value_was_set(tmp_path: Path) -> None:
    """An environment variable by its name, an option as the command line's."""
    with pytest.raises(ConfigError, match=r"^environment variable RAG_K sets k to 'x'"):
        load(tmp_path, environ={"RAG_K": "x"})
    with pytest.raises(ConfigError, match=r"^command line sets mode to 'x'"):
        load(tmp_path, mode="x")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("k", 0), ("k", 101), ("passage_tokens", 15), ("overlap_tokens", -1),
        ("overlap_tokens", 113), ("evidence", 0), ("max_answer_tokens", 7), ("batch_tokens", 63),
        ("device", "tpu"), ("temperature", -0.1), ("temperature", float("nan")), ("top_p", 0.0),
        ("seed", -1), ("openai_window", 255), ("openai_timeout", 0.0), ("openai_retries", 21),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(tmp_path: Path, setting: str, value: object) -> None:
    """The message names the setting and the range."""
    with pytest.raises(ConfigError, match=rf"^{setting} is '?{value}'?; expected"):
        load(tmp_path, **{setting: value})


def test_a_home_folder_may_be_abbreviated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No shell expands "~" in a file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load(tmp_path, 'index_dir = "~/indexes"').index_dir == tmp_path / "indexes"


def test_the_file_must_be_utf8(tmp_path: Path) -> None:
    """Other encodings are refused, not guessed."""
    (tmp_path / "rag.toml").write_bytes(b'embedder = "caf\xe9"')
    with pytest.raises(ConfigError, match="expected TOML in UTF-8"):
        load(tmp_path)


# -- documentation ------------------------------------------------------------------------------


def flags() -> dict[str, str]:
    """Return the command-line option of each setting that has one."""
    # Here: they take as long to import as all tests above.
    import typer

    from rag.cli import app

    group: Any = typer.main.get_command(app)
    found = {}
    for command in group.commands.values():
        for parameter in getattr(command, "params", []):
            if parameter.name in FIELDS:
                found[parameter.name] = parameter.opts[0]
    return found


def table() -> str:
    """Return the table of docs/configuration.md."""
    options = flags()
    lines = ["| setting | environment | option | default | meaning |", "|---|---|---|---|---|"]
    for name, field in FIELDS.items():
        option = f"`{options[name]}`" if name in options else ""
        default = str(field.default).lower() if isinstance(field.default, bool) else field.default
        shown = "" if default is None else f"`{default}`"
        meaning = field.metadata["doc"]
        lines.append(f"| `{name}` | `RAG_{name.upper()}` | {option} | {shown} | {meaning} |")
    return "\n".join(lines)


@pytest.mark.slow
def test_the_documentation_lists_every_setting() -> None:
    """The table in docs/configuration.md is made from Config and the options."""
    text = DOCUMENTATION.read_text(encoding="utf-8")
    assert table() in text, f"put this table into {DOCUMENTATION.name}:\n{table()}"
