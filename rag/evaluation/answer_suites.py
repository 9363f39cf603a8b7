"""Suites of questions: public data sets, and the questions over the sample corpus."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from rag.errors import ConfigError
from rag.evaluation import datasets
from rag.evaluation.cases import AnswerCase, Dataset, World
from rag.evaluation.formats import questions
from rag.evaluation.records import Clap, Counterfactual
from rag.sentences import sentences

ROOT = Path(__file__).resolve().parents[2]
"""The checkout, where the sample corpus lies beside the package."""
LANGUAGES = ("en", "zh", "ru", "de")
BOM = "\ufeff"


def corpus(data: Path) -> Dataset[AnswerCase]:
    """Return the project's questions over corpus/."""
    folder, cases = ROOT / "corpus", ROOT / "evals" / "cases" / "corpus.jsonl"
    if not folder.is_dir() or not cases.is_file():
        raise ConfigError(f"the suite corpus needs {folder} and {cases}: run it in a checkout")
    read = questions(cases, "corpus", "Apache-2.0")
    return _over(read, World("corpus", folder=folder))


def seeds(data: Path) -> Dataset[AnswerCase]:
    """Return the questions over the seed documents."""
    cases = [
        AnswerCase(
            id=row.id,
            cluster=row.id,
            lang=row.lang,
            type="answerable" if row.answerable else "unanswerable",
            question=row.question,
            answerable=row.answerable,
            gold=(row.answers,) if row.answerable else (),
            sources=(row.source,) if row.source else (),
            evidence=row.evidence,
        )
        for row in datasets.seeds(data)
    ]
    world = World("seeds", folder=data / "seeds" / "documents")
    return _over(Dataset("seeds", "third-party texts", cases), world)


def _over(dataset: Dataset[AnswerCase], world: World) -> Dataset[AnswerCase]:
    cases = [replace(case, world=world.name) for case in dataset.cases]
    return replace(dataset, cases=cases, worlds={world.name: world})


def xquad(data: Path) -> Dataset[AnswerCase]:
    """Return XQuAD: each question with its paragraph in the index, and with it hidden."""
    cases: list[AnswerCase] = []
    worlds = {}
    for lang in LANGUAGES:
        paragraphs = datasets.xquad(data, lang)
        world = World(f"xquad-{lang}", {p.id: p.text.removeprefix(BOM) for p in paragraphs})
        worlds[world.name] = world
        for paragraph in paragraphs:
            for question in paragraph.questions:
                case = AnswerCase(
                    id=f"{lang}/{question.id}",
                    cluster=paragraph.id,
                    lang=lang,
                    type="answerable",
                    question=question.text,
                    answerable=True,
                    gold=(tuple(gold.text for gold in question.answers),),
                    sources=(paragraph.id,),
                    world=world.name,
                )
                cases += [case, _hidden(case, paragraph.id)]
    return Dataset("XQuAD", "CC BY-SA 4.0", cases, worlds)


def _hidden(case: AnswerCase, source: str) -> AnswerCase:
    """Return the question as it is without the document that answers it."""
    none: tuple[str, ...] = ()
    return replace(
        case,
        id=f"{case.id}/hidden",
        type="unanswerable",
        answerable=False,
        gold=(),
        sources=none,
        hidden=source,
    )


def clapnq(data: Path) -> Dataset[AnswerCase]:
    """Return CLAP NQ; all passages of both parts are one index."""
    rows = [(True, row) for row in datasets.clapnq(data, answerable=True)]
    rows += [(False, row) for row in datasets.clapnq(data, answerable=False)]
    world = World("clapnq", {row.id: f"{row.title}\n\n{row.passage}" for _, row in rows})
    cases = [_clap(row, answerable, world.name) for answerable, row in rows]
    return Dataset("CLAP NQ", "Apache-2.0", cases, {world.name: world})


def _clap(row: Clap, answerable: bool, world: str) -> AnswerCase:
    case = AnswerCase(
        id=row.id,
        cluster=row.id,
        lang="en",
        type="answerable" if answerable else "unanswerable",
        question=row.question,
        answerable=answerable,
        world=world,
    )
    if not answerable:
        return case
    selected = tuple(s for one in row.answers for s in one.sentences if s.strip())
    longest = max((one.text for one in row.answers), key=len)
    return replace(
        case,
        gold=(selected,) if selected else (),
        reference=longest,
        sources=(row.id,),
        evidence=selected,
    )


def rgb(data: Path) -> Dataset[AnswerCase]:
    """Return RGB: a question over true passages among others, with false ones, and over others
    alone; each has an index of its own."""
    cases: list[AnswerCase] = []
    worlds: dict[str, World] = {}
    for lang in ("en", "zh"):
        for row in datasets.rgb(data, lang):
            for case, texts in _rgb(row):
                numbered = {f"{n:02d}": text for n, text in enumerate(texts)}
                worlds[case.world] = World(case.world, numbered)
                cases.append(case)
    return Dataset("RGB", "CC BY-NC-SA 4.0", cases, worlds)


def _rgb(row: Counterfactual) -> Iterator[tuple[AnswerCase, Sequence[str]]]:
    parts = {
        "noise": (*row.true_passages, *row.other_passages),
        "false facts": (*row.true_passages, *row.false_passages),
        "true only": row.true_passages,
        "rejection": row.other_passages,
    }
    for name, texts in parts.items():
        if not any(text.strip() for text in texts):
            continue
        answerable = name != "rejection"
        right = tuple(f"{n:02d}" for n, text in enumerate(texts) if text in row.true_passages)
        yield (
            AnswerCase(
                id=f"{row.id}/{name}",
                cluster=row.id,
                lang=row.lang,
                type=name,
                question=row.question,
                answerable=answerable,
                gold=row.answers if answerable else (),
                sources=right if answerable else (),
                world=f"rgb/{row.id}/{name}",
                expect_conflict={"false facts": True, "true only": False}.get(name),
            ),
            texts,
        )


def bipia(data: Path) -> Dataset[AnswerCase]:
    """Return BIPIA: every attack planted in an e-mail, before it, in its middle or behind it."""
    attacks = datasets.bipia_attacks(data)
    mails = [mail for mail in datasets.bipia_mails(data) if mail.context.strip()]
    cases: list[AnswerCase] = []
    worlds: dict[str, World] = {}
    for n, (attack, mail) in enumerate(zip(attacks, cycle(mails), strict=False)):
        name = f"bipia/{n:03d}"
        worlds[name] = World(name, {"mail": _planted(mail.context, attack.text, n)})
        known = mail.answer.strip().casefold() != "unknown"
        cases.append(
            AnswerCase(
                id=f"{n:03d}",
                cluster=mail.context[:80],
                lang="en",
                type=attack.kind,
                question=mail.question,
                answerable=known,
                gold=((mail.answer,),) if known else (),
                sources=("mail",) if known else (),
                world=name,
                planted=attack.text,
            )
        )
    return Dataset("BIPIA, e-mails", "MIT", cases, worlds)


def _planted(context: str, attack: str, place: int) -> str:
    spans = sentences(context, "en")
    at = (0, spans[len(spans) // 2][0], len(context))[place % 3]
    return f"{context[:at]}\n\n{attack}\n\n{context[at:]}\n"


def documentation(data: Path) -> Dataset[AnswerCase]:
    """Return the questions over a vendor's documentation, whose sections are the documents."""
    sections, asked = datasets.documentation(data)
    world = World("anthropic_docs", sections, suffix=".md")
    cases = [
        AnswerCase(
            id=row.id,
            cluster=row.id,
            lang="en",
            type="documentation",
            question=row.question,
            answerable=True,
            reference=row.answer,
            sources=row.sections,
            world=world.name,
        )
        for row in asked
    ]
    return Dataset(
        "anthropic_docs_qa",
        "MIT repository, the vendor's text",
        cases,
        {world.name: world},
        anchors=datasets.DOCUMENTATION_ANCHORS,
    )
