"""The command line. Its contract: results on standard output, all else on standard error.

With --json standard output is one compact line (in batch mode one a question) and empty when a
command fails; an error is one line, and the exit code tells its kind (`rag.errors`). Nothing
heavy is imported before it is known which command is wanted.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option
from typer.core import TyperGroup
from typer.exceptions import TyperException

import rag
from rag.care_commands import care_app
from rag.console import Printer, print_json, print_view
from rag.errors import ConfigError, RagError
from rag.eval_commands import eval_app
from rag.ingest_commands import add_to
from rag.key_commands import feedback_app, keys_app
from rag.model_commands import fetch, models_app, wanted_models
from rag.options import Answering, Common, Filtering, Models, Ranking, settings, spread
from rag.progress import Reporter
from rag.views import Json

INTERRUPTED = 130

app = typer.Typer(
    add_completion=False,
    # Plain help: rich's takes longer to import than all the rest.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(models_app, name="models")
app.add_typer(keys_app, name="keys")
app.add_typer(feedback_app, name="feedback")
app.add_typer(care_app)
app.add_typer(eval_app, name="eval")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(rag.__version__)
        raise typer.Exit


@app.callback()
def rag_command(
    version: Annotated[
        bool,
        Option("--version", is_eager=True, callback=_print_version, help="print the version"),
    ] = False,
) -> None:
    """Answer questions from a folder of documents, with the quotes that prove each sentence.

    Exit codes: 0 done; 2 usage or configuration; 3 some files failed; 4 no such index; 5 index
    damaged or made with another model; 6 model not available; 7 'eval compare': a metric is worse;
    1 anything else.
    """


add_to(app)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, or a file of them, given by the option `flag`."""

    question: str | None
    file: Path | None
    flag: str


Opened = tuple[Callable[[str], Json], Callable[[Printer, Json], None]]
"""What makes a view of a question, and what prints it for people."""


@app.command("search")
@spread
def search_command(
    common: Common,
    models: Models,
    ranking: Ranking,
    filtering: Filtering,
    question: Annotated[str | None, Argument(help="what to search for")] = None,
    queries: Annotated[Path | None, Option(metavar="FILE", help="questions, JSON lines")] = None,
) -> int:
    """Find the passages that answer a question."""
    from rag.build import open_retriever
    from rag.views import search_view

    config, filters = settings(common, models, ranking), filtering.filters()

    def open_index(reporter: Reporter) -> Opened:
        retriever = open_retriever(config, common.index, reporter.fetch)

        def view(text: str) -> Json:
            return search_view(retriever.search(text, config.k, config.mode, filters).hits)

        return view, Printer.search

    return _answer(Asked(question, queries, "--queries"), common, open_index)


@app.command("ask")
@spread
def ask_command(
    common: Common,
    models: Models,
    ranking: Ranking,
    answering: Answering,
    filtering: Filtering,
    question: Annotated[str | None, Argument(help="what to answer")] = None,
    questions: Annotated[Path | None, Option(metavar="FILE", help="questions, JSON lines")] = None,
    history: Annotated[
        Path | None, Option(metavar="FILE", help="earlier turns, JSON lines, the oldest first")
    ] = None,
    explain: Annotated[
        bool, Option("--explain", help="tell whether claims come from quotes or the model's memory")
    ] = False,
) -> int:
    """Answer a question, each sentence with the quotes that support it."""
    from rag.batch import read_turns
    from rag.build import event_responder, explainer, open_answerer
    from rag.dialogue import replied
    from rag.live import Live
    from rag.views import answer_view, explanation_view

    config, filters = settings(common, models, ranking, answering), filtering.filters()
    turns = read_turns(history) if history is not None else []
    watched = question is not None and not common.json and sys.stdout.isatty()

    def open_index(reporter: Reporter) -> Opened:
        answerer = open_answerer(config, common.index, reporter.fetch)
        respond = event_responder(answerer, filters=filters)
        explained = explainer(answerer) if explain else None
        live = Live(reporter.close)
        take = live.follow if watched else replied

        def view(text: str) -> Json:
            said = take(respond(text, turns))
            shown = answer_view(said.answer, said.asked)
            return shown | explanation_view(explained(said.answer)) if explained else shown

        return view, live.show

    return _answer(Asked(question, questions, "--questions"), common, open_index)


@app.command("chat")
@spread
def chat_command(
    common: Common, models: Models, ranking: Ranking, answering: Answering, filtering: Filtering
) -> int:
    """Answer questions in a conversation: one a line, from the console or standard input.

    A question may follow on those before it; its citations come from its own search.
    """
    from rag.build import open_answerer, responder
    from rag.chat import chat
    from rag.dialogue import Conversation

    config, filters = settings(common, models, ranking, answering), filtering.filters()
    with Reporter(events=common.events) as reporter:
        reporter.waiting("loading the models")
        answerer = open_answerer(config, common.index, reporter.fetch)
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8")
    conversation = Conversation(responder(answerer, filters=filters))
    return chat(conversation, sys.stdin, common.json)


def _answer(asked: Asked, common: Common, open_index: Callable[[Reporter], Opened]) -> int:
    """Print what comes of one question, or a line of JSON for each question of a file."""
    from rag.batch import read_items, run_items
    from rag.retriever import check_question

    question = asked.question
    if (question is None) == (asked.file is None):
        raise ConfigError(f"expected either one question or {asked.flag} FILE")
    # What is wrong with the input is told before models are loaded.
    items = read_items(asked.file) if asked.file is not None else []
    if question is not None:
        check_question(question)
    with Reporter(events=common.events) as reporter:
        reporter.waiting("loading the models")
        answer, show = open_index(reporter)
        reporter.waiting("searching")
        view = answer(question) if question is not None else None
    if view is not None:
        print_view(view, common.json, show)
        return 0
    failed = False
    for done, line in enumerate(run_items(items, answer), start=1):
        failed |= "error" in line
        print_json(line)
        reporter.question(done, len(items))
    return ConfigError.exit_code if failed else 0


@app.command("check")
@spread
def check_command(
    common: Common,
    models: Models,
    file: Annotated[
        Path, Argument(metavar="FILE", help="claims with sources, JSON lines; - is standard input")
    ],
) -> int:
    """Check claims against the sources that come with them; no index is needed."""
    from rag.batch import read_claims
    from rag.build import build_checker
    from rag.views import checked_view

    config = settings(common, models)
    with Reporter(events=common.events) as reporter:
        checker = build_checker(config, reporter.fetch)
        for done, item in enumerate(read_claims(file), start=1):
            if done == 1:
                reporter.waiting("loading the model")
            view = checked_view(checker.check(item.claim, item.sources), item.id)
            reporter.close()
            print_view(view, common.json, Printer.checked)
            reporter.claim(done)
    return 0


@app.command("status")
@spread
def status_command(common: Common, models: Models) -> int:
    """Tell what an index holds, what made it, and whether it is healthy."""
    from rag.status import index_status

    print_view(index_status(settings(common, models), common.index), common.json, Printer.table)
    return 0


@app.command("serve")
@spread
def serve_command(
    common: Common,
    models: Models,
    ranking: Ranking,
    answering: Answering,
    host: Annotated[
        str, Option(help="address to listen on; beyond this machine only with keys")
    ] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535, help="0 takes one that is free")] = 8000,
    workers: Annotated[
        int, Option(min=1, max=64, help="processes that share the port, each with its models")
    ] = 1,
) -> int:
    """Serve the indexes over HTTP; the options are the defaults of every request."""
    from api.server import has_key, listen, serve
    from api.workers import serve_workers

    config = settings(common, models, ranking, answering)

    def announce(url: str) -> None:
        print_view({"url": url}, common.json, Printer.table)

    with listen(host, port, keyed=has_key(config)) as listener:
        with Reporter(events=common.events) as reporter:
            # A model that is not to be had is told here, not by a server that answers nothing.
            for name in wanted_models(config):
                fetch(name, config, reporter)
        if workers > 1:
            serve_workers(config, common.index, listener, announce, workers)
        else:
            serve(config, common.index, listener, announce)
    return 0


@app.command("mcp")
@spread
def mcp_command(common: Common, models: Models, ranking: Ranking, answering: Answering) -> int:
    """Offer an index to other programs' models as tools, over MCP on standard input and output."""
    from rag.mcp.toolbox import Toolbox

    # What is wrong is told before the protocol's library is loaded.
    box = Toolbox(settings(common, models, ranking, answering), common.index)
    from rag.mcp.server import serve

    serve(box)
    return 0


@cache
def _command() -> TyperGroup:
    """Return the commands, put together once: a process may run several."""
    return typer.main.get_group(app)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; every error ends as one line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # JSON is UTF-8 whatever the locale; what is no text in a file name prints as "?".
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        command = _command()
        arguments = sys.argv[1:] if argv is None else argv
        code = command.main(arguments or ["--help"], prog_name="rag", standalone_mode=False)
        sys.stdout.flush()
        return _fail("interrupted", INTERRUPTED) if code == INTERRUPTED else int(code or 0)
    except RagError as error:
        return _fail(str(error), error.exit_code)
    except TyperException as error:
        return _fail(error.format_message(), error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # Nobody reads any more; nor may the interpreter's last flush complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("RAG_DEBUG"):
            traceback.print_exc()
        what = f"{type(error).__name__}: {error}"
        return _fail(f"{what} (set RAG_DEBUG=1 to see where)", RagError.exit_code)


def _fail(message: str, code: int) -> int:
    print("error:", " ".join(message.split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
