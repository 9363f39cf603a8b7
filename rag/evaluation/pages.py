"""Pages for people: one HTML file that loads nothing, whatever the documents hold.

All text is escaped by the template engine. Besides, each page forbids itself everything but its own
style and script, named by their hashes: what came in with a document could not run if it were not
escaped. No link is made of anything that a document says. Characters that change the direction of
text are shown by their names, so that a quote can not look like another.
"""

import base64
import hashlib
import re
import unicodedata
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).parent / "pages"
# Characters that steer: controls but tab and line ends, and what turns the direction of text.
_STEERING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def render(template: str, **context: object) -> str:
    """Return a page made of one of the templates in `pages/`."""
    style, script = _part("page.css"), _part("page.js")
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style),
            script=Markup(script),
            policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
            "base-uri 'none'; form-action 'none'",
            **context,
        )
    )


def shown(text: str) -> str:
    """Return text with characters that steer replaced by what they are called."""
    return _STEERING.sub(lambda found: f"⟨{_name(found[0])}⟩", text)


def language(code: str) -> str:
    """Return a language code that an attribute may hold; "" (unknown) for anything else."""
    return code if _LANGUAGE.fullmatch(code) and code != "und" else ""


def highlighted(text: str, start: int, end: int) -> Markup:
    """Return text, escaped, with text[start:end] marked."""
    start, end = max(start, 0), min(end, len(text))
    if start >= end:
        return escape(shown(text))
    pieces = (text[:start], text[start:end], text[end:])
    return Markup("{}<mark>{}</mark>{}").format(*map(shown, pieces))


def number(value: float) -> str:
    """Return a value as people read it: three decimals, fewer of large ones."""
    if value != value or value in (float("inf"), float("-inf")):
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def signed(value: float) -> str:
    """Return a difference, with its sign."""
    return f"{'−' if value < 0 else '+'}{number(abs(value))}"


def markdown(text: str) -> str:
    """Return text for one line or cell of Markdown, in which none of it is markup."""
    line = " ".join(shown(text).split())
    return re.sub(r"([\\`*_{}\[\]<>()#|~!$])", r"\\\1", line).replace("&", "&amp;")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shown": shown,
        "language": language,
        "number": number,
        "signed": signed,
        "highlighted": lambda source: highlighted(source.text, source.start, source.end),
    }
    return environment


@cache
def _part(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(part: str) -> str:
    digest = hashlib.sha256(part.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _name(character: str) -> str:
    return unicodedata.name(character, f"U+{ord(character):04X}").lower()
