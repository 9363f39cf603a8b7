"""The shapes in which systems give answers with citations; each line of a file may have its own.

- native: what `rag ask --json` and `/v1/ask` print;
- openai responses, openai chat, openai message: output of the Responses API (file_citation,
  url_citation, container_file_citation), of chat completions (url_citation), and a message of a
  thread (file_citation);
- anthropic: a message whose text blocks carry char_location, page_location or
  content_block_location;
- cohere: citations with start, end and document_ids (v1) or sources (v2);
- plain: {"answer": "… [1]", "sources": ["…"]}, marks counting the sources from 1.

Offsets of answers are taken as code points. docs/evaluation_reports.md says against what each shape
was checked.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rag.evaluation.citing import Location, MalformedAnswer, Reference, Response, Text, joined

Json = Mapping[str, Any]

_MARK = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_BRACKETS = ("(", "[", "【", "〔", "〖")


def recognise(value: Json) -> str:
    """Return the name of a response's shape.

    Raises:
        MalformedAnswer: it has none that is known.
    """
    for name, (fits, _) in _SHAPES.items():
        if fits(value):
            return name
    raise MalformedAnswer(f"has no shape that is known; expected one of: {', '.join(_SHAPES)}")


def read(value: Json) -> Response:
    """Return what a response says; MalformedAnswer where it is not as its shape has it."""
    name = recognise(value)
    try:
        return _SHAPES[name][1](value)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        if isinstance(error, MalformedAnswer):
            raise
        told = f"lacks {error}" if isinstance(error, KeyError) else f"is malformed: {error}"
        raise MalformedAnswer(f"looks like {name}, but {told}") from None


def read_sources(value: object) -> dict[str, Text]:
    """Return sources by every name that they have: id, title, url, place from 0, mark from 1.

    Args:
        value: {id: text}, or a list of texts or of objects: {"id", "text"}, documents of Anthropic
            and Cohere, or {"pages": […]}.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        named = {str(name): _source(one, str(name)) for name, one in value.items()}
        return {**{f"[{name}]": one for name, one in named.items()}, **named}
    if not isinstance(value, list):
        raise MalformedAnswer("has sources that are neither an object nor a list")
    found: dict[str, Text] = {}
    for number, one in enumerate(value):
        source = _source(one, f"source {number + 1}")
        for name in (*_names(one), str(number), f"[{number + 1}]"):
            found.setdefault(name, source)
    return found


def _names(one: object) -> Iterator[str]:
    if isinstance(one, Mapping):
        for key in ("id", "document_id", "file_id", "url", "source", "filename", "title"):
            if isinstance(one.get(key), str) and one[key]:
                yield one[key]


def _source(one: object, label: str) -> Text:
    if isinstance(one, str):
        return Text(one, label=label)
    if not isinstance(one, Mapping):
        raise MalformedAnswer("has a source that is neither a text nor an object")
    label = next((name for name in (one.get("title"), *_names(one)) if name), label)
    for key in ("pages", "blocks"):
        if isinstance(one.get(key), list):
            return joined([str(part) for part in one[key]], label)
    inner = one.get("source") if isinstance(one.get("source"), Mapping) else one.get("data")
    if isinstance(inner, Mapping):
        return _inner(inner, label)
    for key in ("text", "snippet", "content", "contents", "data"):
        if isinstance(one.get(key), str):
            return Text(one[key], label=label)
    raise MalformedAnswer('has a source without a text; expected {"id", "text"}')


def _inner(inner: Json, label: str) -> Text:
    """Return the text of a document block of Anthropic, or of the data of one of Cohere."""
    content = inner.get("content")
    if inner.get("type") == "content" and isinstance(content, list):
        return joined(
            [str(block["text"]) for block in content if block.get("type") == "text"], label
        )
    for key in ("data", "content", "text", "snippet"):
        if isinstance(inner.get(key), str) and inner.get("type") != "base64":
            return Text(inner[key], label=str(inner.get("title") or label))
    raise MalformedAnswer('has a document without a text; give {"pages": […]} of a PDF')


# -- ours ------------------------------------------------------------------------------------


def _native(value: Json) -> Response:
    cited = {one["n"]: one for one in value["citations"]}
    references = []
    for claim in value["claims"]:
        for n in claim["citations"]:
            if n not in cited:
                references.append(Reference(claim["start"], claim["end"], (f"citation {n}",)))
                continue
            one = cited[n]
            keys = tuple(
                str(one[key]) for key in ("document_id", "source", "title") if one.get(key)
            )
            place = Location(one["start"], one["end"]) if "start" in one else None
            references.append(Reference(claim["start"], claim["end"], keys, one["quote"], place))
    text = value["answer"]
    return Response(
        text,
        tuple(references),
        claims=tuple((claim["start"], claim["end"]) for claim in value["claims"]),
        marks=tuple(found.span() for found in _MARK.finditer(text)),
        abstained=bool(value.get("abstained")),
        question=str(value.get("asked") or value.get("question") or ""),
    )


def _plain(value: Json) -> Response:
    text = value["answer"]
    references = [
        Reference(*found.span(), (f"[{n.strip()}]",), marker=True)
        for found in _MARK.finditer(text)
        for n in found[1].split(",")
    ]
    return Response(text, tuple(references), question=str(value.get("question") or ""))


# -- OpenAI ----------------------------------------------------------------------------------


def _responses(value: Json) -> Response:
    text, references, sources = "", list[Reference](), dict[str, Text]()
    refused = False
    for output in value["output"]:
        if output.get("type") == "file_search_call":
            sources |= _searched(output.get("results") or ())
        for part in output.get("content") or () if output.get("type") == "message" else ():
            refused |= part["type"] == "refusal"
            if part["type"] == "output_text":
                references += _annotated(part["text"], part.get("annotations") or (), len(text))
                text += part["text"]
    return Response(text, tuple(references), sources, abstained=refused and not text)


def _searched(results: Sequence[Json]) -> dict[str, Text]:
    """Return the stretches of files that were found, by id and name of the file."""
    found: dict[str, list[str]] = {}
    for result in results:
        for name in {result.get("file_id"), result.get("filename")} - {None}:
            found.setdefault(str(name), []).append(str(result.get("text") or ""))
    return {name: Text("\n".join(parts), label=name) for name, parts in found.items()}


def _chat(value: Json) -> Response:
    message = value["choices"][0]["message"] if "choices" in value else value
    text = message["content"] or ""
    notes = [
        {"type": note["type"], **note.get(note["type"], {})}
        for note in message.get("annotations") or ()
    ]
    return Response(text, tuple(_annotated(text, notes, 0)), abstained=bool(message.get("refusal")))


def _thread(value: Json) -> Response:
    text, references = "", list[Reference]()
    for part in value["content"]:
        if part.get("type") != "text":
            continue
        said = part["text"]["value"]
        notes = [
            {**note, **(note.get("file_citation") or {})} for note in part["text"]["annotations"]
        ]
        references += _annotated(said, notes, len(text))
        text += said
    return Response(text, tuple(references))


def _annotated(text: str, notes: Sequence[Json], shift: int) -> Iterator[Reference]:
    for note in notes:
        kind = note["type"]
        if kind == "file_path":
            continue  # a file that was made, nothing that is cited
        if kind not in ("file_citation", "url_citation", "container_file_citation"):
            raise MalformedAnswer(f"has an annotation of type {kind!r}, which is not known")
        keys = tuple(str(note[k]) for k in ("file_id", "url", "filename", "title") if note.get(k))
        if not keys:
            raise MalformedAnswer(f"has a {kind} that names no source")
        start = note["start_index"] if "start_index" in note else note["index"]
        end = note.get("end_index", start)
        if not 0 <= start <= end:
            raise MalformedAnswer(f"has a {kind} from {start} to {end}")
        place = start + shift, end + shift
        yield Reference(*place, keys, note.get("quote"), marker=_is_mark(text[start:end]))


def _is_mark(said: str) -> bool:
    """Tell whether annotated words name a source and are no part of what is said."""
    return said.strip().startswith(_BRACKETS) or "://" in said


# -- Anthropic -------------------------------------------------------------------------------


def _anthropic(value: Json) -> Response:
    text, references = "", list[Reference]()
    for block in value["content"]:
        if block["type"] != "text":
            continue
        start = len(text)
        text += block["text"]
        references += [_located(one, start, len(text)) for one in block.get("citations") or ()]
    return Response(text, tuple(references), abstained=value.get("stop_reason") == "refusal")


def _located(one: Json, start: int, end: int) -> Reference:
    kind = one["type"]
    keys = tuple(
        str(key)
        for key in (one.get("document_index"), one.get("document_title"))
        if key is not None
    )
    if kind == "char_location":
        place = Location(one["start_char_index"], one["end_char_index"])
    elif kind == "page_location":  # pages count from 1, the end is not included
        place = Location(one["start_page_number"] - 1, one["end_page_number"] - 1, parts=True)
    elif kind == "content_block_location":
        place = Location(one["start_block_index"], one["end_block_index"], parts=True)
    else:
        raise MalformedAnswer(f"has a citation of type {kind!r}, which is not known")
    return Reference(start, end, keys, one["cited_text"], place)


# -- Cohere ----------------------------------------------------------------------------------


def _cohere(value: Json) -> Response:
    message = value.get("message")
    if isinstance(message, Mapping):
        parts = [part["text"] for part in message["content"] if part.get("type") == "text"]
        text, given = "".join(parts), message.get("citations") or ()
    else:
        text, given = value["text"], value.get("citations") or ()
    sources = read_sources(value.get("documents"))
    references = []
    for one in given:
        start, end = _placed(text, one)
        if "document_ids" in one:
            names = [str(name) for name in one["document_ids"]]
        else:
            sources |= _carried(one["sources"])
            names = [str(source["id"]) for source in one["sources"]]
        references += [Reference(start, end, (name,)) for name in names]
    return Response(text, tuple(references), sources)


def _carried(given: Sequence[Json]) -> dict[str, Text]:
    """Return the documents that came with a citation, by their ids."""
    return {
        str(one["id"]): _source({**one["document"], "id": one["id"]}, str(one["id"]))
        for one in given
        if isinstance(one.get("document"), Mapping)
    }


def _placed(text: str, one: Json) -> tuple[int, int]:
    """Return where a citation's words stand: as it says, else where they are found alone."""
    start, end, said = one["start"], one["end"], one.get("text")
    if not isinstance(said, str) or text[start:end] == said:
        return start, end
    if text.count(said) == 1:
        return text.index(said), text.index(said) + len(said)
    raise MalformedAnswer(f"has a citation of {said!r}, which does not stand at {start}")


_Shape = tuple[Callable[[Json], bool], Callable[[Json], Response]]


def _list_of(value: Json, key: str, inside: str) -> bool:
    found = value.get(key)
    return isinstance(found, list) and any(isinstance(o, Mapping) and inside in o for o in found)


def _is_thread(value: Json) -> bool:
    content = value.get("content")
    return isinstance(content, list) and any(
        isinstance(p, Mapping) and isinstance(p.get("text"), Mapping) for p in content
    )


def _is_cohere(value: Json) -> bool:
    message = value.get("message")
    inner = isinstance(message, Mapping) and isinstance(message.get("content"), list)
    return inner or (isinstance(value.get("text"), str) and "citations" in value)


_SHAPES: Mapping[str, _Shape] = {
    "native": (lambda v: isinstance(v.get("answer"), str) and "claims" in v, _native),
    "openai responses": (lambda v: isinstance(v.get("output"), list), _responses),
    "openai chat": (
        lambda v: _list_of(v, "choices", "message") or isinstance(v.get("content"), str),
        _chat,
    ),
    "openai message": (_is_thread, _thread),
    "anthropic": (lambda v: _list_of(v, "content", "type"), _anthropic),
    "cohere": (_is_cohere, _cohere),
    "plain": (lambda v: isinstance(v.get("answer"), str), _plain),
}
