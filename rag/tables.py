"""Tables in texts: a row says little without the header that names its columns, a header nothing.

Those of Markdown, and those that `rag.loaders.tables` writes out, whose rows have the names
already: "tea | price" above "tea: Assam; price: 5".
"""

import re

# Of the rule below a header: |---|:-:| and the like.
_DASHES = re.compile(r":?-+:?")
BAR = "|"
WRITTEN_BAR = " | "


def between_bars(line: str) -> bool:
    """Tell whether a line is a row of a table, its header and rule included."""
    return line.lstrip().startswith(BAR)


def in_row(text: str, at: int) -> bool:
    """Tell whether a place of a text is in a row of a table, its header and rule included."""
    return _is_row(text, *_line(text, at))


def header_of(text: str, at: int) -> tuple[int, int] | None:
    """Return where the header stands of the table with a row at some place of a text.

    Args:
        at: code-point offset into the row.
    Returns:
        Its span without white space at the ends; None where there is no row, where it is the
        header or the rule below it, or where the text begins behind the header.
    """
    start, end = _line(text, at)
    if not _is_row(text, start, end):
        return None
    while start:
        start, end = _line(text, start - 1)
        if not _is_row(text, start, end):
            return None
        if _is_rule(text[start:end]):
            return _stripped(text, *_line(text, start - 1)) if start else None
    return None


def is_header(text: str, at: int) -> bool:
    """Tell whether the line at a place of a text names the columns of the rows below it."""
    start, end = _line(text, at)
    after = text[slice(*_line(text, end + 1))]
    if _is_row(text, start, end):
        return between_bars(after) and _is_rule(after)
    titles = text[start:end].split(WRITTEN_BAR)
    return len(titles) > 1 and after.startswith(tuple(f"{title}: " for title in titles))


def _line(text: str, at: int) -> tuple[int, int]:
    """Return the line that a place is in, without its break."""
    end = text.find("\n", at)
    return text.rfind("\n", 0, at) + 1, len(text) if end < 0 else end


def _is_row(text: str, start: int, end: int) -> bool:
    return between_bars(text[start:end])


def _is_rule(line: str) -> bool:
    return all(_DASHES.fullmatch(cell.strip()) for cell in line.strip().strip(BAR).split(BAR))


def _stripped(text: str, start: int, end: int) -> tuple[int, int] | None:
    if not _is_row(text, start, end):
        return None
    line = text[start:end]
    return start + len(line) - len(line.lstrip()), start + len(line.rstrip())
