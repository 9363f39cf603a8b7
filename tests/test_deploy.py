"""The files of deploy/, as far as they can be checked without running them."""

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import yaml

from rag.config import ENV_PREFIX, Config

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
KNOWN = {ENV_PREFIX + field.name.upper() for field in fields(Config)}


def test_every_variable_is_a_setting() -> None:
    """A misspelt one would be passed over without a word."""
    for file in DEPLOY.iterdir():
        named = set(re.findall(r"\bRAG_[A-Z_]+\b", file.read_text(encoding="utf-8")))
        assert named <= KNOWN, file.name


def test_compose_builds_targets_that_there_are() -> None:
    """Both services, from the one Dockerfile, published on this machine only."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for name, service in services.items():
        assert service["build"]["target"] == name and f" AS {name}\n" in dockerfile
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_what_the_image_copies_is_sent_to_the_builder() -> None:
    """.dockerignore lets it through, and it is there."""
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        for source in line.split()[:-1]:
            assert f"!{source}" in allowed and (ROOT / source).exists(), source


def test_the_entrypoint_is_a_shell_script() -> None:
    """sh reads it to its end."""
    subprocess.run(["sh", "-n", str(DEPLOY / "entrypoint.sh")], check=True)
    assert (DEPLOY / "entrypoint.sh").stat().st_mode & 0o111
