"""A conversation at the console: a question a line, until /quit or the end of the input."""

import sys
from collections.abc import Iterator
from typing import TextIO

from rag.console import Printer, print_json, print_view
from rag.dialogue import Conversation
from rag.errors import ConfigError, GenerationError
from rag.views import answer_view

PROMPT = "> "
HELP = "a question a line; /new begins anew, /quit (or end of input) ends"


def chat(conversation: Conversation, lines: TextIO, as_json: bool) -> int:
    """Answer questions line by line; return the exit code.

    Answers go to standard output, all else to standard error. A question that can not be answered
    is told and the conversation goes on; what concerns the index or the models ends it. Ctrl-C
    stops the answer that is being made.
    """
    failed = 0
    for line in _questions(lines):
        if line == "/new":
            conversation.forget()
            continue
        try:
            said = conversation.say(line)
        except (ConfigError, GenerationError) as error:
            failed = error.exit_code
            _tell(f"error: {error}")
            if as_json:
                print_json({"error": {"code": error.code, "message": str(error)}})
            continue
        except KeyboardInterrupt:
            # At the prompt Ctrl-C ends the conversation, here only the answer.
            _tell("interrupted")
            continue
        print_view(answer_view(said.answer, said.asked), as_json, Printer.answer)
        if not as_json:
            print(flush=True)
    return failed


def _questions(lines: TextIO) -> Iterator[str]:
    """Yield each line that says something, until /quit, the end of the input, or Ctrl-C."""
    interactive = lines.isatty()
    if interactive:
        _tell(HELP)
    while True:
        if interactive:
            print(PROMPT, end="", file=sys.stderr, flush=True)
        try:
            line = lines.readline()
        except KeyboardInterrupt:
            line = ""
        except UnicodeDecodeError as error:
            raise ConfigError("the input is not valid text; expected UTF-8") from error
        if not line or line.strip() == "/quit":
            return
        if line.strip():
            yield line.strip()


def _tell(text: str) -> None:
    print(" ".join(text.split()), file=sys.stderr, flush=True)
