"""Jupyter notebooks: a cell a page, code in fences, outputs cut short, pictures left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from rag.errors import LoadError
from rag.loaders import load
from rag.types import Parsed
from tests.loaders.loader_files import FILES, by_page, sections, write


def notebook(tmp_path: Path, *cells: dict[str, Any], **metadata: Any) -> Parsed:
    """Load a notebook of these cells."""
    made = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    return load(write(tmp_path / "a.ipynb", json.dumps(made)))


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    """Return a cell of code."""
    return {"cell_type": "code", "source": source, "outputs": outputs, "metadata": {}}


def test_a_notebook_of_format_4() -> None:
    """Hungarian, written by nbformat: headings, code, text outputs, an error; no base64."""
    parsed = load(FILES / "nbformat4.ipynb")
    assert parsed.unit == "cell"
    assert by_page(parsed) == [
        "# Vízszint\n\nA Duna vízszintje **centiméterben**.\n\n## Adatok\n\n![kép](data:…)",
        "```python\nlevels = [312, 318]\nprint(max(levels))\nmax(levels)\n```\n\n"
        "```output\n318\n```\n\n```output\n318\n```",
        "",
        "```python\nplot(levels)\n```",
        "## Eredmény\n\nA legnagyobb érték 318 cm.",
        "```python\n1 / 0\n```\n\n```output\nZeroDivisionError: division by zero\n```",
    ]
    assert sections(parsed) == [
        (1, "Vízszint", "# Vízszint"),
        (2, "Adatok", "## Adatok"),
        (2, "Eredmény", "## Eredmény"),
    ]
    assert parsed.title == "Mérések feldolgozása"
    assert parsed.metadata == {"author": "Kovács Ágnes", "kernel": "python"}


def test_a_notebook_of_format_3() -> None:
    """Russian, written by nbformat: worksheets, cells of headings, inputs."""
    parsed = load(FILES / "nbformat3.ipynb")
    assert by_page(parsed) == [
        "# Введение",
        "Модель предсказывает слово.",
        "```\nprint('привет')\n```\n\n```output\nпривет\n```",
        "## Итог",
    ]
    assert sections(parsed) == [(1, "Введение", "# Введение"), (2, "Итог", "## Итог")]
    assert parsed.title == "Старая тетрадь"


def test_front_matter_in_the_first_cell() -> None:
    """Chinese, as Quarto has it; an output of 40 lines is cut after 20."""
    parsed = load(FILES / "frontmatter.ipynb")
    pages = by_page(parsed)
    assert pages[1] == "模型预测下一个词。\n\n## 代码"
    assert pages[2].startswith("```r\nfor (i in 1:40) print(i)\n```\n\n```output\n[1] 1\n")
    assert pages[2].endswith("[1] 20\n…\n```")
    assert parsed.title == "语言模型"
    assert parsed.metadata == {
        "author": "王小明", "lang": "zh", "date": "2024-05-02", "kernel": "r",
    }  # fmt: skip
    assert sections(parsed) == [(2, "代码", "## 代码")]


def test_outputs_are_text_and_short(tmp_path: Path) -> None:
    """Colours of the terminal go, a long line is cut, of a picture nothing is said."""
    figure = {"image/png": "iVBORw0KGgo=", "text/plain": ["<Figure size 640x480>"]}
    parsed = notebook(
        tmp_path,
        code(
            "run()",
            {"output_type": "stream", "text": ["\x1b[31mred\x1b[0m\n", "b" * 5000]},
            {"output_type": "display_data", "data": figure},
            {"output_type": "display_data", "data": {"text/html": "<b>x</b>"}},
            {"output_type": "execute_result", "data": {"text/markdown": "**m**"}},
        ),
    )
    assert parsed.text == (
        "```\nrun()\n```\n\n```output\nred\n" + "b" * 1996 + "\n…\n```\n\n```output\n**m**\n```"
    )


def test_a_fence_in_the_code_does_not_end_its_fence(tmp_path: Path) -> None:
    """The fence around is longer than any inside, so no heading arises from code."""
    parsed = notebook(tmp_path, code('"""\n```\n# no heading\n```\n"""'))
    assert parsed.text.startswith("````\n") and parsed.text.endswith("\n````")
    assert parsed.headings == ()


@pytest.mark.parametrize(
    "content",
    ["[]", "{}", '{"cells": 1}', '{"cells": [1]}', '{"cells": [{"cell_type": "code", '
     '"source": 1}]}', '{"cells": [], "metadata": []}', "[" * 99999, "text",
     '{"cells": [{"cell_type": "code", "source": "x", "outputs": [{}]}]}'],
)  # fmt: skip
def test_what_is_no_notebook_is_refused(content: str, tmp_path: Path) -> None:
    """Other JSON and damaged notebooks give one line that says what to do."""
    with pytest.raises(LoadError, match=r"is no Jupyter notebook.*save it anew") as caught:
        load(write(tmp_path / "a.ipynb", content))
    assert "\n" not in str(caught.value)


def test_limits_of_notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook that is too large, or of too many cells, is refused with the remedy."""
    monkeypatch.setattr("rag.loaders.ipynb.MAX_PAGES", 1)
    with pytest.raises(LoadError, match="holds 2 cells"):
        notebook(tmp_path, code("a"), code("b"))
    monkeypatch.setattr("rag.loaders.ipynb.MAX_SOURCE", 10)
    with pytest.raises(LoadError, match="clear its outputs"):
        notebook(tmp_path, code("a"))
