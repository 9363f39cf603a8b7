"""Source code: the text is the file; the title is what it says of itself at its top."""

from pathlib import Path

import pytest
from pygments.lexers import find_lexer_class_for_filename

from rag.errors import LoadError
from rag.loaders import kind, load
from rag.loaders.code_kinds import LINE_COMMENT
from tests.loaders.loader_files import FILES, write


@pytest.mark.parametrize(
    ("name", "codec", "title"),
    [
        ("words.py", "cp1251", "Считает слова в файле."),
        ("path.c", "utf-8", "A legrövidebb út két pont között."),
        ("sum.sql", "gb18030", "计算每个月的总和"),
    ],
)
def test_real_files(name: str, codec: str, title: str) -> None:
    """Russian, Hungarian and Chinese: the bytes decoded, the licence passed over."""
    parsed = load(FILES / name)
    assert parsed.text == (FILES / name).read_bytes().decode(codec)
    assert parsed.title == title
    assert (parsed.headings, parsed.pages) == ((), ())


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("a.py", "import os\n\n# late comment\n", "a.py"),
        ("a.py", "'''One.'''\n", "One."),
        ("a.py", '#!/bin/python\n# vim: set ts=4\n\n\n# Say hello\nprint("hello")\n', "Say hello"),
        ("a.py", '"""\n\n   Indented.\n"""\n', "Indented."),
        ("a.rs", "//! Walks a tree.\nfn main() {}\n", "Walks a tree."),
        ("a.rs", "#![allow(unused)]\n// not first\n", "a.rs"),
        ("a.js", "'use strict';\n/* eslint no-var: 0 */\n// Menü\n", "Menü"),
        ("a.h", "#ifndef A_H\n/* inside */\n", "a.h"),
        ("a.css", "/* Farben */\n#id { color: red }\n", "Farben"),
        ("a.hs", "{- | Сортировка -}\nmodule A where\n", "Сортировка"),
        ("a.ini", "; настройки\n[a]\n", "настройки"),
        ("a.php", "<?php\n/**\n * 首页\n */\n", "首页"),
        ("a.sh", "# ------\n# Copyright 2020\n# ------\n\n# Backup\n", "Backup"),
        ("a.sh", "# " + "long " * 60, "a.sh"),
        ("a.yaml", "# Einstellungen\na: 1\n", "Einstellungen"),
    ],
)
def test_the_title_is_the_first_comment(
    name: str, content: str, title: str, tmp_path: Path
) -> None:
    """Comments for tools and licences are passed over; without a comment the name is left."""
    assert load(write(tmp_path / name, content)).title == title


# Languages that pygments knows by other names, or not.
OTHERS = {".conf", ".gql", ".glsl", ".edn", ".f95", ".for", ".svelte"}


def test_the_suffixes_are_of_languages() -> None:
    """pygments knows a language for nearly each suffix."""
    unknown = {suffix for suffix in LINE_COMMENT if not find_lexer_class_for_filename("a" + suffix)}
    assert unknown == OTHERS
    assert all(kind(Path("a" + suffix)) == "code" for suffix in LINE_COMMENT)


def test_minified_code_is_refused(tmp_path: Path) -> None:
    """One line of a hundred thousand characters is not what anybody reads or cites."""
    with pytest.raises(LoadError, match="minified or generated"):
        load(write(tmp_path / "a.js", "x=1;" * 30_000))
