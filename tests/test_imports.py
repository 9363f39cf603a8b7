"""Who may import whom: the layers of the code, and the libraries that are slow or unsafe."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # every module is parsed, some in fresh interpreters

ROOT = Path(__file__).resolve().parent.parent

# Lowest first. A module imports from its own layer and from those before it, never from a later
# one. A package stands for all of its modules.
LAYERS = {
    "data": "rag rag.types rag.errors",
    "seams": "rag.protocols rag.delegating",
    "pure": """rag.config rag.analysis rag.wrapping rag.sentences rag.tables rag.chunking rag.prompt
        rag.citations rag.drafts rag.windows rag.definitions rag.evidence rag.reference
        rag.fusion rag.messages
        rag.characters rag.numerals rag.units rag.quantities rag.dates rag.names rag.polarity
        rag.alignment rag.exact rag.logistic rag.nearness rag.answerability rag.support
        rag.wording rag.followup rag.conversation rag.cues rag.decomposition rag.bridging
        rag.computation rag.arithmetic rag.joining rag.course
        rag.provenance rag.compounds rag.conflicts rag.profiles rag.hanzi rag.slots rag.mention
        rag.spanning rag.finding
        rag.evaluation""",
    "use cases": """rag.migrations rag.schema rag.scan rag.filters rag.states rag.store rag.writer
        rag.vectors rag.lexical rag.changes rag.layers rag.base rag.derived rag.candidates
        rag.copies rag.groups rag.plan rag.planning rag.parts rag.parsing
        rag.reading rag.preview rag.documents rag.slabs
        rag.ingest rag.care rag.retriever rag.verification rag.checking rag.relevance rag.drafting
        rag.answerer rag.explaining rag.stopping rag.batching rag.continuous rag.harder
        rag.dialogue rag.status
        rag.views rag.loaders rag.models rag.excerpts rag.json_lines rag.disk
        rag.evaluation.formats rag.evaluation.perturbation_sources rag.evaluation.suites
        rag.evaluation.answer_suites rag.evaluation.retrieval_suites rag.evaluation.claim_suites
        rag.evaluation.worlds rag.evaluation.answering rag.evaluation.retrieving
        rag.evaluation.claiming rag.evaluation.runner rag.evaluation.question_drafts""",
    "backends": "rag.backends rag.testing",
    "build": "rag.build",
    "surface": """rag.cli rag.chat rag.batch rag.console rag.model_commands
        rag.ingest_commands rag.care_commands rag.key_commands rag.options rag.watching rag.live
        rag.progress rag.mcp rag.eval_commands rag.eval_running rag.eval_compare_commands
        rag.eval_console rag.eval_auditing api""",
}
RANK = {module: rank for rank, row in enumerate(LAYERS.values()) for module in row.split()}
NAMES = list(LAYERS)

HEAVY = {"torch", "transformers", "sentence_transformers", "faiss", "openai"}
HEAVY_ALLOWED = ("rag.backends", "rag.models.e5", "rag.models.gguf")  # the last two convert
RUNS_CODE = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"torch.load", "yaml.load", "yaml.unsafe_load", "eval", "exec"}
SAFE_LOADERS = {"yaml.BaseLoader", "yaml.SafeLoader", "yaml.CSafeLoader"}


def module_name(path: Path, root: Path = ROOT) -> str:
    """Return the dotted name of a source file."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {
    module_name(path): path for package in ("rag", "api") for path in (ROOT / package).rglob("*.py")
}


def inside(module: str, packages: tuple[str, ...]) -> bool:
    """Tell whether module is one of packages or lies within one."""
    return any(module == name or module.startswith(name + ".") for name in packages)


def layer(module: str) -> int | None:
    """Return the rank of a module's layer; None when the table does not name it."""
    if module == "rag":
        return RANK["rag"]
    named = [name for name in RANK if name != "rag" and inside(module, (name,))]
    return RANK[max(named, key=len)] if named else None


def imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[tuple[str, int]]:
    """Yield each imported module with its line, in functions and type checks too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                keep = len(parts) - node.level + is_package
                base = ".".join([*parts[:keep], *filter(None, [node.module])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield (full if full in SOURCES else base), node.lineno


@cache
def parsed(module: str) -> tuple[ast.Module, list[tuple[str, int]]]:
    path = SOURCES[module]
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return tree, list(imports(tree, module, path.name == "__init__.py"))


def unsafe(tree: ast.Module) -> Iterator[str]:
    """Yield each call that can run code hidden in the data it reads."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        given = {word.arg: ast.unparse(word.value) for word in node.keywords}
        if name in UNSAFE_CALLS and given.get("Loader") not in SAFE_LOADERS:
            yield f"line {node.lineno}: {name}(…)"
        if given.get("allow_pickle", "False") != "False":
            yield f"line {node.lineno}: {name}(allow_pickle)"


def upward(module: str) -> Iterator[str]:
    """Yield each import from a layer above the module's own."""
    rank = layer(module)
    if rank is None:
        yield f"{module} has no layer: name it in LAYERS of {Path(__file__).name}"
        return
    for target, line in parsed(module)[1]:
        if (above := layer(target)) is not None and above > rank:
            yield f"{module}:{line} ({NAMES[rank]}) imports {target} ({NAMES[above]})"


def test_imports_point_downwards() -> None:
    """No module imports from a layer above its own."""
    assert not [wrong for module in sorted(SOURCES) for wrong in upward(module)]


def test_heavy_libraries_stay_behind_the_seams() -> None:
    """Only the backends, and what converts weights, import the libraries that take seconds."""
    assert not [
        f"{module}:{line} imports {target}"
        for module in sorted(SOURCES)
        if not inside(module, HEAVY_ALLOWED)
        for target, line in parsed(module)[1]
        if target.split(".")[0] in HEAVY
    ]


def test_nothing_loads_code_as_data() -> None:
    """No pickle in any form, no torch.load, no yaml.load but with a safe loader, no eval."""
    found = []
    for module in sorted(SOURCES):
        tree, imported = parsed(module)
        found += [f"{module}:{n} imports {t}" for t, n in imported if t.split(".")[0] in RUNS_CODE]
        found += [f"{module}: {call}" for call in unsafe(tree)]
    assert not found


def test_every_layer_is_seen_by_the_checks() -> None:
    """The checks notice an upward import, a relative one and one inside a function."""
    lines = ["from . import types", "from rag.types import Hit", "import rag.cli"]
    source = "def f():\n    " + "\n    ".join(lines)
    found = list(imports(ast.parse(source), "rag.store", is_package=False))
    assert found == [("rag.types", 2), ("rag.types", 3), ("rag.cli", 4)]
    assert layer("rag.cli") > layer("rag.build") > layer("rag.backends.device") > layer("rag.store")
    assert layer("rag.newcomer") is None


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter loads for a statement."""
    command = [sys.executable, "-X", "importtime", "-c", statement]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr.splitlines()[-1]
    lines = re.findall(r"^import time:.*\|\s+([\w.]+)$", done.stderr, re.MULTILINE)
    return {name.split(".")[0] for name in lines}


def test_importing_rag_loads_only_the_standard_library() -> None:
    """`import rag` is free."""
    third_party = loaded_by("import rag") - loaded_by("pass") - set(sys.stdlib_module_names)
    assert third_party == {"rag"}


def test_importing_the_cli_loads_no_model_library() -> None:
    """`rag --help` must not wait for torch."""
    loaded = loaded_by("import rag.cli")
    assert "rag" in loaded
    assert not loaded & (HEAVY | {"scipy", "sklearn", "langchain_core", "fastapi"})
