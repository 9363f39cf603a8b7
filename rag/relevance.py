"""May an answer be given at all? From what was found for a question, before anything is written.

With an embedder that `rag.answerability` was fitted for, by its probability that the passages
answer, and no name is explained that they lack; else by how far the best passage lies above text
that has nothing to do with the question.
docs/decisions/0015-answerability.md and 0009-answers.md.
"""

import re
from dataclasses import dataclass

from rag import answerability
from rag.analysis import terms
from rag.definitions import asked_name, takes_for_known
from rag.evidence import Gathered, explained
from rag.fusion import Retrieval
from rag.types import Reason

# Below this lift the question is on another subject; above, the subject is there, not the answer.
OFF_SUBJECT = 4.0

# What the best passage needs without a fitted model, in deviations. So far above neutral text it is
# on the subject, ...
ON_SUBJECT = 4.8
# ... and less far it may be, if it stands out in the index, terms of the question included.
NEAR_SUBJECT = 2.5
STANDS_OUT = 4.5
STANDS_OUT_ACROSS_LANGUAGES = 2.7
# How often the quotes are a glossary's own entry where a sentence explains the name that is asked
# about (54 of 67; evals/LOG.md). The model is at a loss with two words of which one is a name.
EXPLAINED = 0.8
# Of fewer terms the language is a guess ("citation precision" could be Italian), if not the script.
SURE_OF_LANGUAGE = 4
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_LATIN = re.compile(r"[a-z\u00c0-\u024f]", re.IGNORECASE)
_LETTERS = {
    "zh": re.compile(r"[\u3400-\u9fff]"),
    "ja": re.compile(r"[\u3040-\u30ff\u3400-\u9fff]"),
    "ko": re.compile(r"[\uac00-\ud7a3]"),
    **dict.fromkeys(("ru", "uk", "be", "bg", "sr", "mk"), _CYRILLIC),
}
# Without vectors: the least share of the question's term weight.
LEAST_OVERLAP = 0.3


@dataclass(frozen=True, slots=True)
class Relevance:
    """Whether to answer: `reason` is None, or why not; `note` says it for the trace."""

    reason: Reason | None
    note: str


def judge(
    found: Retrieval, gathered: Gathered, asked_in: str, embedder: str, strictness: float
) -> Relevance:
    """Return whether an answer may be given.

    Args:
        asked_in: ISO 639-1 code of the question's language.
        embedder: name of the embedder that read the hits.
        strictness: least probability that the passages answer, 0 to 1.
    """
    if not found.hits or not gathered.sentences:
        return Relevance(Reason.NOTHING_RELEVANT, "no passage was found")
    model = answerability.load_model()
    if gathered.nearness is None or embedder != model.embedder:
        if _stands_out(found, asked_in):
            return Relevance(None, "a passage stands out")
        return Relevance(Reason.NOTHING_RELEVANT, "no passage is relevant enough")
    crossing, told = across(found, asked_in), explained(found.question, gathered)
    # The model for other languages has seen no question off the subject.
    if crossing and not told and not _stands_out(found, asked_in):
        return Relevance(Reason.NOTHING_RELEVANT, "no passage is relevant enough")
    values = answerability.features(found, gathered)
    probability = answerability.probability(model, values, crossing)
    if told:
        probability = max(probability, EXPLAINED)
    note = f"the passages answer with probability {probability:.2f}; {strictness:.2f} is wanted"
    best = found.hits[0]
    if best.passage.language == asked_in and (name := _unnamed(found)):
        return Relevance(Reason.NOTHING_RELEVANT, f"no passage names {name!r}")
    if probability >= strictness:
        return Relevance(None, note)
    lift = found.background.lift(best.similarity or 0.0, best.passage.language)
    near = lift >= OFF_SUBJECT
    return Relevance(Reason.NOT_ANSWERED if near else Reason.NOTHING_RELEVANT, note)


def across(found: Retrieval, asked_in: str) -> bool:
    """Tell whether the best hit is in another language than the question."""
    written_in = found.hits[0].passage.language
    if written_in == asked_in:
        return False
    letters = _LETTERS.get(written_in, _LATIN)
    return len(found.term_weights) >= SURE_OF_LANGUAGE or not letters.search(found.question)


def _unnamed(found: Retrieval) -> str:
    """Return the name that is to be explained, if no passage has a word of it; else ""."""
    name = "" if takes_for_known(found.question) else asked_name(found.question)
    wanted = set(terms(name))
    shown = (f"{hit.passage.section}\n{hit.passage.text}" for hit in found.hits)
    return name if wanted and all(wanted.isdisjoint(terms(text)) for text in shown) else ""


def _stands_out(found: Retrieval, asked_in: str) -> bool:
    best = found.hits[0]
    if best.similarity is None:
        return max(hit.overlap for hit in found.hits) >= LEAST_OVERLAP
    least = STANDS_OUT_ACROSS_LANGUAGES if across(found, asked_in) else STANDS_OUT
    lift = found.background.lift(best.similarity, best.passage.language)
    return lift >= ON_SUBJECT or (lift >= NEAR_SUBJECT and best.score >= least)
