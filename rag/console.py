"""Results on standard output: one line of JSON, or text for people."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator

from rich.console import Console
from rich.text import Text

from rag.types import Verdict
from rag.views import Json
from rag.wrapping import unwrapped

INDENT = "    "
SNIPPET = 240
NAMED = 3  # of the files that hold the same as another
VERDICTS = {"supported": "green", "partial": "yellow", "contradicted": "red", "unsupported": "red"}
# What documents hold must not steer the terminal: all control characters but tab and newline.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


# Characters that JSON may hold as they are, and that many readers of lines take for an end.
LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def print_json(value: Json) -> None:
    """Print a value as one compact line, at once."""
    print(json_line(value), flush=True)


def json_line(value: Json) -> str:
    """Return a value as compact JSON that every reader takes for one line."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return line.translate(LINE_ENDS)


def print_view(view: Json, as_json: bool, show: Callable[["Printer", Json], None]) -> None:
    """Print a view as JSON, or as `show` prints it for people."""
    if as_json:
        print_json(view)
    else:
        show(Printer(), view)


class Printer:
    """Prints the views of `rag.views` for people; colours and wraps on a terminal only."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False)

    def ingest(self, view: Json) -> None:
        """Print what an ingest run changed."""
        documents = view["documents"]
        counts = [f"{documents[key]} {key}" for key in ("added", "updated", "unchanged", "deleted")]
        if documents["copies"]:
            counts.append(f"{documents['copies']} the same as another")
        for key in ("failed", "skipped"):
            if documents[key]:
                counts.append(f"{len(documents[key])} {key}")
        self._line("documents: " + ", ".join(counts))
        self._line(f"passages:  {view['passages']:,}, in {view['seconds']:.1f} s")
        for failure in documents["failed"]:
            self._line(f"failed:  {failure['source']}: {failure['error']}", "red")
        for failure in documents["skipped"]:
            self._line(f"skipped: {failure['source']}: {failure['reason']}", "dim")
        for note in documents["notes"]:
            self._line(f"note:    {note['source']}: {note['note']}", "yellow")

    def preview(self, view: Json) -> None:
        """Print what an ingest run would change, a source a line, and then the counts."""
        moved = [f"{pair['from']} → {pair['to']}" for pair in view["moved"]]
        lists = {**{k: view[k] for k in ("added", "updated")}, "moved": moved}
        lists["copies"] = [f"{pair['source']} (of {pair['of']})" for pair in view["copies"]]
        lists["deleted"] = view["deleted"]
        for name, sources in lists.items():
            for source in sources:
                self._line(f"{name + ':':<9} {source}")
        for failure in view["failed"]:
            self._line(f"failed:   {failure['source']}: {failure['error']}", "red")
        for failure in view["skipped"]:
            self._line(f"skipped:  {failure['source']}: {failure['reason']}", "dim")
        counts = [
            f"{len(sources)} {name}"
            for name, sources in lists.items()
            if sources or name != "copies"
        ]
        self._line(f"{', '.join(counts)}, {view['unchanged']} unchanged; nothing was done")

    def search(self, view: Json) -> None:
        """Print hits, best first."""
        if not view["hits"]:
            self._line("no passage found")
        for hit in view["hits"]:
            section = f" · {hit['section']}" if hit["section"] else ""
            self._line(f"{hit['rank']}  {place(hit)}{section}  ({hit['score']:.3f})", "bold")
            self._also_in(hit)
            self._indented(shortened(hit["text"]))

    def answer(self, view: Json) -> None:
        """Print an answer, the quotes behind it, and where they disagree."""
        self._line(view["answer"])
        self.sources(view)

    def piece(self, text: str) -> None:
        """Print a piece of a text that goes on, at once."""
        self._console.print(Text(clean(text)), end="", soft_wrap=True)

    def sources(self, view: Json) -> None:
        """Print what stands behind an answer, and what speaks against it."""
        for citation in view["citations"]:
            self._line("")
            self._line(f"[{citation['n']}] {place(citation)}", "bold")
            self._also_in(citation)
            self._indented(f"“{reflowed(citation['quote'])}”")
        for conflict in view["conflicts"]:
            sides = zip(conflict["citations"], conflict["says"], strict=True)
            told = ", ".join(f"[{n}] says “{' '.join(says.split())}”" for n, says in sides)
            self._line(f"\nSources disagree: {told}", "yellow")
        doubtful = [c for c in view["claims"] if c["verdict"] != Verdict.SUPPORTED.value]
        if doubtful and not view["abstained"]:
            self._line("")
            for claim in doubtful:
                self._line(f"{claim['verdict']}: {claim['text']}", "yellow")
        self._explained(view)
        if view["nearest"]:
            self._line("\nNearest passages:")
            self.search({"hits": view["nearest"]})

    def _also_in(self, view: Json) -> None:
        """Print which other files hold the same; of many the first."""
        others = view["also_in"]
        if others:
            more = f" and {len(others) - NAMED:,} more" if len(others) > NAMED else ""
            self._indented(f"also in: {', '.join(others[:NAMED])}{more}")

    def _explained(self, view: Json) -> None:
        """Print where each claim comes from, where that was asked for."""
        for told in view.get("explain", ()):
            self._line("")
            self._line(shortened(view["claims"][told["claim"]]["text"]), "bold")
            self._indented(told["summary"])
        for note in view.get("explain_notes", ()):
            self._line(f"\n{note}", "yellow")

    def checked(self, view: Json) -> None:
        """Print the verdict on a claim, the words that decide, and what gate 1 found."""
        self._line(
            f"{view['id']}  {view['verdict']}  ({view['score']:.3f})", VERDICTS[view["verdict"]]
        )
        for span in view["evidence"]:
            self._indented(f"source {span['source']}: “{' '.join(span['quote'].split())}”")
        for told in findings(view["gates"]["exact"]):
            self._indented(told)

    def verified(self, view: Json) -> None:
        """Print what reading a whole index came to, each thing that is wrong with its remedy."""
        counts = ("documents", "passages", "vectors")
        self._line("read: " + ", ".join(f"{view[name]:,} {name}" for name in counts))
        self._findings(view["findings"])
        self._line("healthy" if view["healthy"] else f"wrong: {len(view['findings'])}")

    def repaired(self, view: Json) -> None:
        """Print what a repair moved, what it made anew, and what is wrong still."""
        if view["database"]:
            self._line(f"moved the database, which is damaged, to {view['database']}", "red")
            self._line(f"saved {view['saved']:,} of its documents")
            self._line("restore a snapshot, or ingest the folders again: the rest is read anew")
        for file in view["documents"]:
            self._line(f"moved a damaged document to {file}", "yellow")
        if view["documents"]:
            self._line("the next ingest reads their files again")
        for part in view["mended"]:
            self._line(f"made anew: {part}")
        self._findings(view["left"])
        if view["healthy"]:
            self._line("healthy")

    def _findings(self, findings: list[Json]) -> None:
        for finding in findings:
            self._line(f"{finding['part']}: {finding['where']} {finding['problem']}", "red")
            self._indented(finding["remedy"])

    def deleted(self, view: Json) -> None:
        """Print which documents are gone, and which of them an ingest would bring back."""
        for document in view["deleted"]:
            self._line(f"deleted {document['source']}")
            self._also_in(document)
            if document["returns"]:
                self._indented(
                    f"{document['file']} is there still: the next ingest of its folder reads it "
                    "again, unless .ragignore names it"
                )

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines as they are."""
        for line in lines:
            self._line(line)

    def table(self, view: Json) -> None:
        """Print names and values, one pair a line."""
        width = max(map(len, view))
        for name, value in view.items():
            self._line(f"{name:<{width}}  {value}")

    def models(self, view: Json) -> None:
        """Print models, each with where it is or can be had."""
        for model in view["models"]:
            self._line(model["name"], "bold")
            if "kind" in model:
                languages = ", ".join(model["languages"]) or "many languages"
                facts = [model["kind"], languages, f"{model['megabytes']} MB", model["licence"]]
                self._indented(" · ".join([*facts, model["origin"]]))
            if model["path"]:
                self._indented(model["path"])

    def keys(self, view: Json) -> None:
        """Print API keys, a line each; those that are revoked pale."""
        if not view["keys"]:
            self._line("no keys: on this machine anybody may ask, from beyond it nobody")
        for key in view["keys"]:
            where = "all" if key["collections"] is None else ", ".join(key["collections"])
            state = f"revoked {key['revoked']}" if key["revoked"] else f"since {key['created']}"
            facts = [key["id"], " ".join(key["scopes"]), where, state, key["name"]]
            self._line(" · ".join(facts), "dim" if key["revoked"] else "")

    def path(self, view: Json) -> None:
        """Print a folder and nothing else, for use in shell commands."""
        self._line(view["path"])

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(clean(text), style), soft_wrap=True)

    def _indented(self, text: str) -> None:
        lines: Iterable[Text] = map(Text, clean(text).split("\n"))
        if self._console.is_terminal:
            width = max(self._console.width - len(INDENT), 20)
            lines = Text(clean(text)).wrap(self._console, width)
        for line in lines:
            self._console.print(Text(INDENT) + line, soft_wrap=True)


def clean(text: str) -> str:
    """Return text in which every control character but tab and newline is made visible."""
    return CONTROL.sub("\ufffd", text)


def findings(exact: Json) -> Iterator[str]:
    """Yield what gate 1 found against a claim, in words."""
    instead = {each["text"]: each["instead"] for each in exact["conflicting_numbers"]}
    missing = [each for kind in ("numbers", "dates", "names") for each in exact[f"missing_{kind}"]]
    if missing:
        yield "not in the sources: " + ", ".join(each["text"] for each in missing)
    for text, other in instead.items():
        yield f"they have {other} in place of {text}"
    if exact["negation"]:
        yield "negated on one side only"


def place(view: Json) -> str:
    """Return where a hit or a citation stands: file and page, slide or whatever it has."""
    page = f", {view['unit']} {view['page']}" if view["page"] is not None else ""
    return f"{view['source']}{page}"


def reflowed(text: str) -> str:
    """Return a quote with a line for each of its lines, but none for breaks that only wrap it."""
    return "\n".join(" ".join(text[start:end].split()) for start, end in unwrapped(text))


def shortened(text: str) -> str:
    """Return the beginning of a passage on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SNIPPET else line[: SNIPPET - 1] + "…"
