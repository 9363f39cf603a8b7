"""The filters of a search in the terms of the store: what a document has to be, in SQL."""

from rag.errors import ConfigError
from rag.types import Filters


def conditions_of(filters: Filters) -> tuple[list[str], list[str]]:
    """Return SQL conditions over the documents table `d`, and the values they bind.

    Raises:
        ConfigError: a filter is no valid text.
    """
    conditions: list[str] = []
    values: list[str] = []
    if filters.source is not None:
        # Any of its sources: whoever knows a document by another name finds it too.
        conditions.append(
            "(d.source GLOB ? OR d.id IN (SELECT document FROM copies WHERE source GLOB ?))"
        )
        values += [filters.source, filters.source]
    simple = {
        "instr(casefold(d.title), casefold(?)) > 0": filters.title,
        "d.language = ?": filters.language,
        "d.date >= ?": filters.since,
        "substr(d.date, 1, 10) <= ?": filters.until,
    }
    for condition, value in simple.items():
        if value is not None:
            conditions.append(condition)
            values.append(value)
    for key, value in filters.metadata.items():
        conditions.append(
            "EXISTS (SELECT 1 FROM json_each(d.metadata) WHERE key = ? AND value = ?)"
        )
        values += [key, value]
    try:
        "".join(values).encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigError("a filter is not valid text; expected UTF-8") from None
    return conditions, values
