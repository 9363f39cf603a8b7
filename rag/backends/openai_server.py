"""Text from any server that speaks OpenAI's chat completions, through the `openai` client.

The key comes from the environment alone and is in no message. Nothing is asked of a server but
streamed chat completions, and parameters that it refuses are left out. Closing the stream closes
the HTTP response, by which a server knows to stop.
"""

import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import openai

from rag.config import SERVER
from rag.errors import ConfigError, GenerationError
from rag.protocols import Decoding, Message, TextStream

logger = logging.getLogger(__name__)

KEYS = ("RAG_OPENAI_API_KEY", "OPENAI_API_KEY")

_LONGEST_REASON = 300
"""Characters of a server's own words that a message repeats."""

_TOKENS_A_MESSAGE = 8
_OPTIONAL = frozenset({"temperature", "top_p", "seed"})
"""Parameters that an answer can do without."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and how long and often to try.

    Attributes:
        base_url: what "/chat/completions" is put behind.
        window: tokens of prompt and answer together.
        timeout: seconds to connect, and between two pieces of an answer.
        retries: further attempts when it is busy, failing or can not be reached.
    """

    base_url: str
    window: int = 4096
    timeout: float = 60.0
    retries: int = 2


def key_from(environ: Mapping[str, str]) -> str:
    """Return the first key that the environment names, "" when there is none."""
    return next((environ[name].strip() for name in KEYS if environ.get(name, "").strip()), "")


def count_tokens(text: str) -> int:
    """Return an estimate of a text's tokens that is seldom too small, whatever the tokenizer.

    Half a token for an ASCII letter or space, one for other ASCII, 0.75 for a byte of anything
    else. SmolLM2's tokenizer, which was made for English, stays below for every paragraph of
    XQuAD, in twelve languages; Gemma's and XLM-R's need two thirds of it at most.
    docs/decisions/0012-servers-and-judges.md.
    """
    plain = sum(c.isascii() and (c.isalpha() or c == " ") for c in text)
    marks = sum(c.isascii() for c in text) - plain
    others = len(text.encode("utf-8", "replace")) - plain - marks
    return math.ceil(0.5 * plain + marks + 0.75 * others)


class OpenAIGenerator:
    """A Generator over a model of a server; safe to share between threads."""

    def __init__(self, model: str, server: Server, key: str | None = None) -> None:
        """Take the names; no request is made.

        Args:
            model: as the server names it.
            server: where it is.
            key: by default that of the environment; "" sends none.
        Raises:
            ConfigError: the model's name is empty, base_url is no usable address, or the key is
                none.
        """
        if not model:
            raise ConfigError("generator is 'openai:'; expected openai:MODEL, a model's name")
        _check_url(server.base_url)
        self._model = model
        self._server = server
        self._key = key_from(os.environ) if key is None else key
        if not self._key.isascii() or not self._key.isprintable():
            raise ConfigError(
                f"the key in {' or '.join(KEYS)} has characters that no key has; expected"
                " printable ASCII"
            )
        self._refused: frozenset[str] = frozenset()
        self._client = openai.OpenAI(
            # It asks for one even where none is sent, see `_open`.
            api_key=self._key or "none",
            base_url=server.base_url,
            timeout=server.timeout,
            max_retries=server.retries,
        )

    @property
    def name(self) -> str:
        """The model's name, as the user gives it."""
        return SERVER + self._model

    @property
    def max_tokens(self) -> int:
        """The window that the settings give the model: prompt and answer together."""
        return self._server.window

    @property
    def languages(self) -> frozenset[str]:
        """Empty, which means any: a server does not tell."""
        return frozenset()

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return an estimate of the prompt's length; rather too large than too small."""
        return sum(count_tokens(message.content) + _TOKENS_A_MESSAGE for message in messages)

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield the answer's text as it arrives; closing the iterator closes the connection.

        The request is made when the first piece is asked for.

        Returns:
            at its end, whether max_tokens cut the answer off.
        Raises:
            GenerationError: prompt and max_tokens exceed the window; the server can not be
                reached, refuses, fails, answers nothing, or something that is no stream.
        """
        prompt = self.count_tokens(messages)
        if prompt + decoding.max_tokens > self.max_tokens:
            raise GenerationError(
                f"the prompt has some {prompt} tokens and the answer may have"
                f" {decoding.max_tokens}, but the window of {self.name} is set to"
                f" {self.max_tokens}; set openai_window if it is larger, or show less evidence"
            )
        return self._write(self._request(messages, decoding))

    def _request(self, messages: Sequence[Message], decoding: Decoding) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "max_tokens": decoding.max_tokens,
            "temperature": decoding.temperature,
        }
        if decoding.temperature > 0:
            request |= {"seed": decoding.seed, "top_p": decoding.top_p}
        for parameter in self._refused:
            request = _without(request, parameter)
        return request

    def _write(self, request: dict[str, Any]) -> TextStream:
        wrote, ending = False, ""
        try:
            # `with` closes the response however the stream ends, at a yield too.
            with self._open(request) as chunks:
                for chunk in chunks:
                    piece, reason = _read(chunk)
                    ending = reason or ending
                    wrote = wrote or bool(piece.strip())
                    if piece:
                        yield piece
        except openai.OpenAIError as error:
            raise GenerationError(self._explain(error)) from None
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise GenerationError(
                f"what {self._where()} sends is no stream of chat completions"
                f" ({self._quote(error)}); expected server-sent events with JSON: is"
                " openai_base_url right? it usually ends in /v1"
            ) from None
        self._check(wrote, ending)
        return ending == "length"

    def _open(self, request: dict[str, Any]) -> Any:
        """Return the stream of chunks; what the server does not take is left out from now on."""
        # Most local servers know no key.
        headers = None if self._key else {"Authorization": openai.omit}
        while True:
            try:
                return self._client.chat.completions.create(
                    **request, stream=True, extra_headers=headers
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                adapted = _without(request, error.param or "")
                if adapted == request:
                    raise
                logger.info("%s takes no %s", self.name, error.param)
                self._refused |= {str(error.param)}
                request = adapted

    def _check(self, wrote: bool, ending: str) -> None:
        """Raise GenerationError for an answer that is none, or is not whole."""
        if not ending:
            raise GenerationError(
                f"the stream of {self._where()} ended early: without a finish_reason; ask again,"
                " and see whether openai_base_url is right: it usually ends in /v1"
            )
        if ending == "content_filter":
            raise GenerationError(
                f"{self._where()} withheld the answer (finish_reason content_filter); expected"
                " an answer: ask otherwise, or set another generator"
            )
        if not wrote:
            raise GenerationError(
                f"{self._where()} answered nothing (finish_reason {ending}); expected text: a"
                " model that thinks first needs a larger max_answer_tokens"
            )

    def _explain(self, error: openai.OpenAIError) -> str:
        """Return one line: what the server did, what was expected, what to do."""
        said, where = self._quote(error), self._where()
        if isinstance(error, openai.APITimeoutError):
            return (
                f"{where} sent nothing for {self._server.timeout:g} s; expected a piece of the"
                " answer: set a longer openai_timeout, or ask a faster model"
            )
        if isinstance(error, openai.APIConnectionError):
            said = self._quote(error.__cause__ or error)
            return f"{where} can not be reached ({said}); start it, or set openai_base_url"
        if not isinstance(error, openai.APIStatusError):
            return f"{where} failed while it wrote ({said}); ask again, or see the server's log"
        remedies = {
            400: "expected a request that it takes: show less evidence or lower openai_window if"
            " the prompt is too long for it",
            401: "expected a key that it knows: set RAG_OPENAI_API_KEY in the environment",
            403: "expected a key that may use this model: set RAG_OPENAI_API_KEY",
            404: "expected a model that it has: set generator to openai:MODEL, and"
            " openai_base_url, which usually ends in /v1",
            429: f"still so after {self._server.retries} further attempts: wait, set"
            " openai_retries, or see your quota",
        }
        remedy = remedies.get(error.status_code, "ask again later, or see the server's log")
        return f"{where} answers {error.status_code} ({said}); {remedy}"

    def _where(self) -> str:
        return f"{self._model!r} at {self._server.base_url}"

    def _quote(self, error: BaseException) -> str:
        """Return a server's own words on one line, without the key, not too long."""
        body = getattr(error, "body", None)
        if isinstance(body, dict):  # OpenAI's form; FastAPI's, which transformers and vLLM have
            body = body.get("message") or body.get("detail")
        words = body if isinstance(body, str) and body.strip() else str(error)
        line = " ".join(words.split()) or type(error).__name__
        line = line.replace(self._key, "…") if self._key else line
        return line if len(line) <= _LONGEST_REASON else line[:_LONGEST_REASON] + "…"


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        secret = parts.username is not None or parts.password is not None or bool(parts.query)
    except ValueError:
        usable, secret = False, False
    if secret:
        raise ConfigError(
            "openai_base_url holds a user, a password or a query; expected an address alone:"
            f" keys are set in the environment as {KEYS[0]}"
        )
    if not usable:
        raise ConfigError(
            f"openai_base_url is {url!r}; expected an address such as http://127.0.0.1:8000/v1"
        )


def _without(request: dict[str, Any], parameter: str) -> dict[str, Any]:
    """Return the request without a parameter that the server refuses, if there is a way."""
    if parameter == "max_tokens" and parameter in request:
        renamed = {key: value for key, value in request.items() if key != parameter}
        return renamed | {"max_completion_tokens": request[parameter]}
    if parameter in _OPTIONAL:
        return {key: value for key, value in request.items() if key != parameter}
    return request


def _read(chunk: Any) -> tuple[str, str]:
    """Return the text that a chunk adds and its finish_reason; "" stands for none of either.

    Raises:
        TypeError, AttributeError: it is no chunk of a chat completion.
    """
    choices = chunk.choices
    if not isinstance(choices, list):
        raise TypeError("a chunk without choices")
    if not choices:  # a last one may tell the usage alone
        return "", ""
    choice = choices[0]
    content = choice.delta.content if choice.delta else None
    piece, reason = content or "", choice.finish_reason or ""
    if not isinstance(piece, str) or not isinstance(reason, str):
        raise TypeError("a chunk whose content is no text")
    return piece, reason
