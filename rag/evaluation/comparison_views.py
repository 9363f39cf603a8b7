"""A comparison as JSON values, as Markdown, and as a page."""

from collections.abc import Iterable, Sequence
from typing import Any

from rag.evaluation import pages
from rag.evaluation.comparison import Change, Comparison, Difference
from rag.evaluation.report import grid

MOST = 40
"""Changed items that a page or a Markdown file shows of each metric; JSON has them all."""
HEAD = (
    "metric",
    "first",
    "second",
    "difference",
    "95% interval",
    "p",
    "p, Holm",
    "",
    "wins/losses",
    "n",
)


def compared_view(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON values, every changed item with both answers."""
    return {
        "first": comparison.first.run,
        "second": comparison.second.run,
        "suite": comparison.first.suite,
        "shared": comparison.shared,
        "only_first": comparison.only_first,
        "only_second": comparison.only_second,
        "differences": [_difference_view(each) for each in comparison.differences],
        "settings": [
            {"name": each.name, "first": each.first, "second": each.second}
            for each in comparison.settings
        ],
        "changes": [_change_view(change) for change in comparison.changes],
        "not_compared": dict(comparison.missing),
    }


def _difference_view(each: Difference) -> dict[str, Any]:
    return {
        "metric": each.metric,
        "higher_is_better": each.higher_is_better,
        "first": round(each.first, 4),
        "second": round(each.second, 4),
        "difference": round(each.difference, 4),
        "low": round(each.low, 4),
        "high": round(each.high, 4),
        "p": round(each.p, 6),
        "p_holm": round(each.corrected, 6),
        "outcome": each.outcome,
        "n": each.n,
        "clusters": each.clusters,
        "only_first": each.only_first,
        "only_second": each.only_second,
        "wins": each.wins,
        "losses": each.losses,
    }


def _change_view(change: Change) -> dict[str, Any]:
    return {
        "metric": change.metric,
        "id": change.first.id,
        "lang": change.first.lang,
        "type": change.first.type,
        "question": change.first.question,
        "gain": round(change.gain, 4),
        "first": {"value": change.first.values[change.metric], "answer": change.first.answer},
        "second": {"value": change.second.values[change.metric], "answer": change.second.answer},
    }


def rows(differences: Iterable[Difference]) -> list[list[str]]:
    """Return a row of text for each metric, as `HEAD` names its cells."""
    return [
        [
            each.metric + (" ↑" if each.higher_is_better else " ↓"),
            pages.number(each.first),
            pages.number(each.second),
            pages.signed(each.difference),
            f"{pages.signed(each.low)} … {pages.signed(each.high)}",
            f"{each.p:.4f}",
            f"{each.corrected:.4f}",
            "" if each.outcome == "same" else each.outcome,
            f"{each.wins}/{each.losses}" if each.wins or each.losses else "",
            str(each.n),
        ]
        for each in differences
    ]


def told(comparison: Comparison) -> list[str]:
    """Return what has to be known to read the table, a sentence a line."""
    lines = [f"{comparison.shared} items are in both runs."]
    for count, which in ((comparison.only_first, "first"), (comparison.only_second, "second")):
        if count:
            lines.append(f"{count} are in the {which} run only and do not count.")
    for each in comparison.differences:
        if each.only_first or each.only_second:
            lines.append(
                f"{each.metric}: {each.only_first} items have it in the first run only and "
                f"{each.only_second} in the second only; they do not count."
            )
    lines += [f"{metric} was not compared: {why}." for metric, why in comparison.missing.items()]
    return lines


def shown(comparison: Comparison) -> list[tuple[str, list[Change], list[Change]]]:
    """Return each metric with its largest losses and wins, at most `MOST` of both together."""
    found = []
    for metric in dict.fromkeys(change.metric for change in comparison.changes):
        changes = [change for change in comparison.changes if change.metric == metric]
        losses = [change for change in changes if change.gain < 0][: MOST // 2]
        wins = [change for change in reversed(changes) if change.gain > 0][: MOST // 2]
        found.append((metric, losses, wins))
    return found


def markdown(comparison: Comparison) -> str:
    """Return a comparison as Markdown."""
    first, second = comparison.first.run, comparison.second.run
    lines = [f"# {pages.markdown(first)} and {pages.markdown(second)}", ""]
    lines += [pages.markdown(line) for line in told(comparison)]
    lines += ["", *grid(HEAD, rows(comparison.differences))]
    if comparison.settings:
        lines += ["## What differs", ""]
        settings = [[each.name, each.first, each.second] for each in comparison.settings]
        lines += grid(("setting", "first", "second"), settings)
    for metric, losses, wins in shown(comparison):
        lines += _listed(f"{metric}: worse", losses) + _listed(f"{metric}: better", wins)
    return "\n".join(lines).rstrip() + "\n"


def _listed(title: str, changes: Sequence[Change]) -> list[str]:
    if not changes:
        return []
    lines = [f"## {pages.markdown(title)}", ""]
    for change in changes:
        asked = pages.markdown(change.first.question or change.first.id)
        lines.append(f"- **{asked}** ({pages.markdown(change.first.id)})")
        for side, item in (("first", change.first), ("second", change.second)):
            value = pages.number(item.values[change.metric])
            lines.append(f"  - {side}, {value}: {pages.markdown(item.answer)}")
    return [*lines, ""]


def html(comparison: Comparison) -> str:
    """Return a comparison as a page."""
    return pages.render(
        "comparison.html",
        title=f"{comparison.first.run} and {comparison.second.run}",
        first=comparison.first,
        second=comparison.second,
        head=HEAD,
        rows=list(zip(comparison.differences, rows(comparison.differences), strict=True)),
        told=told(comparison),
        settings=comparison.settings,
        changes=shown(comparison),
    )
