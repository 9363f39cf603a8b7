"""Make the perturbation set: claims true and false by rule, over documents in five languages.

    python evals/perturb.py --out build/perturbation.jsonl

Documents: the sample corpus of this repository (en, zh, ru, hu), XQuAD (en, zh, ru, de; parallel)
and HuRTE's premises (hu), the last two from the folder that RAG_TEST_DATA names. One JSON object
a line, the fields of `rag.evaluation.perturbation.Case`; counts by kind, language and claim type
go to standard error. The same seed gives the same bytes.
"""

import argparse
import dataclasses
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rag.errors import RagError
from rag.evaluation import perturbation
from rag.evaluation.perturbation import Case
from rag.evaluation.perturbation_sources import build

ROOT = Path(__file__).resolve().parent.parent


def table(cases: Sequence[Case]) -> str:
    """Return counts by kind, and by language and claim type, as Markdown; paddings together."""
    claims = [case for case in cases if case.padding == 1]
    columns = [
        (lang, claim_type)
        for lang in ("en", "zh", "ru", "de", "hu")
        for claim_type in perturbation.CLAIM_TYPES
        if any((case.lang, case.claim_type) == (lang, claim_type) for case in claims)
    ]
    counts = Counter((case.kind, case.lang, case.claim_type) for case in claims)
    lines = ["| kind | " + " | ".join(" ".join(column) for column in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for kind_ in (perturbation.TRUE, *perturbation.KINDS):
        row = " | ".join(str(counts[kind_, *column]) for column in columns)
        lines.append(f"| {kind_} | {row} |")
    return "\n".join(lines)


def main() -> int:
    """Write the set; exit code 2 where documents are missing."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the JSONL file to write")
    parser.add_argument("--each", type=int, default=6, help="false claims of a kind per cell")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, default=ROOT / "corpus")
    chosen = parser.parse_args()
    data = Path(os.environ.get("RAG_TEST_DATA") or ROOT.parent / "shared" / "data")
    try:
        cases = build(chosen.corpus, data, perturbation.Plan(chosen.each, chosen.seed))
    except RagError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    with chosen.out.open("w", encoding="utf-8", newline="\n") as lines:
        for case in cases:
            lines.write(json.dumps(dataclasses.asdict(case), ensure_ascii=False) + "\n")
    print(table(cases), file=sys.stderr)
    print(f"{len(cases)} cases, seed {chosen.seed}: {chosen.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
