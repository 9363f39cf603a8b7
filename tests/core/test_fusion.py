"""Scores that compare across languages, worked by hand."""

from dataclasses import replace

import numpy as np
import pytest

from rag.fusion import (
    LEAST_DEVIATION,
    NO_BACKGROUND,
    OVERLAP_WEIGHT,
    PRIOR,
    SAMPLE,
    background,
    fuse,
    sample_rows,
)


def scores(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return scores as an index does."""
    return np.array(values, dtype=np.float32)


def test_a_cosine_counts_in_deviations_above_its_language() -> None:
    """(cosine − mean of the language) / deviation."""
    ground = replace(NO_BACKGROUND, means={"en": 0.8, "zh": 0.7}, deviation=0.05)
    assert ground.standardise(0.9, "en") == pytest.approx(2.0)
    assert ground.standardise(0.7, "zh") == 0.0


def test_the_mean_is_mixed_with_that_of_neutral_sentences() -> None:
    """By the sizes: a large language is its own measure, a small one is not."""
    reference = {"en": scores(0.5, 0.7), "ru": scores(0.2)}
    found = background({"en": scores(0.9, 0.7)}, {"en": 2}, reference)
    assert found.means["en"] == pytest.approx((0.8 * 2 + 0.6 * PRIOR) / (2 + PRIOR))
    large = background({"en": scores(0.9, 0.7)}, {"en": 1_000_000}, reference)
    assert large.means["en"] == pytest.approx(0.8, abs=1e-4)


def test_a_language_without_neutral_sentences_takes_those_of_all() -> None:
    """Their mean stands in."""
    reference = {"en": scores(0.6), "ru": scores(0.2)}
    found = background({"fi": scores(0.9)}, {"fi": 1}, reference)
    assert found.means["fi"] == pytest.approx((0.9 + 0.4 * PRIOR) / (1 + PRIOR))


def test_the_deviation_is_never_nothing() -> None:
    """Passages that are all alike, or no passages at all."""
    alike = background({"en": scores(0.5, 0.5)}, {"en": 2}, {"en": scores(0.5)})
    assert alike.deviation == LEAST_DEVIATION
    assert background({}, {}, {}) == NO_BACKGROUND


def test_spread_cosines_have_their_own_deviation() -> None:
    """The more the cosines differ, the less a difference counts."""
    near = background({"en": scores(0.4, 0.6)}, {"en": 500}, {"en": scores(0.5)})
    far = background({"en": scores(0.1, 0.9)}, {"en": 500}, {"en": scores(0.5)})
    assert near.deviation == pytest.approx(0.1, rel=0.02)
    assert far.deviation == pytest.approx(0.4, rel=0.02)


def test_overlap_is_added_by_its_weight() -> None:
    """Standardised cosine plus the weight for all of the question's terms."""
    fused = fuse(scores(1.0, 1.0, -2.0), scores(0.0, 0.5, 1.0))
    expected = [1.0, 1.0 + OVERLAP_WEIGHT / 2, -2.0 + OVERLAP_WEIGHT]
    np.testing.assert_allclose(fused, expected, rtol=1e-6)


@pytest.mark.parametrize("count", [1, 2, SAMPLE - 1, SAMPLE, SAMPLE + 1, 2 * SAMPLE, 100_000])
def test_samples_are_spread_over_the_rows(count: int) -> None:
    """At most SAMPLE different rows of the group, at even distances."""
    rows = sample_rows(count)
    assert len(rows) == min(count, SAMPLE) and rows[0] == 0
    assert rows[-1] == count - 1
    steps = np.diff(rows)
    assert len(steps) == 0 or (steps.min() > 0 and steps.max() - steps.min() <= 1)
