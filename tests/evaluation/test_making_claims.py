"""Rewording, stating and falsifying sentences by rule, in five languages."""

import re
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation import falsify
from rag.evaluation.negating import denials
from rag.evaluation.paraphrase import join, paraphrase
from rag.evaluation.statements import statements
from rag.evaluation.wording import LANGUAGES, wording


@pytest.mark.parametrize(
    ("sentence", "language", "expected"),
    [
        ("However, it often failed.", "en", "It frequently failed."),
        ("In 1950, the army left the old town.", "en", "The army left the old town in 1950."),
        ("Ada, who lived in London, wrote it.", "en", "Ada wrote it."),
        ("The loss (10.82) fell.", "en", "The loss fell."),
        ('They say "it often fails" here.', "en", 'They say "it often fails" here.'),
        ("In low layers the net was flat, such as here and there.", "en", None),
        ("Etwa zehn Tage (im Mai) regnete es.", "de", "Ungefähr zehn Tage regnete es."),
        ("Однако он часто болел в детстве.", "ru", "Он нередко болел в детстве."),
        ("Azonban csaknem minden kész.", "hu", "Majdnem minden kész."),
        ("因此，它经常失败（2016年），几乎没用。", "zh", "它常常失败，差不多没用。"),
        ("Nothing to change here.", "en", "Nothing to change here."),
    ],
)  # fmt: skip
def test_paraphrase(sentence: str, language: str, expected: str | None) -> None:
    """Asides go, words are exchanged, a lead moves; quotations and lists stay as they are."""
    got = paraphrase(sentence, language)
    if expected is None:  # the words may change, their order not
        assert got.startswith("In low layers")
    else:
        assert got == expected


def test_join() -> None:
    """One full stop, and no capital inside unless it may be a name."""
    assert join("It rained.", "The road flooded.", "en") == "It rained, and the road flooded."
    assert join("It rained.", "London flooded.", "en") == "It rained, and London flooded."
    assert join("下雨了。", "路被淹了。", "zh") == "下雨了，而且路被淹了。"


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables(language: str) -> None:
    """At least 40 synonyms, twelve months; nothing stands for itself, no unit for its own."""
    table = wording(language)
    assert len(table.synonyms) >= 40 and len(table.months) == 12
    for words in (table.synonyms, table.units):
        assert all(word != other and word and other for word, other in words.items())
    if language == "zh":  # without borders of words, none may find itself in what it becomes
        assert not [w for w, other in table.synonyms.items() if other.endswith(w) and w != other
                    and w in ("同时", "多数")]  # fmt: skip


def test_unknown_language() -> None:
    """An error that names what there is."""
    with pytest.raises(ValueError, match="en, zh, ru, de, hu, not 'fr'"):
        wording("fr")


@pytest.mark.parametrize(
    ("question", "answer", "language", "expected"),
    [
        ("Who led the team?", "Ada Byron", "en", "Ada Byron led the team."),
        ("What is the capital of X?", "Y", "en", "The capital of X is Y."),
        ("How many people died in 1466?", "40,000", "en", "40,000 people died in 1466."),
        ("They agreed on what?", "peace", "en", "They agreed on peace."),
        ("Wann begann der Krieg?", "1756", "de", "1756 begann der Krieg."),
        ("Wann begann der Krieg?", "1. Mai 1756", "de", "Am 1. Mai 1756 begann der Krieg."),
        ("Wer gewann?", "Die Broncos", "de", None),
        ("Wer gewann das Spiel?", "die Broncos", "de", "Die Broncos gewann das Spiel."),
        ("Когда началась война?", "1756", "ru", "В 1756 году началась война."),
        ("Кто открыл кислород?", "Шееле", "ru", "Шееле открыл кислород."),
        ("谁发现了氧气？", "舍勒", "zh", "舍勒发现了氧气。"),
        ("法案是哪一年通过的?", "1996", "zh", "法案是1996年通过的。"),
        ("法案是哪一年通过的?", "1996年", "zh", "法案是1996年通过的。"),
        ("What was the plant used for?", "tea", "en", None),
        ("When did it begin?", "1756", "en", None),
        ("Wann begann der Krieg?", "1950er Jahren", "de", None),
        ("他为什么离开，去了哪里？", "北京", "zh", None),
        ("Ki nyerte a meccset?", "Ada", "hu", None),
        ("Who won?", "", "en", None),
    ],
)  # fmt: skip
def test_statements(question: str, answer: str, language: str, expected: str | None) -> None:
    """What asks gives way to the answer; what would need another verb form is left out."""
    assert list(statements(question, answer, language)) == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("sentence", "language", "expected"),
    [
        ("It was built here.", "en", "It was not built here."),
        ("It was not built here.", "en", "It was built here."),
        ("It cannot fly.", "en", "It can fly."),
        ("It was not only big.", "en", None),
        ("It never was not so.", "en", None),
        ("Es ist ein Haus.", "de", "Es ist kein Haus."),
        ("Es wurde hier gebaut.", "de", "Es wurde nicht hier gebaut."),
        ("Das Haus, das gebaut wurde.", "de", None),
        ("Он был первым.", "ru", "Он не был первым."),
        ("Он не был первым.", "ru", "Он был первым."),
        ("Tavaly volt meleg.", "hu", "Tavaly nem volt meleg."),
        ("Tartalék van.", "hu", "Tartalék nincs."),
        ("A modell nem tudja.", "hu", "A modell tudja."),
        ("它是大的。", "zh", "它不是大的。"),
        ("它不是大的。", "zh", "它是大的。"),
        ("但是他来了。", "zh", None),
    ],
)
def test_denials(sentence: str, language: str, expected: str | None) -> None:
    """One negation more or one fewer, or nothing at all."""
    assert list(denials(sentence, language)) == ([expected] if expected else [])


def one(found: object) -> str | None:
    return next(iter(found), None)  # type: ignore[call-overload, no-any-return]


def test_numbers_change_where_they_are_not_bounds() -> None:
    """To what the source lacks; not after "more than", in dates or in names."""
    source = "The Panthers gave up 308 points in 16 games."
    changed = one(falsify.changed_numbers("They gave up 308 points.", "en", source, Random(1)))
    assert changed is not None and re.fullmatch(r"They gave up [2-9]08 points\.", changed)
    for kept in (
        "more than 308 points",
        "aged 65 or more",
        "GPT-3 and H100",
        "on 9 May",
        "in 1999",
    ):
        assert one(falsify.changed_numbers(f"It was {kept}.", "en", source, Random(1))) is None
    grouped = one(falsify.changed_numbers("Es sind 1.345.596 Leute.", "de", "", Random(0)))
    assert grouped is not None and re.fullmatch(r"Es sind [2-9]\.345\.596 Leute\.", grouped)
    words = ("four", "five", "six", "seven", "eight", "nine", "ten")
    word = one(falsify.changed_numbers("It has two halves.", "en", "two three", Random(0)))
    assert word in {f"It has {n} halves." for n in words}


@pytest.mark.parametrize(
    ("claim", "language", "expected"),
    [
        ("It took 5 years.", "en", "It took 5 months."),
        ("a ten-mile road", "en", "a ten-kilometre road"),
        ("at least 5 miles", "en", None),
        ("people aged 65 years", "en", None),
        ("Es sind 10 % des Waldes.", "de", "Es sind 10 ‰ des Waldes."),
        ("8 октября 2015 года", "ru", None),
        ("лица старше 18 лет", "ru", None),
        ("legalább 42 tonna olaj", "hu", None),
        ("Ez 42 tonna olaj.", "hu", "Ez 42 kilogramm olaj."),
        ("他活了70年。", "zh", "他活了70个月。"),
        ("在70年代", "zh", None),
        ("在2016年", "zh", None),
    ],
)
def test_units(claim: str, language: str, expected: str | None) -> None:
    """The unit behind a number changes, bounds and dates do not."""
    assert one(falsify.changed_units(claim, language)) == expected


def test_dates() -> None:
    """Years and months change to what the source lacks; not after "before" or "seit"."""
    claim = "It began in February 1994."
    found = list(falsify.changed_dates(claim, "en", claim, Random(0)))
    assert len(found) == 2 and claim not in found
    assert re.fullmatch(r"It began in February (19|20)\d\d\.", found[0])
    assert re.fullmatch(r"It began in [A-Z][a-z]+ 1994\.", found[1])
    for kept, language in (("before 1994", "en"), ("seit 1994", "de"), ("1994 előtt", "hu"),
                           ("1994年以来", "zh"), ("It may be so", "en")):  # fmt: skip
        assert one(falsify.changed_dates(kept, language, "", Random(0))) is None


def test_names() -> None:
    """Capitals inside a sentence; not its first word, not months."""
    assert falsify.names("The poet Ada Byron met Hume in May.", "en") == ["Ada Byron", "Hume"]
    assert falsify.names("Этот поэт Пушкин жил тут.", "ru") == ["Пушкин"]
    assert falsify.names("Der Dichter und das Haus.", "de") == []
    assert falsify.names("公司Meta发布了模型。", "zh") == ["Meta"]


def test_swapped_entities() -> None:
    """Another name of the type, never one that may be the same person or is a part of a name."""
    swap: Callable[..., list[str]] = lambda *given: list(falsify.swapped_entities(*given))  # noqa: E731
    assert swap("Ada wrote it.", ["Hume"], ["Ada"]) == ["Hume wrote it."]
    assert swap("Ada wrote it.", ["Ada Byron"], ["Ada"]) == []
    assert swap("Ada Byron wrote it.", ["Hume"], ["Ada"]) == []
    assert swap("The BBC said so.", ["British Broadcasting Company"], ["BBC"]) == []
    assert swap("Ada met Hume.", ["Hume"], ["Ada"]) == []


@given(st.text(max_size=80), st.sampled_from(LANGUAGES))
def test_any_text_is_survived(text: str, language: str) -> None:
    """Whatever the sentence, makers return other sentences or nothing."""
    paraphrase(text, language)
    made = [
        *falsify.changed_numbers(text, language, "", Random(0)),
        *falsify.changed_units(text, language),
        *falsify.changed_dates(text, language, "", Random(0)),
        *denials(text, language),
        *falsify.swapped_entities(text, ["Zyx"], falsify.names(text, language)),
    ]
    assert text not in made
    list(statements(text, text, language))
