"""Reads pictures of text with tesseract, where that program is installed.

tesseract is called for one page at a time, with a picture on its standard input and a limit on
its time. It holds the languages that it is given first for the likelier ones (Hungarian read as
"eng+hun" loses half of its accents, as "hun+eng" none), so a page whose text turns out to be
in another of them is read again with that one first, and so are the pages that follow.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rag.analysis import language
from rag.loaders.source import clean

AUTO, OFF = "auto", "off"
PROGRAM = "tesseract"
DPI = 300
PAGE_SECONDS = 60.0
"""A page takes 1 to 5 seconds on one core; one that takes longer counts as not read."""

_NOT_LANGUAGES = frozenset({"osd", "equ"})
_CODES = {
    "ar": "ara", "be": "bel", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu",
    "el": "ell", "en": "eng", "es": "spa", "et": "est", "fa": "fas", "fi": "fin", "fr": "fra",
    "he": "heb", "hi": "hin", "hr": "hrv", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn",
    "ko": "kor", "lt": "lit", "lv": "lav", "nl": "nld", "no": "nor", "pl": "pol", "pt": "por",
    "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sr": "srp", "sv": "swe", "th": "tha",
    "tr": "tur", "uk": "ukr", "vi": "vie",
}  # fmt: skip
_CHINESE = ("chi_sim", "chi_tra")
_WIDE = "\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
_WIDE_BLANKS = re.compile(rf"(?<=[{_WIDE}]) +(?=[{_WIDE}])")
_COLUMN_GAP = re.compile(r" {3,}")
_LINE_BLANKS = re.compile(r"[ \t]+(?=\n)|\f")
_BLANK_LINES = re.compile(r"\n{3,}")
# What is read out of a photograph is mostly marks.
_LEAST_LETTERS = 0.6


class OcrError(Exception):
    """tesseract failed, took too long, or lacks a language; the message says which."""


# Called before each page: whoever waits for a file to be read knows that it goes on.
before_page: list[Callable[[], None]] = []


@cache
def installed() -> tuple[str, ...]:
    """Return the languages that tesseract reads here, () where the program is not installed."""
    program = shutil.which(PROGRAM)
    if program is None:
        return ()
    try:
        told = subprocess.run(
            [program, "--list-langs"], capture_output=True, text=True, timeout=PAGE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    names = [line.strip() for line in told.stdout.splitlines()[1:]]
    return tuple(name for name in names if name and name not in _NOT_LANGUAGES)


class PageReader:
    """Reads the pages of one document, the likeliest language first.

    Attributes:
        languages: tesseract's names; empty where it reads nothing.
    """

    def __init__(self, setting: str = AUTO) -> None:
        """Take "auto" for all installed languages, "off", or languages such as "rus+eng".

        Raises:
            OcrError: a language that is named is not installed.
        """
        here = installed()
        wanted = {AUTO: here, OFF: ()}.get(setting, tuple(setting.split("+")))
        if missing := [name for name in wanted if name not in here]:
            reads = f"it has {', '.join(here)}" if here else f"{PROGRAM} is not installed"
            raise OcrError(f"OCR is set to {setting}, but without {', '.join(missing)}: {reads}")
        self.languages = wanted

    def read(self, picture: NDArray[np.uint8]) -> str:
        """Return the text of a page, "" where there is hardly any.

        Args:
            picture: (height, width) grey values, `DPI` dots an inch or less.
        Raises:
            OcrError: tesseract failed or took longer than PAGE_SECONDS.
        """
        text = _recognise(picture, self.languages)
        if self._prefer(language(text)):
            text = _recognise(picture, self.languages)
        letters = sum(map(str.isalnum, text))
        return text if letters >= _LEAST_LETTERS * len("".join(text.split())) else ""

    def _prefer(self, code: str) -> bool:
        """Put a language first; return whether it was not."""
        names = _CHINESE if code == "zh" else (_CODES.get(code, ""),)
        found = next((name for name in self.languages if name in names), None)
        if found is None or self.languages[0] in names:
            return False
        self.languages = (found, *(name for name in self.languages if name != found))
        return True


def _recognise(picture: NDArray[np.uint8], languages: tuple[str, ...]) -> str:
    for call in before_page:
        call()
    height, width = picture.shape
    options = ["--dpi", str(DPI), "-c", "preserve_interword_spaces=1"]
    try:
        done = subprocess.run(
            [PROGRAM, "stdin", "stdout", "-l", "+".join(languages), *options],
            input=b"P5 %d %d 255\n" % (width, height) + picture.tobytes(),
            capture_output=True,
            timeout=PAGE_SECONDS,
            # Its threads wait for each other more than they work.
            env=os.environ | {"OMP_THREAD_LIMIT": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise OcrError(f"{PROGRAM} took longer than {PAGE_SECONDS:.0f} s for a page") from error
    except OSError as error:
        raise OcrError(f"{PROGRAM} could not be started: {error.strerror}") from error
    if done.returncode:
        raise OcrError(f"{PROGRAM} failed with exit code {done.returncode}")
    text = clean(done.stdout.decode("utf-8", "replace"))
    text = _COLUMN_GAP.sub("   ", _WIDE_BLANKS.sub("", _LINE_BLANKS.sub("", text)))
    return _BLANK_LINES.sub("\n\n", text).strip()
