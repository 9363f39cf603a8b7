"""The report of a run: report.html, one file that loads nothing, and report.md.

What is on the page, and how it is kept from running anything: `rag.evaluation.pages`.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from rag.evaluation import pages
from rag.evaluation.figures import LEAST_PART
from rag.evaluation.report_cases import Shown, is_abstained, is_unanswerable, worst
from rag.evaluation.report_charts import drawn
from rag.evaluation.report_tables import (
    ALL_ITEMS,
    Spread,
    Table,
    by_part,
    by_system,
    costs,
    latencies,
    left_out,
)
from rag.evaluation.run_folder import Run, read_run
from rag.evaluation.runs import Figure, Item, Manifest

HTML, MARKDOWN = "report.html", "report.md"
VERDICTS = ("supported", "partial", "contradicted", "unsupported")
JUDGED = {
    "audit": "The judge is this program's checker, and gold labels where the answers came with "
    "them. It can be wrong: look at its verdicts below before you quote these figures."
}
_IN_MARKDOWN = 10
ABSTAINED = "abstained"
UNANSWERABLE = "gold: none, the documents do not answer it"


def write(folder: Path) -> None:
    """Write report.html and report.md into a run's folder.

    Raises:
        ConfigError: it holds no run.
    """
    run = read_run(folder)
    (folder / HTML).write_text(html(run), encoding="utf-8")
    (folder / MARKDOWN).write_text(markdown(run), encoding="utf-8")


def html(run: Run) -> str:
    """Return the report as a page."""
    cases = worst(run.items)
    whole = by_system(run.figures, run.items)
    return pages.render(
        "report.html",
        title=f"{run.manifest.suite}: {run.manifest.run}",
        manifest=run.manifest,
        facts=_facts(run.manifest),
        judged=JUDGED.get(run.manifest.kind, ""),
        anchors=_anchors(run.manifest),
        items=len(run.items),
        whole=whole if whole.rows else None,
        parts=by_part(run.figures),
        left_out=left_out(run.items),
        least=LEAST_PART,
        charts=drawn(run.items),
        latencies=latencies(run.items),
        costs=costs(run.items),
        cases=cases,
        verdicts=VERDICTS,
        claims=_claims(cases),
    )


def _tables(run: Run) -> list[Table]:
    return [
        table for table in (by_system(run.figures, run.items), *by_part(run.figures)) if table.rows
    ]


def _claims(cases: Sequence[Shown]) -> list[dict[str, object]]:
    """Return the claims that a person can mark, as `rag eval checker` reads them, no label yet.

    In the order of the page, where each is called by its place in this list.
    """
    return [
        {
            "id": f"{shown.item.id}#{number}",
            "claim": claim.text,
            "sources": [source.text for source in claim.sources],
            "verdict": claim.verdict,
            "lang": shown.item.lang,
            "cluster": shown.item.cluster,
        }
        for shown in cases
        for number, claim in enumerate(shown.item.claims)
        if claim.sources
    ]


def _facts(manifest: Manifest) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what is known of a run, in groups of names and values."""
    groups: list[tuple[str, list[tuple[str, str]]]] = [
        (
            "Run",
            [
                ("command", manifest.command),
                ("started", manifest.started),
                ("finished", manifest.finished or "not finished: figures are missing"),
                ("seed", str(manifest.seed)),
                ("limit", "none" if manifest.limit is None else str(manifest.limit)),
            ],
        )
    ]
    for name in ("dataset", "models", "index", "config", "versions", "hardware"):
        values = getattr(manifest, name) or {}
        told = [(key, _told(value)) for key, value in values.items()]
        if told:
            groups.append((name.capitalize(), told))
    return groups


def _anchors(manifest: Manifest) -> str:
    """Return the figures that others report on the same data; "" where none is known."""
    return str(manifest.dataset.get("anchors", ""))


def _told(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def markdown(run: Run) -> str:
    """Return the report as Markdown."""
    escaped = pages.markdown
    finished = run.manifest.finished or "not finished"
    lines = [
        f"# {escaped(run.manifest.suite)}: {escaped(run.manifest.run)}",
        "",
        f"{escaped(run.manifest.kind)}, {len(run.items)} items, {escaped(finished)}. "
        f"Made by: {escaped(run.manifest.command)}",
        "",
    ]
    if run.manifest.kind in JUDGED:
        lines += [JUDGED[run.manifest.kind], ""]
    for table in _tables(run):
        lines += _table(table)
        if table.title == ALL_ITEMS and (anchors := _anchors(run.manifest)):
            lines += [f"Others report: {escaped(anchors)}", ""]
    lines += [text for told in left_out(run.items) for text in (escaped(told), "")]
    for title, spreads in (("Seconds", latencies(run.items)), ("Cost", costs(run.items))):
        lines += _spreads(title, spreads)
    lines += _worst(worst(run.items)[:_IN_MARKDOWN])
    return "\n".join(lines).rstrip() + "\n"


def _table(table: Table) -> list[str]:
    cells = [[name, *map(_cell, figures)] for name, figures in table.rows]
    return [
        f"## {table.title}",
        "",
        *([pages.markdown(table.note), ""] if table.note else []),
        *grid(table.head, cells),
    ]


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    value = pages.number(figure.value)
    if figure.n < LEAST_PART:
        return f"{value}, n {figure.n}"
    return f"{value} [{pages.number(figure.low)}, {pages.number(figure.high)}], n {figure.n}"


def _spreads(title: str, spreads: Sequence[Spread]) -> list[str]:
    if not spreads:
        return []
    head = ("", "items", "mean", "median", "95%", "largest")
    rows = [
        [s.name, str(s.n), *map(pages.number, (s.mean, s.median, s.most, s.largest))]
        for s in spreads
    ]
    return [f"## {title}", "", *grid(head, rows)]


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table of Markdown with an empty line behind it; all cells are escaped."""
    return [
        f"| {' | '.join(map(pages.markdown, head))} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(map(pages.markdown, row))} |" for row in rows),
        "",
    ]


def _worst(cases: Sequence[Shown]) -> list[str]:
    if not cases:
        return []
    lines = ["## Worst cases", ""]
    for shown in cases:
        item = shown.item
        lines.append(f"- {_headed(item)}{pages.markdown(item.lang)}, {pages.markdown(item.type)}")
        if item.answer and not item.claims:
            called = ABSTAINED if is_abstained(item) else "answer"
            lines.append(f"  - {called}: {pages.markdown(item.answer)}")
        if is_unanswerable(item):
            lines.append(f"  - {UNANSWERABLE}")
        elif item.gold and item.question:
            lines.append(f"  - gold: {pages.markdown('; '.join(item.gold))}")
        for claim in item.claims:
            gold = f", gold: {pages.markdown(claim.gold)}" if claim.gold else ""
            verdict, said = pages.markdown(claim.verdict), pages.markdown(claim.text)
            lines.append(f"  - {verdict}{gold}: {said}")
    return [*lines, ""]


def _headed(item: Item) -> str:
    """Return an item's question and id; its id alone where it has no question."""
    identity = pages.markdown(item.id)
    return f"**{pages.markdown(item.question)}** {identity}, " if item.question else f"{identity}, "
