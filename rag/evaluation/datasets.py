"""The development data, read into the types of `rag.evaluation.records`.

Each function takes the folder of all sets, which the variable RAG_TEST_DATA names, and reads
one set of it: the whole of it or an error, never a part.
"""

import ast
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.errors import ConfigError
from rag.evaluation import records as r

FAITHBENCH_BATCHES = range(1, 9)
DOCUMENTATION_ANCHORS = "the vendor's own: recall .66 to .71, MRR .74 to .87, answers 71% to 81%"


def attributionbench(folder: Path, part: str = "dev") -> list[r.Attribution]:
    """Return a part of AttributionBench: dev or test_id_500."""
    labels = {"attributable": True, "not attributable": False}
    with _reading(folder / "attributionbench" / f"{part}.jsonl") as path:
        return [
            r.Attribution(
                id=row["id"],
                question=row["question"] or "",
                claim=row["claim"],
                references=_listed(row["references"]),
                attributable=labels[row["attribution_label"]],
                source=row["src_dataset"],
            )
            for row in _lines(path)
        ]


def _listed(references: list[str] | str) -> tuple[str, ...]:
    """Return the references, which some releases write as a string holding a Python list."""
    found = ast.literal_eval(references) if isinstance(references, str) else references
    return tuple(found)


def wice(folder: Path, part: str = "claim_dev") -> list[r.WiceClaim]:
    """Return a part of WiCE: claim_dev, or oracle_claim_dev with the evidence cut to chunks.

    Chunks of one claim share its id; they name no supporting sentences.
    """
    with _reading(folder / "wice" / f"{part}.jsonl") as path:
        return [
            r.WiceClaim(
                id=row["meta"]["id"],
                claim=row["claim"],
                evidence=tuple(row["evidence"]),
                label=row["label"],
                supporting=tuple(map(tuple, row.get("supporting_sentences", ()))),
                context=row["meta"].get("claim_context", ""),
            )
            for row in _lines(path)
        ]


def wice_tokens(folder: Path, part: str = "dev") -> list[r.WiceTokens]:
    """Return claims of WiCE, partly supported, with what is not supported marked: dev, train."""
    with _reading(folder / "wice" / f"non_supported_tokens_{part}.jsonl") as path:
        return [
            r.WiceTokens(
                id=row["meta"]["id"],
                claim=row["claim"],
                unsupported=tuple(
                    span
                    for span, bad in zip(
                        _located(row["claim"], row["claim_tokens"]),
                        row["non_supported_spans"],
                        strict=True,
                    )
                    if bad
                ),
                evidence=tuple(row["evidence"]),
            )
            for row in _lines(path)
        ]


def _located(text: str, tokens: list[str]) -> Iterator[tuple[int, int]]:
    at = 0
    for token in tokens:
        at = text.index(token, at)
        yield at, at + len(token)
        at += len(token)


def xquad(folder: Path, language: str) -> list[r.Paragraph]:
    """Return the paragraphs of XQuAD in a language, in the order all languages share."""
    with _reading(folder / "xquad" / f"xquad.{language}.json") as path:
        return [
            r.Paragraph(
                id=f"{article['title']}/{number}",
                article=article["title"],
                text=paragraph["context"],
                questions=tuple(_question(paragraph["context"], qa) for qa in paragraph["qas"]),
            )
            for article in _whole(path)["data"]
            for number, paragraph in enumerate(article["paragraphs"])
        ]


def _question(context: str, qa: dict[str, Any]) -> r.Question:
    answers = tuple(r.Gold(answer["text"], answer["answer_start"]) for answer in qa["answers"])
    for gold in answers:
        if context[gold.start : gold.end] != gold.text:
            raise ValueError(f"question {qa['id']}: {gold.text!r} is not at {gold.start}")
    return r.Question(qa["id"], qa["question"], answers)


def clapnq(folder: Path, *, answerable: bool) -> list[r.Clap]:
    """Return CLAP NQ's questions that their passage answers, or those that it does not."""
    name = "dev_answerable_a" if answerable else "dev_unanswerable_a"
    with _reading(folder / "clapnq" / f"{name}.jsonl") as path:
        return [
            r.Clap(
                id=row["id"],
                question=row["input"],
                title=passage["title"],
                passage=passage["text"],
                sentences=tuple(passage["sentences"]),
                answers=tuple(
                    r.LongAnswer(one["answer"], tuple(one["selected_sentences"]))
                    for one in row["output"]
                    if one["answer"]
                ),
            )
            for row in _lines(path)
            for passage in row["passages"]
        ]


def rgb(folder: Path, language: str) -> list[r.Counterfactual]:
    """Return RGB's counterfactual questions: en or zh."""
    with _reading(folder / "rgb" / f"{language}_fact.json") as path:
        return [
            r.Counterfactual(
                id=f"{language}-{row['id']}",
                lang=language,
                question=row["query"],
                answers=_spellings(row["answer"]),
                false_answers=_spellings(row["fakeanswer"]),
                true_passages=tuple(row["positive"]),
                false_passages=tuple(row["positive_wrong"]),
                other_passages=tuple(row["negative"]),
            )
            for row in _lines(path)
        ]


def _spellings(answer: str | list[str | list[str]]) -> tuple[tuple[str, ...], ...]:
    if isinstance(answer, str):
        return ((answer,),)
    return tuple((part,) if isinstance(part, str) else tuple(part) for part in answer)


def bipia_attacks(folder: Path) -> list[r.Attack]:
    """Return BIPIA's instructions to plant in texts, then those to plant in code."""
    found = []
    for name in ("text_attack_train", "code_attack_train"):
        with _reading(folder / "bipia" / f"{name}.json") as path:
            found += [
                r.Attack(kind, text) for kind, texts in _whole(path).items() for text in texts
            ]
    return found


def bipia_mails(folder: Path) -> list[r.Mail]:
    """Return BIPIA's e-mails, in which attacks are planted."""
    with _reading(folder / "bipia" / "email_train.jsonl") as path:
        return [r.Mail(row["context"], row["question"], row["ideal"]) for row in _lines(path)]


def hurte(folder: Path) -> list[r.Entailment]:
    """Return the training part of HuRTE."""
    labels = {"1": True, "0": False}
    with _reading(folder / "hurte" / "rte_train.json") as path:
        return [
            r.Entailment(row["id"], row["premise"], row["hypothesis"], labels[row["label"]])
            for row in _whole(path)
        ]


def faithbench(folder: Path) -> list[r.Summary]:
    """Return the summaries of all batches, ids as "batch-sample"."""
    found = []
    for batch in FAITHBENCH_BATCHES:
        with _reading(folder / "faithbench" / f"batch_{batch}.json") as path:
            found += [_summary(batch, sample) for sample in _whole(path)["samples"]]
    return found


def _summary(batch: int, sample: dict[str, Any]) -> r.Summary:
    marks = tuple(
        r.Mark(mark["summary_start"], mark["summary_end"], tuple(mark["label"]), str(mark["note"]))
        for mark in sample["annotations"]
    )
    return r.Summary(f"{batch}-{sample['sample_id']}", sample["source"], sample["summary"], marks)


def seeds(folder: Path) -> list[r.SeedQuestion]:
    """Return the questions over the seed documents, which lie in seeds/documents."""
    with _reading(folder / "seeds" / "questions.jsonl") as path:
        return [
            r.SeedQuestion(
                id=row["id"],
                lang=row["lang"],
                question=row["question"],
                answers=tuple(row["answers"]),
                answerable=row["answerable"],
                source=row["source"] or "",
                evidence=tuple(row["evidence"]),
            )
            for row in _lines(path)
        ]


def documentation(folder: Path) -> tuple[dict[str, str], list[r.DocumentationQuestion]]:
    """Return the sections of a vendor's documentation by address, and the questions over them."""
    place = folder / "anthropic_docs_qa"
    with _reading(place / "anthropic_docs.json") as path:
        sections = {row["chunk_link"]: row["text"] for row in _whole(path)}
    with _reading(place / "docs_evaluation_dataset.json") as path:
        questions = [
            r.DocumentationQuestion(
                row["id"], row["question"], tuple(row["correct_chunks"]), row["correct_answer"]
            )
            for row in _whole(path)
        ]
    return sections, questions


def ragchecker(folder: Path) -> list[r.ComparedAnswers]:
    """Return RAGChecker's pairs of answers with both people's labels of correctness."""
    with _reading(folder / "ragchecker" / "human_labeled_data.json") as path:
        labels: dict[int, list[dict[str, Any]]] = {}
        for row in _whole(path):
            labels.setdefault(row["instance_id"], []).append(row)
        return [_compared(str(number), *rows) for number, rows in labels.items()]


def _compared(identity: str, one: dict[str, Any], other: dict[str, Any]) -> r.ComparedAnswers:
    first, second = one["model1"]["response"], one["model2"]["response"]
    if other["model1"]["response"] != first:
        raise ValueError(f"instance {identity}: its two labels are of different answers")
    people = (float(one["correctness_label"]), float(other["correctness_label"]))
    return r.ComparedAnswers(
        identity, one["dataset"], one["query"], one["gt_answer"], (first, second), people
    )


@contextmanager
def _reading(path: Path) -> Iterator[Path]:
    """Give path back; what goes wrong while it is read becomes a ConfigError that names it."""
    try:
        yield path
    except FileNotFoundError as error:
        problem = "is missing; set RAG_TEST_DATA to the folder of development data"
        raise ConfigError(f"{path} {problem}") from error
    except OSError as error:
        raise ConfigError(f"{path} can not be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        problem = f"does not hold what its set should ({told}); fetch it anew"
        raise ConfigError(f"{path} {problem}") from error


def _whole(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _lines(path: Path) -> Iterator[Any]:
    """Yield each row; str.splitlines would also split at separators inside strings."""
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.strip():
            yield json.loads(line)
