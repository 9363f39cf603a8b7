"""The suites by name: what each measures, under which licence, and how its cases are read.

A suite reads the folder of public data sets that the user names (`--data`, RAG_TEST_DATA), or the
sample corpus of this repository. A path in place of a name is a data set of the user's own
(`rag.evaluation.formats`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import ConfigError
from rag.evaluation import answer_suites as answers
from rag.evaluation import claim_suites as claims
from rag.evaluation import retrieval_suites as retrieval
from rag.evaluation.cases import AnswerCase, Dataset, QueryCase
from rag.evaluation.formats import read_dataset

ANSWERS, RETRIEVAL, CLAIMS = "answers", "retrieval", "claims"
OWN = "Apache-2.0, written for this project"


@dataclass(frozen=True, slots=True)
class Suite:
    """What can be run by name.

    Attributes:
        kind: ANSWERS, RETRIEVAL or CLAIMS.
        about: one line of what is measured.
        load: the folder of data sets to cases.
        is_own: a data set of the user's, whose path `about` is.
    """

    name: str
    kind: str
    about: str
    licence: str
    load: Callable[[Path], Dataset[Any]]
    is_own: bool = False


_ALL = (
    Suite(
        "corpus", ANSWERS, "56 questions over the sample corpus, en zh ru hu", OWN, answers.corpus
    ),
    Suite(
        "seeds",
        ANSWERS,
        "33 questions over long documents, across languages",
        "third-party texts",
        answers.seeds,
    ),
    Suite(
        "xquad",
        ANSWERS,
        "XQuAD with its paragraph and without, en zh ru de",
        "CC BY-SA 4.0",
        answers.xquad,
    ),
    Suite(
        "clapnq",
        ANSWERS,
        "CLAP NQ: long answers, and questions without one",
        "Apache-2.0",
        answers.clapnq,
    ),
    Suite(
        "rgb",
        ANSWERS,
        "RGB: noise, rejection and false facts, en zh",
        "CC BY-NC-SA 4.0 (NC: measuring only)",
        answers.rgb,
    ),
    Suite("bipia", ANSWERS, "BIPIA: instructions planted in e-mails", "MIT", answers.bipia),
    Suite(
        "anthropic_docs_qa",
        ANSWERS,
        "100 questions over a vendor's documentation",
        "MIT repository, the vendor's text",
        answers.documentation,
    ),
    Suite(
        "xquad-retrieval",
        RETRIEVAL,
        "paragraphs by questions, in and across languages",
        "CC BY-SA 4.0",
        retrieval.xquad,
    ),
    Suite(
        "fastapi-retrieval",
        RETRIEVAL,
        "English pages by the headings of their translations",
        "MIT",
        retrieval.fastapi,
    ),
    Suite(
        "documentation-retrieval",
        RETRIEVAL,
        "sections of a vendor's documentation by questions",
        "MIT repository, the vendor's text",
        retrieval.documentation,
    ),
    Suite(
        "attributionbench",
        CLAIMS,
        "AttributionBench, development part",
        "Apache-2.0",
        claims.attributionbench,
    ),
    Suite(
        "attributionbench-test",
        CLAIMS,
        "AttributionBench, a held-out sample: log each use",
        "Apache-2.0",
        claims.attributionbench_test,
    ),
    Suite(
        "wice",
        CLAIMS,
        "WiCE: claims against cited pages, whole support or not",
        "ODC-BY, CC BY-SA texts",
        claims.wice,
    ),
    Suite(
        "faithbench",
        CLAIMS,
        "FaithBench: summaries with marked hallucinations",
        "CC BY-NC-SA 4.0 (NC: measuring only)",
        claims.faithbench,
    ),
    Suite("hurte", CLAIMS, "HuRTE: entailment in Hungarian", "CC BY-SA 4.0", claims.hurte),
    Suite(
        "perturbation",
        CLAIMS,
        "claims made false by rule, en zh ru hu de",
        "Apache-2.0 and CC BY-SA 4.0 texts",
        claims.perturbed,
    ),
    Suite(
        "perturbation-padded",
        CLAIMS,
        "its test half among 0, 9 and 19 other sources",
        "Apache-2.0 and CC BY-SA 4.0 texts",
        claims.padded,
    ),
    Suite(
        "ragchecker",
        CLAIMS,
        "does our measure of correctness agree with people?",
        "Apache-2.0",
        claims.ragchecker,
    ),
)
EVERY = "all"
"""What names all suites at once."""
SUITES: Mapping[str, Suite] = {suite.name: suite for suite in _ALL}


def chosen(names: Sequence[str]) -> list[Suite]:
    """Return the suites of names and paths; EVERY stands for all.

    Raises:
        ConfigError: a name is none, or one suite is named twice.
    """
    found = [suite(name) for one in names for name in (SUITES if one == EVERY else [one])]
    if len({one.name for one in found}) != len(found):
        raise ConfigError(f"a suite is named twice: {' '.join(names)}")
    return found


def suite(name: str) -> Suite:
    """Return the suite of a name, or one of the data set that lies at a path.

    Raises:
        ConfigError: there is neither; or the data set is not as it should be.
    """
    if name in SUITES:
        return SUITES[name]
    path = Path(name)
    if not path.exists():
        known = ", ".join(SUITES)
        raise ConfigError(
            f"there is no suite and no file {name!r}; expected a path or one of {known}"
        )
    dataset = read_dataset(path)
    first = dataset.cases[0]
    kind = (
        ANSWERS
        if isinstance(first, AnswerCase)
        else RETRIEVAL
        if isinstance(first, QueryCase)
        else CLAIMS
    )
    return Suite(path.resolve().stem, kind, str(path), dataset.licence, lambda data: dataset, True)
