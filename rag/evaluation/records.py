"""What the development data holds, one frozen type a set; `rag.evaluation.datasets` reads them.

What a set means by its labels is kept; only where a label is a yes or no is it a bool. Sets
marked NC in their licence serve for measuring alone, never for fitting what ships.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attribution:
    """AttributionBench: is `claim`, a sentence of an answer, supported by `references`?

    `source` is the data set it was gathered from (AttributedQA, ExpertQA …).
    """

    id: str
    question: str
    claim: str
    references: tuple[str, ...]
    attributable: bool
    source: str


@dataclass(frozen=True, slots=True)
class WiceClaim:
    """WiCE: a sentence of Wikipedia against the sentences of a page that it cites.

    Attributes:
        label: supported, partially_supported or not_supported.
        supporting: sets of sentence numbers, each of which an annotator found sufficient.
        context: the claim's paragraph up to it.
    """

    id: str
    claim: str
    evidence: tuple[str, ...]
    label: str
    supporting: tuple[tuple[int, ...], ...]
    context: str

    @property
    def supported(self) -> bool:
        """True for full support only."""
        return self.label == "supported"


@dataclass(frozen=True, slots=True)
class WiceTokens:
    """WiCE: a claim and the stretches of it, claim[start:end], that the evidence lacks."""

    id: str
    claim: str
    unsupported: tuple[tuple[int, int], ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gold:
    """A gold answer: paragraph[start:end] == text."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends, in code points."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Question:
    """XQuAD: a question over a paragraph; the same id in every language."""

    id: str
    text: str
    answers: tuple[Gold, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """XQuAD: a paragraph; the same `id` ("Normans/3") in every language."""

    id: str
    article: str
    text: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class LongAnswer:
    """A long answer with the sentences of the passage that it rests on."""

    text: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clap:
    """CLAP NQ: a question, a passage, and its answers: none where it is unanswerable."""

    id: str
    question: str
    title: str
    passage: str
    sentences: tuple[str, ...]
    answers: tuple[LongAnswer, ...]


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """RGB: passages that give the true answer, a false one, or none. NC.

    Attributes:
        answers: each thing that has to be named, with its spellings, any of which will do.
        false_answers: what the false passages say instead, in the same form.
    """

    id: str
    lang: str
    question: str
    answers: tuple[tuple[str, ...], ...]
    false_answers: tuple[tuple[str, ...], ...]
    true_passages: tuple[str, ...]
    false_passages: tuple[str, ...]
    other_passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attack:
    """BIPIA: an instruction to plant in a document; `kind` is its category."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Mail:
    """BIPIA: an e-mail with a question over it and the answer wanted."""

    context: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Entailment:
    """HuRTE: does the premise entail the hypothesis? Hungarian."""

    id: str
    premise: str
    hypothesis: str
    entailed: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """FaithBench: what an annotator calls summary[start:end], and why."""

    start: int
    end: int
    labels: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Summary:
    """FaithBench: a summary with what people marked in it. NC.

    Labels: Unwanted (Unwanted.Intrinsic, Unwanted.Extrinsic), Questionable, Benign.
    """

    id: str
    source: str
    summary: str
    marks: tuple[Mark, ...]

    @property
    def faithful(self) -> bool:
        """True when nobody marked anything unwanted or questionable."""
        bad = {"Unwanted", "Questionable"}
        return not any(label.split(".")[0] in bad for mark in self.marks for label in mark.labels)


@dataclass(frozen=True, slots=True)
class SeedQuestion:
    """A question over the seed documents; `source` is "" where none has the answer."""

    id: str
    lang: str
    question: str
    answers: tuple[str, ...]
    answerable: bool
    source: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentationQuestion:
    """A question over documentation; `sections` answer it, by their address."""

    id: str
    question: str
    sections: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class ComparedAnswers:
    """RAGChecker: two answers, and how two people compare their correctness.

    `people`: of each, from -2 (the first answer is much better) to 2 (the second is).
    """

    id: str
    source: str
    question: str
    reference: str
    answers: tuple[str, str]
    people: tuple[float, float]
