"""Dates in five languages, whole and partial."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.dates import Date, dates

# Patterns are compiled on first use, which can take longer than hypothesis allows.
patient = settings(deadline=None)


def parts(text: str) -> list[tuple[int, int, int]]:
    return [(date.year, date.month, date.day) for date in dates(text)]


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-05",
        "2024/3/5",
        "March 5, 2024",
        "Mar. 5, 2024",
        "5 March 2024",
        "the 5th of March 2024",
        "2024年3月5日",
        "２０２４年３月５日",
        "二〇二四年三月五日",
        "5 марта 2024 г.",
        "5 марта 2024 года",
        "05.03.2024",
        "2024. március 5.",
        "2024. március 5-én",
        "2024.03.05.",
        "5. März 2024",
        "am 5. März 2024",
    ],
)
def test_one_day_in_many_spellings(text: str) -> None:
    """Every spelling of the day is that one date."""
    assert parts(text) == [(2024, 3, 5)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in March 2024", (2024, 3, 0)),
        ("im März 2024", (2024, 3, 0)),
        ("в марте 2024 года", (2024, 3, 0)),
        ("2024 márciusában", (2024, 3, 0)),
        ("2024年3月", (2024, 3, 0)),
        ("in 2024", (2024, 0, 0)),
        ("2024年", (2024, 0, 0)),
        ("в 2024 году", (2024, 0, 0)),
        ("2024-ben", (2024, 0, 0)),
        ("(2024)", (2024, 0, 0)),
        ("on March 5", (0, 3, 5)),
        ("3月5日", (0, 3, 5)),
        ("5-го марта", (0, 3, 5)),
        ("március 5-én", (0, 3, 5)),
        ("in January", (0, 1, 0)),
        ("you may march", None),
        ("1500 people", None),
        ("5个月", None),
        ("version 3.11.7", None),
        ("2024-13-45", None),
    ],
)
def test_partial_dates(text: str, expected: tuple[int, int, int] | None) -> None:
    """What a date does not say is 0; what is no date is none."""
    assert parts(text) == ([expected] if expected else [])


def test_day_and_month_in_either_order() -> None:
    """3/5/2024 is both of its readings, at one place."""
    assert sorted(parts("3/5/2024")) == [(2024, 3, 5), (2024, 5, 3)]
    assert len({(date.start, date.end) for date in dates("3/5/2024")}) == 1


def test_a_fuller_date_implies_its_parts() -> None:
    """A day implies its month and year, not the other way round."""
    day, month, year = Date(2024, 3, 5, 0, 1), Date(2024, 3, 0, 0, 1), Date(2024, 0, 0, 0, 1)
    assert month.implied_by(day) and year.implied_by(day) and year.implied_by(month)
    assert not day.implied_by(month)
    assert not Date(2023, 0, 0, 0, 1).implied_by(day)


FORMS = [
    "{y}-{m:02}-{d:02}",
    "{d}.{m}.{y}",
    "{y}年{m}月{d}日",
    "{en} {d}, {y}",
    "{d}. {de} {y}",
    "{d} {ru} {y} г.",
    "{y}. {hu} {d}.",
]
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "hu": "január február március április május június július augusztus szeptember október "
    "november december",
}


@patient
@given(
    y=st.integers(1000, 2099),
    m=st.integers(1, 12),
    d=st.integers(1, 28),
    form=st.sampled_from(FORMS),
)
def test_every_day_in_every_form(y: int, m: int, d: int, form: str) -> None:
    """Any day of any month is read from the usual form of each language."""
    names = {language: months.split()[m - 1] for language, months in MONTHS.items()}
    assert (y, m, d) in parts(form.format(y=y, m=m, d=d, **names))


@patient
@given(st.one_of(st.text(), st.text(st.sampled_from("0123456789./-年月日MarchмартаIX 五, "))))
def test_offsets_lie_in_the_text(text: str) -> None:
    """Dates of any text lie in it and overlap only as readings of one place."""
    spans = sorted({(date.start, date.end) for date in dates(text)})
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
