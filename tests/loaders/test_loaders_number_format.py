"""What a spreadsheet program shows for a value."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.loaders.number_format import Value, shown

DAY = datetime(2024, 5, 1)
MORNING = datetime(2024, 5, 1, 10, 30)


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (0.1 + 0.2, "General", "0.3"),
        (3.0, "General", "3"),
        (24870895, "", "24870895"),
        (0.125, "0.0%", "12.5%"),
        (0.27, "0%", "27%"),
        (1234.5, "#,##0.00", "1,234.50"),
        (-1234.5, "#,##0.00", "-1,234.50"),
        (-1234.5, "#,##0.00_);(#,##0.00)", "(1,234.50)"),
        (12500, '#,##0 "Ft"', "12,500 Ft"),
        (5, "[$€-407] #,##0.00", "€ 5.00"),
        (1500, r"_-* #,##0.00\ [$Ft-40E]_-;-* #,##0.00", "1,500.00 Ft"),
        (0, '#,##0;-#,##0;"-"', "-"),
        (1234567, '0.0,,"M"', "1.2M"),
        (7, "00000", "00007"),
        (5551234, "000-0000", "555-1234"),
        (0.5, "#.##", ".5"),
        (2.5, "0", "3"),
        (-0.001, "0.00", "0.00"),
        (12345, "0.00E+00", "1.23E+04"),
        (0.25, "# ?/?", "0.25"),
        (5, ";;;", ""),
        (3, '"No. "0', "No. 3"),
        (4, "[>2]0.0;0", "4"),
        (float("inf"), "0", "inf"),
        (True, "0", "TRUE"),
        (False, "General", "FALSE"),
        ("two\n lines", "@", "two lines"),
        (None, "0", ""),
    ],
)
def test_numbers_are_written_as_their_format_says(value: Value, code: str, expected: str) -> None:
    """Percentages, thousands, currencies, sections; what is not understood, as without format."""
    assert shown(value, code) == expected


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (DAY, "mm-dd-yy", "2024-05-01"),
        (DAY, "d-mmm", "2024-05-01"),
        (DAY, "mmm yyyy", "2024-05"),
        (DAY, "yyyy", "2024"),
        (DAY, 'yyyy"年"m"月"d"日"', "2024-05-01"),
        (DAY, "[$-F800]dddd, mmmm dd, yyyy", "2024-05-01"),
        (MORNING, "m/d/yy h:mm", "2024-05-01 10:30"),
        (MORNING, "yyyy-mm-dd hh:mm:ss", "2024-05-01 10:30:00"),
        (MORNING, "h:mm", "10:30"),
        (date(2024, 5, 1), "yyyy-mm-dd", "2024-05-01"),
        (time(10, 30), "h:mm AM/PM", "10:30"),
        (timedelta(hours=30), "[h]:mm:ss", "30:00:00"),
        (-timedelta(minutes=90), "[h]:mm", "-1:30:00"),
    ],
)
def test_dates_are_iso_dates_with_the_parts_that_are_shown(
    value: Value, code: str, expected: str
) -> None:
    """A day that is not shown is not claimed, and no reader takes May for June."""
    assert shown(value, code) == expected


@pytest.mark.slow
@given(
    st.one_of(st.integers(), st.floats(), st.datetimes(), st.timedeltas(), st.text(max_size=5)),
    st.text('0#?.,%;"[]$€-_*\\ /@EeGgeneralyMdhs:年', max_size=15),
)
def test_any_value_in_any_format_is_one_line(value: Value, code: str) -> None:
    """Formats come from the file: none of them stops the reading."""
    assert "\n" not in shown(value, code)


@given(st.integers(-(10**12), 10**12))
def test_grouped_digits_are_the_number(value: int) -> None:
    """Thousands are grouped as Python groups them."""
    assert shown(value, "#,##0") == f"{value:,}"
