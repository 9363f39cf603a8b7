"""Logistic models that ship as JSON: a few named coefficients."""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Logistic:
    """p = 1 / (1 + exp(−(intercept + Σ coefficient · feature)))."""

    intercept: float
    coefficients: Mapping[str, float]

    def probability(self, features: Mapping[str, float]) -> float:
        """Return the probability; other features than the model's are not looked at.

        Raises:
            KeyError: a feature is missing.
        """
        weighed = (c * features[name] for name, c in self.coefficients.items())
        x = self.intercept + math.fsum(weighed)
        return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))

    @classmethod
    def read(cls, values: object) -> "Logistic":
        """Return the model written as {"intercept": …, "coefficients": {name: …}}.

        Raises:
            ValueError: it is of another form.
        """
        if not isinstance(values, dict) or not isinstance(values.get("coefficients"), dict):
            raise ValueError(f"{values!r} is no logistic model: expected intercept, coefficients")
        numbers = {str(name): float(c) for name, c in values["coefficients"].items()}
        return cls(float(values["intercept"]), numbers)
