"""A long text in stretches that a model can read whole. A pure function."""

from collections.abc import Callable

from rag.sentences import Spans, sentences


def windows(text: str, fits: Callable[[str], bool], language: str = "en") -> Spans:
    """Return spans of text, each of which fits; all but white space of text is in one.

    They are made of whole sentences, as many as fit, and begin with the last sentence of the one
    before where that leaves room for another, so that neighbours are read together. A sentence
    that does not fit is halved until it does.

    Args:
        fits: tells whether a stretch is short enough; of two, the longer never fits alone.
        language: ISO 639-1; decides where sentences end.
    Raises:
        ValueError: not even a single character fits.
    """
    if fits(text):
        return [(0, len(text))] if text.strip() else []
    spans = [
        part for start, end in sentences(text, language) for part in _halved(text, start, end, fits)
    ]

    def together(first: int, last: int) -> bool:
        return fits(text[spans[first][0] : spans[last][1]])

    found: Spans = []
    first = 0
    while first < len(spans):
        last = first
        while last + 1 < len(spans) and together(first, last + 1):
            last += 1
        found.append((spans[first][0], spans[last][1]))
        if last + 1 == len(spans):
            break
        again = last > first and together(last, last + 1)
        first = last if again else last + 1
    return found


def _halved(text: str, start: int, end: int, fits: Callable[[str], bool]) -> Spans:
    """Return start … end in parts that fit, cut at spaces where there are any."""
    if fits(text[start:end]):
        return [(start, end)]
    if end - start < 2:
        raise ValueError(f"a window without room for a single character, {text[start:end]!r}")
    middle = (start + end) // 2
    space = text.rfind(" ", start + 1, middle)
    cut = space if space > start else middle
    return _halved(text, start, cut, fits) + _halved(text, cut, end, fits)
