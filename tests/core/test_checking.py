"""Claims against their sources: what is supported, what is denied, and the words that decide."""

import itertools
import threading
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import checking
from rag.checking import Checked, Checker
from rag.protocols import TokenVectors
from rag.testing import HashEmbedder
from rag.types import Judgement, Verdict
from tests.support_models import support_model

BRIDGE = (
    "The bridge over the Danube is 1,600 metres long. It was built in 1994 by workers of the city."
    " It carries two tracks."
)
SOURCES = (
    BRIDGE,
    "The cat drinks cold milk every morning. Dogs sleep in the garden.",
    "Saturn has rings made of ice and rock. It has many moons, most of them small.",
    "Risotto needs broth, which is added slowly. Stir it all the time. Serve it warm.",
)
BY_TERMS = Checker(None, support_model())
BY_MEANING = Checker(HashEmbedder(), support_model("hash"))
CHECKERS = pytest.mark.parametrize("checker", [BY_TERMS, BY_MEANING], ids=["terms", "meaning"])
VERBATIM = [
    (BRIDGE, "The bridge over the Danube is 1,600 metres long."),
    ("Die Katze trinkt jeden Morgen kalte Milch. Der Hund schläft.", "Der Hund schläft."),
    ("猫每天早上喝冷牛奶。狗在花园里睡觉。", "狗在花园里睡觉。"),
    ("Кошка каждое утро пьёт холодное молоко. Собака спит в саду.", "Собака спит в саду."),
    ("A macska minden reggel hideg tejet iszik. A kutya alszik.", "A kutya alszik."),
]
NUMBERS = [
    (BRIDGE, "The bridge over the Danube is 1,700 metres long."),
    (BRIDGE, "It was built in 1995 by workers of the city."),
    ("Die Brücke ist 1.600 Meter lang.", "Die Brücke ist 1.700 Meter lang."),
    ("这座桥长1600米。", "这座桥长1700米。"),
    ("Мост построен в 1994 году рабочими города.", "Мост построен в 1995 году рабочими города."),
    ("A híd 1994-ben épült a folyó fölé.", "A híd 1995-ben épült a folyó fölé."),
]
NEGATIONS = [
    (BRIDGE, "The bridge over the Danube is not 1,600 metres long."),
    ("The cat never drinks cold milk.", "The cat drinks cold milk."),
    ("Die Katze trinkt kalte Milch.", "Die Katze trinkt keine kalte Milch."),
    ("Кошка пьёт холодное молоко.", "Кошка не пьёт холодное молоко."),
    ("A macska hideg tejet iszik.", "A macska nem iszik hideg tejet."),
]


ENGLISH = {
    "кошка": "cat", "каждое": "every", "утро": "morning", "пьёт": "drinks",
    "холодное": "cold", "молоко": "milk",
}  # fmt: skip


class Bilingual(HashEmbedder):
    """Reads some words of other languages as it does their English ones."""

    name = "bilingual"

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return a vector for each word of each text, that of its translation."""
        found = []
        for text, tokens in zip(texts, super().embed_tokens(texts), strict=True):
            words = [text[start:end].lower() for start, end in tokens.spans.tolist()]
            vectors = self.embed_queries([ENGLISH.get(word, word) for word in words])
            found.append(TokenVectors(tokens.spans, vectors))
        return found


def well_formed(checked: Checked, sources: Sequence[str]) -> bool:
    """Tell whether a result keeps what `Checked` promises."""
    for span in checked.evidence:
        assert sources[span.source][span.start : span.end] == span.quote != ""
    assert list(checked.evidence) == sorted(checked.evidence, key=lambda e: (e.source, e.start))
    assert 0 <= checked.score <= 1 and 0 <= checked.meaning <= 1
    supported = checked.score >= BY_TERMS.model.supported and checked.exact.passed
    assert (checked.verdict is Verdict.SUPPORTED) is supported
    return True


# -- verdicts -----------------------------------------------------------------------------------


@pytest.mark.slow
@CHECKERS
@pytest.mark.parametrize(("source", "claim"), VERBATIM)
def test_a_copied_sentence_is_supported(checker: Checker, source: str, claim: str) -> None:
    """And it is its own evidence, in five languages."""
    checked = checker.check(claim, [source])
    assert checked.verdict is Verdict.SUPPORTED and checked.exact.verbatim
    assert claim in [span.quote for span in checked.evidence]
    assert not checked.across and well_formed(checked, [source])


@CHECKERS
@pytest.mark.parametrize(("source", "claim"), NUMBERS)
def test_a_missing_number_is_never_supported(checker: Checker, source: str, claim: str) -> None:
    """However much else agrees, and the number is named."""
    checked = checker.check(claim, [source])
    assert checked.verdict is not Verdict.SUPPORTED
    assert checked.score < checker.model.supported
    missing = checked.exact.missing_numbers + checked.exact.missing_dates
    assert missing and all(claim[found.start : found.end] == found.text for found in missing)


@pytest.mark.parametrize(("source", "claim"), VERBATIM)
def test_the_model_that_ships_keeps_to_the_gates(source: str, claim: str) -> None:
    """Without an embedder too: copies stand, other numbers and negations do not."""
    checker = Checker(None)
    assert checker.check(claim, [source]).verdict is Verdict.SUPPORTED
    for other, false in (*NUMBERS, *NEGATIONS):
        assert checker.check(false, [other]).verdict is not Verdict.SUPPORTED


def test_another_number_in_its_place_contradicts() -> None:
    """The sources have 1,600 where the claim has 1,700."""
    checked = BY_TERMS.check("The bridge over the Danube is 1,700 metres long.", [BRIDGE])
    assert checked.verdict is Verdict.CONTRADICTED
    assert [each.evidence.text for each in checked.exact.conflicting_numbers] == ["1,600 metres"]


@pytest.mark.parametrize(("source", "claim"), NEGATIONS)
def test_a_negation_on_one_side_contradicts(source: str, claim: str) -> None:
    """On either side, in four languages."""
    checked = BY_TERMS.check(claim, [source])
    assert checked.verdict is Verdict.CONTRADICTED and checked.exact.negation


@CHECKERS
@pytest.mark.parametrize("claim", ["Whales sing under water.", "鲸鱼在水下唱歌。", "Киты поют."])
def test_another_subject_is_unsupported(checker: Checker, claim: str) -> None:
    """Sharing nothing with any source."""
    checked = checker.check(claim, SOURCES)
    assert checked.verdict is Verdict.UNSUPPORTED and well_formed(checked, SOURCES)


def test_a_claim_may_rest_on_several_sources() -> None:
    """Evidence comes from both, in their order."""
    sources = ["The bridge over the Danube is long.", "The bridge was painted green by Anna Kis."]
    checked = BY_TERMS.check("Anna Kis painted the long bridge over the Danube green.", sources)
    assert [span.source for span in checked.evidence] == [0, 1]


@CHECKERS
@pytest.mark.parametrize(
    ("claim", "sources"),
    [
        ("It was built in 1994.", []),
        ("It was built in 1994.", ["", " \n\t", "\u3000"]),
        ("", [BRIDGE]),
        ("", []),
        (" …! ", [BRIDGE]),
    ],
)
def test_nothing_to_compare_is_unsupported(
    checker: Checker, claim: str, sources: list[str]
) -> None:
    """No source, empty ones, no claim: score 0, no evidence, no error."""
    checked = checker.check(claim, sources)
    assert (checked.verdict, checked.score) == (Verdict.UNSUPPORTED, 0.0)
    assert checked.evidence == () and not checked.exact.verbatim
    assert bool(checked.exact.missing_dates) is ("1994" in claim)


def test_empty_sources_beside_others_count_for_nothing() -> None:
    """Evidence still names the place of its source in the whole list."""
    alone = BY_TERMS.check("Dogs sleep in the garden.", [SOURCES[1]])
    among = BY_TERMS.check("Dogs sleep in the garden.", ["", SOURCES[1], " "])
    assert [span.source for span in among.evidence] == [1]
    assert (among.verdict, among.score) == (alone.verdict, alone.score)


@pytest.mark.slow
@CHECKERS
@pytest.mark.parametrize(
    "claim",
    [
        "The cat drinks cold milk every morning.",
        "The bridge over the Danube was built in 1994.",
        "The bridge over the Danube is 1,700 metres long.",
        "Saturn has no rings made of ice and rock.",
        "Stir the broth for Saturn.",
    ],
)
def test_the_order_of_sources_is_irrelevant(checker: Checker, claim: str) -> None:
    """All orders of four sources give one verdict, and the same quotes."""
    found = {
        (checked.verdict, frozenset(span.quote for span in checked.evidence))
        for order in itertools.permutations(SOURCES)
        for checked in [checker.check(claim, order)]
    }
    assert len(found) == 1


# -- languages ----------------------------------------------------------------------------------


def test_a_claim_in_another_language_is_weighed_by_meaning() -> None:
    """An embedder that knows both languages supports it; by terms alone nothing is known."""
    source = "Собака спит в саду. Кошка каждое утро пьёт холодное молоко. Дети играют во дворе."
    claim = "The cat drinks cold milk every morning."
    checked = Checker(Bilingual(), support_model("bilingual")).check(claim, [source])
    assert checked.across and checked.verdict is Verdict.SUPPORTED
    (span,) = checked.evidence
    assert span.quote == "Кошка каждое утро пьёт холодное молоко."
    assert BY_TERMS.check(claim, [source]).verdict is Verdict.UNSUPPORTED


def test_numbers_count_across_languages() -> None:
    """The meaning agrees, the number does not."""
    checker = Checker(Bilingual(), support_model("bilingual"))
    source = "Кошка каждое утро пьёт холодное молоко, 3 литра."
    checked = checker.check("The cat drinks cold milk every morning, 4 litres.", [source])
    assert checked.across and checked.verdict is not Verdict.SUPPORTED
    assert [found.text for found in checked.exact.missing_numbers] == ["4 litres"]


def test_an_embedder_that_the_model_was_not_fitted_with_is_not_asked() -> None:
    """Its cosines would mean something else: only terms count."""

    class Untouchable(HashEmbedder):
        def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
            raise AssertionError

    checker = Checker(Untouchable(), support_model("another"))
    for claim in ("The cat drinks cold milk.", "Кошка пьёт молоко."):
        assert checker.check(claim, SOURCES) == BY_TERMS.check(claim, SOURCES)


# -- long and odd -------------------------------------------------------------------------------


@pytest.mark.slow
@CHECKERS
def test_what_stands_at_the_end_of_a_long_source_is_found(checker: Checker) -> None:
    """Of many sentences only the likeliest are embedded, but all are read."""
    filler = " ".join(f"Entry {n} tells of rivers and fields." for n in range(400))
    claim = "The bridge over the Danube is 1600 metres long."
    long = f"{filler} {BRIDGE}"
    checked = checker.check(claim, [long])
    assert checked.verdict is Verdict.SUPPORTED and well_formed(checked, [long])
    assert checked.evidence[0].start == len(filler) + 1
    assert checked.score == pytest.approx(checker.check(claim, [BRIDGE]).score, abs=0.02)


@pytest.mark.slow
@CHECKERS
def test_a_claim_longer_than_the_embedders_window_is_checked_whole(checker: Checker) -> None:
    """1,200 words: supported by themselves, and not when the last ones are others."""
    claim = ", ".join(f"word{n} stands here" for n in range(400))
    assert checker.check(f"{claim}.", [f"{claim}."]).verdict is Verdict.SUPPORTED
    changed = checker.check(f"{claim}, and whales sing.", ["Fish swim under water."])
    assert changed.verdict is Verdict.UNSUPPORTED


@pytest.mark.slow
@pytest.mark.parametrize("run", ["a", "1", "a1", "1 ", " ", "\n", "猫", "("])
def test_long_runs_of_one_thing_take_no_time(run: str) -> None:
    """A second or two for 20,000 characters; by their square it would be many."""
    began = time.monotonic()
    source = f"{run * (20_000 // len(run))}. {BRIDGE}"
    checked = BY_TERMS.check("The bridge over the Danube is 1600 metres long.", [source])
    assert time.monotonic() - began < 10
    assert well_formed(checked, [source])


ODD = st.text(
    st.sampled_from("aé1,. \n\t\u2028\x00猫Яى۵²\U0001f600\u0301\u200d-–'\"()[]%"), max_size=60
)
TOLD = st.lists(
    st.sampled_from([*BRIDGE.split(), "not", "猫喝牛奶。", "кошка", "…", "\n"]), max_size=25
)
TEXTS = st.one_of(st.text(max_size=60), ODD, TOLD.map(" ".join))


@pytest.mark.slow
@settings(deadline=None)
@given(TEXTS, st.lists(TEXTS, max_size=4))
def test_any_texts_can_be_checked(claim: str, sources: list[str]) -> None:
    """Evidence is the source's own text, and scores say what verdicts say."""
    assert well_formed(BY_TERMS.check(claim, sources), sources)
    assert well_formed(BY_MEANING.check(claim, sources), sources)


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.sampled_from([s for source in SOURCES for s in source.split(". ")]), st.permutations(SOURCES)
)
def test_copies_are_supported_whatever_stands_around(claim: str, sources: list[str]) -> None:
    """A sentence of one of the sources, in any order of them."""
    checked = BY_TERMS.check(claim, sources)
    assert checked.verdict is Verdict.SUPPORTED and well_formed(checked, sources)


# -- as a part ----------------------------------------------------------------------------------


def test_it_judges_pairs_as_a_verifier() -> None:
    """One judgement a pair, in order, the same as a check against one source."""
    pairs = [*VERBATIM, *NUMBERS]
    expected = [BY_TERMS.check(claim, [source]) for source, claim in pairs]
    assert BY_TERMS.judge(pairs) == [Judgement(each.verdict, each.score) for each in expected]
    assert BY_TERMS.judge([]) == []


def test_sources_are_read_once_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """For claims in a row; beyond so many characters the oldest reading is forgotten."""
    made: list[str] = []

    def read(source: str) -> object:
        made.append(source)
        return original(source)

    original = checking._read
    monkeypatch.setattr(checking, "_read", read)
    monkeypatch.setattr(checking, "REMEMBERED_CHARACTERS", len(SOURCES[0]) + len(SOURCES[2]))
    checker = Checker(None, support_model())
    for source in (0, 0, 1, 0, 2, 0, 1):
        checker.check("The cat drinks.", [SOURCES[source]])
    assert made == [SOURCES[0], SOURCES[1], SOURCES[2], SOURCES[1]]
    monkeypatch.setattr(checking, "REMEMBERED_CHARACTERS", 1)
    assert checker.check("The cat drinks.", SOURCES) == BY_TERMS.check("The cat drinks.", SOURCES)


@pytest.mark.slow
def test_threads_may_share_a_checker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gets what it would get alone, though readings are forgotten all the time."""
    monkeypatch.setattr(checking, "REMEMBERED", 2)
    checker = Checker(HashEmbedder(), support_model("hash"))
    expected = [BY_MEANING.check(claim, [source]) for source, claim in VERBATIM + NUMBERS]
    found: list[list[Checked]] = []

    def work() -> None:
        for _ in range(5):
            found.append([checker.check(claim, [source]) for source, claim in VERBATIM + NUMBERS])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 20
