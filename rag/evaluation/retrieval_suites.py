"""Suites of queries: which documents should be found, in the query's language and in others."""

import re
from pathlib import Path

from rag.errors import ConfigError
from rag.evaluation import datasets
from rag.evaluation.cases import Dataset, QueryCase, World

PAIRS = (
    *((lang, lang) for lang in ("en", "zh", "ru", "de")),
    *(("zh", "en"), ("ru", "en"), ("de", "en"), ("en", "zh"), ("en", "ru"), ("en", "de")),
    *(("zh", "ru"), ("ru", "zh")),
)
"""Languages of the question and of the paragraphs."""
TRANSLATED = ("zh", "ru", "es", "de")
_HEADING = re.compile(r"^# (.+?)(?: *\{[^}]*\})? *$", re.MULTILINE)
_LEAST_PAGE = 400


def xquad(data: Path) -> Dataset[QueryCase]:
    """Return XQuAD's questions of one language to paragraphs of one language."""
    read = {lang: datasets.xquad(data, lang) for lang in {lang for pair in PAIRS for lang in pair}}
    worlds = {
        f"xquad-{lang}": World(
            f"xquad-{lang}", {p.id: p.text.removeprefix("\ufeff") for p in paragraphs}
        )
        for lang, paragraphs in read.items()
    }
    cases = [
        QueryCase(
            id=f"{asked}>{written}/{question.id}",
            cluster=paragraph.id,
            lang=asked,
            type=f"{asked}>{written}",
            question=question.text,
            relevant=(paragraph.id,),
            world=f"xquad-{written}",
        )
        for asked, written in PAIRS
        for paragraph in read[asked]
        for question in paragraph.questions
    ]
    return Dataset("XQuAD", "CC BY-SA 4.0", cases, worlds)


def fastapi(data: Path) -> Dataset[QueryCase]:
    """Return the first heading of each translated page, for the English page."""
    folder = data / "fastapi_docs" / "docs"
    english = _pages(folder, "en")
    cases = [
        QueryCase(f"{lang}/{page}", page, lang, f"{lang}>en", heading[1], (page,), "fastapi-en")
        for lang in ("en", *TRANSLATED)
        for page, text in _pages(folder, lang).items()
        if page in english and (heading := _HEADING.search(text))
    ]
    world = World("fastapi-en", english, suffix=".md")
    return Dataset("fastapi_docs", "MIT", cases, {world.name: world})


def _pages(folder: Path, lang: str) -> dict[str, str]:
    """Return the pages of a language by their path; such as hold hardly any text are left out."""
    root = folder / lang / "docs"
    files = sorted(root.rglob("*.md"))
    if not files:
        raise ConfigError(
            f"{root} holds no pages; set RAG_TEST_DATA to the folder of the data sets"
        )
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in files}
    return {name: text for name, text in texts.items() if len(text) >= _LEAST_PAGE}


def documentation(data: Path) -> Dataset[QueryCase]:
    """Return the questions over a vendor's documentation, to find their sections."""
    sections, asked = datasets.documentation(data)
    world = World("anthropic_docs", sections, suffix=".md")
    cases = [
        QueryCase(row.id, row.id, "en", "documentation", row.question, row.sections, world.name)
        for row in asked
    ]
    return Dataset(
        "anthropic_docs_qa",
        "MIT repository, the vendor's text",
        cases,
        {world.name: world},
        anchors=datasets.DOCUMENTATION_ANCHORS,
    )
