"""Suites run one after the other, with models that are loaded once and a manifest for each."""

import dataclasses
import importlib.metadata
import os
import platform
import shlex
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import rag
from rag.build import NO_GENERATOR, DeferredEmbedder, DeferredGenerator, assemble, build_verifier
from rag.checking import Checker
from rag.config import ENV_PREFIX, SERVER, Config
from rag.errors import ConfigError
from rag.evaluation.cases import OWN_INDEX, Dataset
from rag.evaluation.counted import Counted
from rag.evaluation.remembering import Remembering
from rag.evaluation.run_cache import ItemCache, cache_folder, code_digest
from rag.evaluation.runner import Outcome, Tools, now, run, stamp
from rag.evaluation.runs import MANIFEST, Manifest, difference, read_manifest
from rag.evaluation.suites import ANSWERS, CLAIMS, RETRIEVAL, Suite
from rag.evaluation.worlds import Worlds, content_digest
from rag.options import Running
from rag.progress import Reporter
from rag.status import device
from rag.store import Store, index_path

RUNS = Path("evals/runs")
DATA = Path("../shared/data")
WARMING = "Is anything loaded?"
LIBRARIES = ("torch", "transformers", "sentence-transformers", "numpy", "faiss-cpu", "faiss-gpu")
# Where things lie, and how patient to be, changes no answer.
_NO_PART = {"index_dir", "model_dir", "offline", "parsers", "openai_timeout", "openai_retries"}


class Session:
    """Runs suites; a context manager that closes the indexes."""

    def __init__(self, config: Config, index: str, running: Running, reporter: Reporter) -> None:
        """Take the settings; models are loaded when a suite first needs them."""
        self._config = config
        self._index = index
        self._running = running
        self._reporter = reporter
        self._embedder = Remembering(DeferredEmbedder(config, reporter.fetch))
        self._worlds = self._make_worlds()
        cache = None if running.no_cache else ItemCache(self._place / "items")
        self._tools = Tools(
            self._worlds, Checker(self._embedder), cache, running.jobs, warm=self._warm
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._worlds.close()

    @property
    def _place(self) -> Path:
        return self._running.cache or cache_folder()

    def _warm(self) -> None:
        """Load the embedder, and what it computes with first of all."""
        self._embedder.embed_queries([WARMING])

    def _make_worlds(self) -> Worlds:
        config, embedder = self._config, self._embedder
        generator = None
        if config.generator != NO_GENERATOR:
            generator = Counted(DeferredGenerator(config, self._reporter.fetch))
        verifier = build_verifier(config, generator, self._reporter.fetch, embedder)
        return Worlds(
            config,
            embedder,
            lambda config, index: assemble(config, index, embedder, generator, verifier),
            self._place / "worlds",
            self._index,
        )

    def run(self, suite: Suite, *, several: bool) -> Outcome:
        """Run a suite into a folder of its own.

        Args:
            several: it is one of several, so that --out names the folder of their folders.
        """
        self._reporter.waiting(f"reading {suite.name}")
        given = os.environ.get("RAG_TEST_DATA")
        dataset = suite.load(self._running.data or (Path(given) if given else DATA))
        manifest = self._manifest(suite, dataset)
        folder = self._folder(manifest, several)
        self._reporter.waiting(f"running {suite.name}")
        return run(
            folder,
            dataset,
            dataclasses.replace(manifest, run=folder.name),
            self._tools,
            resume=self._running.resume,
            told=lambda done, total: self._reporter.item(suite.name, done, total),
        )

    def _folder(self, manifest: Manifest, several: bool) -> Path:
        if self._running.out is not None:
            return self._running.out / manifest.suite if several else self._running.out
        if self._running.resume and (found := last_of(RUNS, manifest)) is not None:
            return found
        return RUNS / f"{stamp()}-{manifest.suite}"

    def _manifest(self, suite: Suite, dataset: Dataset[Any]) -> Manifest:
        return Manifest(
            run="",
            suite=suite.name,
            kind=suite.kind,
            command=self._command(suite),
            started=now(),
            finished=None,
            seed=self._running.seed,
            limit=self._running.limit,
            dataset=dataset.described(),
            models=self._models(suite),
            config=_deciding(self._config, suite.kind),
            index=self._described_index(dataset),
            versions=versions(),
            hardware=hardware(self._config),
        )

    def _command(self, suite: Suite) -> str:
        default, changed = settings_of(Config()), settings_of(self._config)
        prefix = [
            f"{ENV_PREFIX}{name.upper()}={shlex.quote(str(value))}"
            for name, value in changed.items()
            if value != default[name] and value is not None
        ]
        words = ["rag", "eval", "run", suite.about if suite.is_own else suite.name]
        words += ["--index", self._index] if suite.is_own and suite.kind == ANSWERS else []
        words += ["--limit", str(self._running.limit)] if self._running.limit else []
        return " ".join([*prefix, shlex.join([*words, "--seed", str(self._running.seed)])])

    def _models(self, suite: Suite) -> dict[str, str]:
        config = self._config
        found = {"embedder": f"{config.embedder}@{self._embedder.fingerprint[:12]}"}
        if suite.kind == ANSWERS:
            found["generator"] = _weights(config, config.generator, self._reporter)
            found["verifier"] = config.verifier
        return found

    def _described_index(self, dataset: Dataset[Any]) -> dict[str, object] | None:
        """Return what the user's index holds, None for a suite that does not ask it."""
        if not any(getattr(case, "world", None) == OWN_INDEX for case in dataset.cases):
            return None
        store = Store(index_path(self._config.index_dir, self._index))
        try:
            documents, passages = store.count()
            return {
                "name": self._index,
                "version": content_digest(store)[:12],
                "documents": documents,
                "passages": passages,
            }
        finally:
            store.close()


def last_of(runs: Path, wanted: Manifest) -> Path | None:
    """Return the last run that the wanted one would go on with, None where there is none."""
    for folder in sorted(runs.glob(f"*-{wanted.suite}"), reverse=True):
        if not (folder / MANIFEST).is_file():
            continue
        try:
            there = read_manifest(folder)
        except ConfigError:
            continue  # not one to go on with
        if difference(there, wanted) is None:
            return folder
    return None


def settings_of(config: Config) -> dict[str, object]:
    """Return the settings that an answer depends on, as JSON values."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in dataclasses.asdict(config).items()
        if name not in _NO_PART
    }


def _deciding(config: Config, kind: str) -> dict[str, object]:
    """Return the settings that items of a kind depend on."""
    wanted = {CLAIMS: set[str](), RETRIEVAL: {"passage_tokens", "overlap_tokens", "mode"}}
    found = settings_of(config)
    return {name: found[name] for name in found if name in wanted.get(kind, found)}


def versions() -> dict[str, str]:
    """Return the versions of the program, its code, Python and the libraries that decide."""
    found = {
        "rag": rag.__version__,
        "code": code_digest()[:16],
        "python": platform.python_version(),
    }
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def hardware(config: Config) -> dict[str, object]:
    """Return what the run is made on: system, processor, cores, memory, device of the models."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "device": device(config.device),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _weights(config: Config, name: str, reporter: Reporter) -> str:
    """Return a generator's name with the hash of its weights, where they are on this machine."""
    if name == NO_GENERATOR or name.startswith(SERVER):
        return name
    from rag.models import resolve
    from rag.models.cache import weights_hash

    folder = resolve(
        name, model_dir=config.model_dir, offline=config.offline, progress=reporter.fetch
    )
    return f"{name}@{weights_hash(folder)[:12]}"
