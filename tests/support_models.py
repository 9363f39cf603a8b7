"""Models of support made by hand, so that no test hangs on what was fitted last."""

from rag.logistic import Logistic
from rag.support import SupportModel

# By terms: the window must hold nearly all of the claim. By meaning: nearness alone.
BY_TERMS = Logistic(-8.0, {"coverage_window": 10.0, "order": 1.0})
BY_NEARNESS = Logistic(-6.0, {"near_window": 10.0})


def support_model(embedder: str = "intfloat/multilingual-e5-small") -> SupportModel:
    """Return a model for an embedder of this name; at least 0.7 is supported, 0.3 partial."""
    return SupportModel(BY_TERMS, BY_NEARNESS, BY_TERMS, embedder, supported=0.7, partial=0.3)
