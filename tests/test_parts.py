"""Long documents in parts."""

from hypothesis import given
from hypothesis import strategies as st

from rag.parts import parts
from rag.types import Heading, Parsed

WORDS = st.lists(
    st.sampled_from(["word ", "字字", "\n", "\n\n", "# A\n", "## B\n", "a much longer word "])
)


def parsed(text: str) -> Parsed:
    """Return a document whose headings are the lines that begin with #."""
    headings, at = [], 0
    for line in text.splitlines(keepends=True):
        if line.startswith("#"):
            headings.append(Heading(at, line.count("#"), line.strip("# \n")))
        at += len(line)
    return Parsed(text, "t", tuple(headings))


def path_at(document: Parsed, at: int) -> list[str]:
    """Return the headings that a character is under."""
    stack: list[Heading] = []
    for heading in document.headings:
        if heading.start <= at:
            stack = [h for h in stack if h.level < heading.level] + [heading]
    return [heading.title for heading in stack]


@given(WORDS, st.integers(1, 40))
def test_parts_are_the_document(words: list[str], size: int) -> None:
    """Joined they are its text, each is at most twice the size, and under the same headings."""
    whole = parsed("".join(words))
    found = list(parts(whole, size))
    assert "".join(part.text for _, part in found) == whole.text
    assert [offset for offset, _ in found] == [
        sum(len(part.text) for _, part in found[:i]) for i in range(len(found))
    ]
    for offset, part in found:
        assert 0 < len(part.text) <= 2 * size
        for at in range(len(part.text)):
            assert path_at(part, at) == path_at(whole, offset + at)


def test_a_short_document_is_one_part() -> None:
    """It is not copied."""
    whole = parsed("# A\n\ntext")
    ((offset, part),) = parts(whole)
    assert offset == 0
    assert part.text is whole.text
    assert part.headings == whole.headings


def test_a_part_ends_before_a_heading_or_after_a_paragraph() -> None:
    """What is read together stays together."""
    text = "one two six\n\nthree four five\n# B\n" + "word " * 20
    assert (
        next(part.text for _, part in parts(parsed(text), 32)) == "one two six\n\nthree four five\n"
    )
    plain = text.replace("# B", "B")
    assert next(part.text for _, part in parts(parsed(plain), 18)) == "one two six\n\n"
