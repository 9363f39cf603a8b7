"""Settings: command line > RAG_* environment > rag.toml > the defaults below.

docs/configuration.md is made from `Config`; a test holds the two together.
"""

import dataclasses
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from rag.errors import ConfigError
from rag.types import Mode

CONFIG_FILE = "rag.toml"
ENV_PREFIX = "RAG_"
DEFAULT_EMBEDDER = "intfloat/multilingual-e5-small"
DEFAULT_GENERATOR = "HuggingFaceTB/SmolLM2-135M-Instruct"
SERVER = "openai:"
"""What the name of a generator behind a server begins with."""
_OCR = re.compile(r"[A-Za-z]\w*(?:\+[A-Za-z]\w*)*", re.ASCII)
DEVICES = ("auto", "cpu", "cuda")


def _setting(default: object, doc: str) -> Any:
    return dataclasses.field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every setting, with its default; immutable once loaded."""

    index_dir: Path = _setting(Path("indexes"), "folder that holds the indexes")
    model_dir: Path | None = _setting(
        None, "folder for model weights; by default rag/models in the user's cache folder"
    )
    embedder: str = _setting(DEFAULT_EMBEDDER, "embedding model: a name, a folder, or hash")
    generator: str = _setting(
        DEFAULT_GENERATOR, "generator: a name, a folder, openai:MODEL of a server, or none"
    )
    verifier: str = _setting(
        "overlap",
        "what checks answers: overlap, features, a cross-encoder's name or folder, or llm",
    )
    device: str = _setting("auto", "where models and FAISS run: auto, cpu or cuda")
    offline: bool = _setting(False, "never look beyond this machine for weights")
    passage_tokens: int = _setting(224, "longest passage, in the embedder's tokens")
    overlap_tokens: int = _setting(32, "tokens that neighbouring passages may share")
    ocr: str = _setting(
        "auto", "scanned pages: auto (tesseract where installed), off, or languages: rus+eng"
    )
    k: int = _setting(5, "passages that a search returns and an answer reads")
    mode: Mode = _setting(Mode.HYBRID, "ranking: hybrid, dense or lexical")
    evidence: int = _setting(1, "pieces of evidence shown to the generator")
    max_answer_tokens: int = _setting(96, "most tokens that the generator may write")
    temperature: float = _setting(0.0, "of the generator's sampling; 0 is greedy")
    top_p: float = _setting(1.0, "share of the probability that sampling draws from")
    seed: int = _setting(0, "of the generator's sampling")
    openai_base_url: str | None = _setting(
        None, "address of the server for openai:MODEL, such as http://127.0.0.1:8000/v1"
    )
    openai_window: int = _setting(4096, "its window in tokens: prompt and answer together")
    openai_timeout: float = _setting(60.0, "seconds to wait for it to connect, and for each piece")
    openai_retries: int = _setting(2, "further attempts when it is busy or can not be reached")
    strictness: float = _setting(
        0.4, "least probability that the passages answer, and least score of a claim"
    )
    quote_only: bool = _setting(False, "answer by quoting, even where the generator could write")
    batch_tokens: int = _setting(4096, "tokens embedded at a time")
    parsers: int = _setting(
        2, "processes that read files, within limits of time and memory; 0: none but the program"
    )
    cors_origins: str = _setting(
        "", "service: origins whose pages may call it, separated by commas; none by default"
    )
    rate_limit: int = _setting(600, "service: requests a minute for each key; 0: any number")
    max_upload_mb: int = _setting(200, "service: most megabytes of one upload, all files together")
    keep_answers: int = _setting(30, "service: days that answers are kept; 0: none are stored")
    max_active: int = _setting(16, "service: questions worked on at once")
    max_waiting: int = _setting(64, "service: questions that may wait; more are refused (503)")
    max_waiting_tokens: int = _setting(
        100_000, "service: tokens that waiting questions may have together, estimated"
    )
    deadline: float = _setting(120.0, "service: seconds a question may take, waiting included")
    batch_wait_ms: float = _setting(
        2.0, "service: milliseconds that texts wait for others to be embedded with"
    )

    def __post_init__(self) -> None:
        _check_range("passage_tokens", self.passage_tokens, 16, 8192)
        _check_range("overlap_tokens", self.overlap_tokens, 0, self.passage_tokens // 2)
        _check_range("k", self.k, 1, 100)
        _check_range("evidence", self.evidence, 1, 20)
        _check_range("max_answer_tokens", self.max_answer_tokens, 8, 4096)
        _check_range("batch_tokens", self.batch_tokens, 64, 1 << 20)
        _check_range("parsers", self.parsers, 0, 64)
        _check_range("rate_limit", self.rate_limit, 0, 1 << 30)
        _check_range("max_upload_mb", self.max_upload_mb, 1, 1 << 20)
        _check_range("keep_answers", self.keep_answers, 0, 36_500)
        _check_range("max_active", self.max_active, 1, 256)
        _check_range("max_waiting", self.max_waiting, 0, 1 << 16)
        _check_range("max_waiting_tokens", self.max_waiting_tokens, 1, 1 << 30)
        _check_range("deadline", self.deadline, 0.1, 3600.0)
        _check_range("batch_wait_ms", self.batch_wait_ms, 0.0, 1000.0)
        _check_range("temperature", self.temperature, 0.0, 10.0)
        _check_range("top_p", self.top_p, 0.01, 1.0)
        _check_range("strictness", self.strictness, 0.0, 1.0)
        _check_range("seed", self.seed, 0, 2**31 - 1)
        _check_range("openai_window", self.openai_window, 256, 1 << 24)
        _check_range("openai_timeout", self.openai_timeout, 0.1, 3600.0)
        _check_range("openai_retries", self.openai_retries, 0, 20)
        if not _OCR.fullmatch(self.ocr):
            raise ConfigError(
                f"ocr is {self.ocr!r}; expected auto, off, or names that tesseract has: rus+eng"
            )
        if self.device not in DEVICES:
            raise ConfigError(f"device is {self.device!r}; expected one of {', '.join(DEVICES)}")


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}; expected a number from {low} to {high}")


def load_config(
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    file: Path | None = None,
) -> Config:
    """Return the settings in force.

    Args:
        overrides: from the command line; None values count as not given.
        environ: the environment; os.environ by default.
        folder: where rag.toml is looked for; the working folder by default.
        file: what stands for rag.toml, and has to be there.
    Raises:
        ConfigError: unknown name, wrong type, or out of range, naming where it was set; or
            `file` is not there.
    """
    values: dict[str, object] = {}
    if file is not None and not file.is_file():
        raise ConfigError(f"{file} is not there; expected a file of settings like rag.toml")
    values |= _from_file(file or (folder or Path.cwd()) / CONFIG_FILE)
    values |= _from_environ(os.environ if environ is None else environ)
    for name, value in (overrides or {}).items():
        if value is not None:
            values[name] = _convert(name, value, "command line")
    return Config(**values)  # type: ignore[arg-type]


def _from_file(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} can not be read: {error}; expected TOML in UTF-8") from error
    return {name: _convert(name, value, str(path)) for name, value in data.items()}


def _from_environ(environ: Mapping[str, str]) -> dict[str, object]:
    names = {ENV_PREFIX + field.name.upper(): field.name for field in dataclasses.fields(Config)}
    return {
        names[key]: _convert(names[key], value, f"environment variable {key}")
        for key, value in environ.items()
        if key in names and value != ""
    }


def _convert(name: str, value: object, where: str) -> object:
    types = get_type_hints(Config)
    if name not in types:
        known = ", ".join(sorted(types))
        raise ConfigError(f"{where} sets {name!r}, which is no setting; expected one of: {known}")
    expected = next((t for t in get_args(types[name]) if t is not type(None)), types[name])
    try:
        if expected is bool:
            return _to_bool(value)
        if isinstance(value, bool) or (expected is int and isinstance(value, float)):
            raise ValueError
        if expected is Path and isinstance(value, str | Path):
            return Path(value).expanduser()
        if expected in (str, Path) and not isinstance(value, str):
            raise ValueError
        return expected(value)
    except (TypeError, ValueError):
        kind = ", ".join(expected) if expected is Mode else expected.__name__
        raise ConfigError(f"{where} sets {name} to {value!r}; expected {kind}") from None


def _to_bool(value: object) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    text = str(value).strip().lower()
    if text not in words:
        raise ValueError
    return words[text]
