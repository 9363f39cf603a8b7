"""What `rag eval` prints for people: tables whose columns line up, in any script."""

from collections.abc import Sequence

from rich.cells import cell_len

from rag.console import Printer, shortened
from rag.views import Json

LISTED = 5
"""Changed items that a terminal shows of each metric; --json and --out have more."""


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of a table: the first column to the left, the others to the right."""
    table = [list(head), *(list(row) for row in rows)]
    widths = [max(cell_len(row[at]) for row in table) for at in range(len(head))]
    lines = []
    for row in table:
        cells = [row[0] + " " * (widths[0] - cell_len(row[0]))]
        cells += [" " * (w - cell_len(c)) + c for w, c in zip(widths[1:], row[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def print_compared(printer: Printer, view: Json, table: Sequence[str], told: Sequence[str]) -> None:
    """Print a comparison: its table, what to know of it, and the first items that changed."""
    printer.lines([f"first   {view['first']}", f"second  {view['second']}", "", *table, "", *told])
    if view["settings"]:
        printer.lines(["", "What differs:"])
        each = [[f"  {s['name']}", s["first"], s["second"]] for s in view["settings"]]
        printer.lines(aligned(("  setting", "first", "second"), each))
    for metric in dict.fromkeys(change["metric"] for change in view["changes"]):
        found = [change for change in view["changes"] if change["metric"] == metric]
        losses = [change for change in found if change["gain"] < 0]
        wins = [change for change in reversed(found) if change["gain"] > 0]
        _changes(printer, f"{metric}: worse in {len(losses)}", losses)
        _changes(printer, f"{metric}: better in {len(wins)}", wins)


def _changes(printer: Printer, title: str, changes: Sequence[Json]) -> None:
    if not changes:
        return
    printer.lines(["", f"{title}, of which {min(LISTED, len(changes))}:"])
    for change in changes[:LISTED]:
        printer.lines([f"  {change['id']}  {shortened(change['question'])}"])
        for side in ("first", "second"):
            value, answer = change[side]["value"], shortened(change[side]["answer"])
            printer.lines([f"    {side + ':':<8}{value:.3f}  {answer}"])
