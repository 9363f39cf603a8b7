"""What the repository promises to whoever installs it."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import rag
from rag.config import DEFAULT_EMBEDDER, DEFAULT_GENERATOR
from tests.test_imports import SOURCES, parsed

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
UNLOCKED_EXTRAS = {"gpu-cuda13"}  # needs another torch than the one pinned


def locked() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(item.name): item for item in requirements}


def direct() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"]
    rows = [extras[name] for name in extras if name not in UNLOCKED_EXTRAS]
    return [Requirement(text) for row in [PROJECT["dependencies"], *rows] for text in row]


def pin(requirement: Requirement) -> Version:
    """Return the version that a requirement names with a single ==."""
    match = re.fullmatch(r"==([^*,]+)", str(requirement.specifier))
    assert match, f"{requirement} is no exact version"
    return Version(match[1])


@pytest.mark.slow
@pytest.mark.parametrize("requirement", direct(), ids=lambda item: item.name)
def test_constraints_pin_every_direct_dependency(requirement: Requirement) -> None:
    """Each has one exact version in constraints.txt, within the range that pyproject allows."""
    pinned = locked().get(canonicalize_name(requirement.name))
    assert pinned is not None, f"{requirement.name} is missing: make lock"
    assert requirement.specifier.contains(pin(pinned), prereleases=True)


def test_constraints_are_exact_throughout() -> None:
    """No line of constraints.txt leaves a choice."""
    assert all(pin(requirement) for requirement in locked().values())


@pytest.mark.slow
def test_what_is_installed_is_what_is_locked() -> None:
    """Every installed package of the lock has the locked version; a local build suffix is fine."""
    wrong = {}
    for distribution in importlib.metadata.distributions():
        pinned = locked().get(canonicalize_name(distribution.metadata["Name"]))
        if pinned and pin(pinned) != Version(Version(distribution.version).public):
            wrong[pinned.name] = distribution.version
    assert not wrong, f"not as in constraints.txt: {wrong}; run make install"


@pytest.mark.slow
def test_every_import_is_declared() -> None:
    """What rag and api import of others is a run-time dependency, not a guest of another's."""
    declared = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    declared |= {"faiss-cpu", "faiss-gpu", "faiss-gpu-cuvs", "opentelemetry-sdk"}  # by extra
    owners = importlib.metadata.packages_distributions()
    undeclared = {
        f"{module}: {target}"
        for module in SOURCES
        for target, _ in parsed(module)[1]
        if (top := target.split(".")[0]) not in {"rag", "api", *sys.stdlib_module_names}
        and not declared & {canonicalize_name(name) for name in owners.get(top, [])}
    }
    assert not undeclared


def test_faiss_comes_from_one_extra_at_a_time() -> None:
    """The wheels share a module, so FAISS is no plain dependency and each extra names one."""
    assert not [text for text in PROJECT["dependencies"] if text.startswith("faiss")]
    for name in ("cpu", "gpu", "gpu-cuda13"):
        row = [Requirement(text) for text in PROJECT["optional-dependencies"][name]]
        faiss = [item for item in row if item.name.startswith("faiss")]
        here = [item for item in faiss if not item.marker or item.marker.evaluate()]
        assert len(here) == 1


def test_the_script_and_the_version() -> None:
    """The console script is `rag`, and the version has one source."""
    assert PROJECT["scripts"] == {"rag": "rag.cli:main"}
    assert importlib.metadata.version(PROJECT["name"]) == rag.__version__


def test_licence_and_notice() -> None:
    """The full Apache licence, and a notice that names every default model."""
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert DEFAULT_EMBEDDER in notice
    assert DEFAULT_GENERATOR in notice


def test_the_usual_files_are_there() -> None:
    """Each says something."""
    for name in ("README.md", "SECURITY.md", "CHANGELOG.md", "indexes/README.md"):
        assert len((ROOT / name).read_text(encoding="utf-8")) > 200, name


def test_markers_are_declared_and_strict() -> None:
    """A misspelt marker fails instead of selecting nothing."""
    options = PYPROJECT["tool"]["pytest"]["ini_options"]
    assert "--strict-markers" in options["addopts"]
    assert {line.split(":")[0] for line in options["markers"]} == {"model", "data", "slow"}


def test_ci_installs_what_is_missing_and_runs_make_test() -> None:
    """.ci/run is an executable bash script that updates before it installs."""
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o100
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    assert text.index("apt-get update") < text.index("apt-get install") < text.rindex("make test")
    bash = shutil.which("bash")
    assert bash
    subprocess.run([bash, "-n", str(script)], check=True)


def test_make_installs_nothing_on_the_system() -> None:
    """Only .ci/run may touch the system's packages."""
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    assert not [line for line in recipes if "apt-get" in line and "echo" not in line]
    assert not [line for line in recipes if "sudo" in line]


def test_make_help_begins_with_the_two_commands() -> None:
    """A newcomer sees demo and test first."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    done = subprocess.run([make, "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = re.findall(r"^ +make ([a-z-]+) ", done.stdout, re.MULTILINE)
    assert targets[:2] == ["demo", "test"]
    assert {"serve", "bench", "test-fast", "clean"} <= set(targets)


def test_built_indexes_stay_out_of_git() -> None:
    """indexes/ is in a clone with its README and nothing else."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = [git, "check-ignore", "indexes/demo/x", "indexes/README.md", "rag/build.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["indexes/demo/x"]
