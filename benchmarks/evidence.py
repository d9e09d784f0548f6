"""Attack a finished workspace, one copy after the other, and see what each verb says.

    python benchmarks/evidence.py [--only WORD ...] [--json] [--workspace FOLDER] [--list]

A small workspace is made first: synthetic pictures, two short trainings, a vault with bound
numbers (`--workspace` keeps it in FOLDER and takes it from there the next time). Then each attack
is done to a copy of its own, and `runs verify`, `compare`, `milestone check`, `check numbers`,
`report sync` and `vault export` are asked. Each must refuse what is wrong, or say it; an honest
operation must change no answer. `--only` chooses by words of the names.

Exit status 1 where something wrong passed or something right was refused.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evidence_parts.cases import VERBS, Attack, Impossible, Operation
from evidence_parts.evaluations import EVALUATIONS
from evidence_parts.files import FILES
from evidence_parts.finished import copied, make
from evidence_parts.honest import HONEST
from evidence_parts.places import PLACES
from evidence_parts.prose import PROSE
from evidence_parts.seals import SEALS
from evidence_parts.verbs import Answer, Verdict, ask, call, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

ATTACKS: tuple[Attack, ...] = (*PLACES, *FILES, *SEALS, *EVALUATIONS, *PROSE)


@dataclass(frozen=True)
class Row:
    """What came of one attack or operation."""

    name: str
    honest: bool
    verdicts: dict[str, Verdict]
    wrong: tuple[str, ...]
    """Verbs that were silent at something wrong, or refused something right."""
    complaint: str = ""
    """What went wrong at the attack itself."""
    skipped: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.wrong and not self.complaint

    @property
    def outcome(self) -> str:
        if self.skipped:
            return f"left out: {self.skipped}"
        if self.ok:
            return "ok"
        told = "REFUSED WRONGLY" if self.honest else "PASSED WRONGLY"
        return f"{told}: {', '.join((*self.wrong, *filter(None, [self.complaint])))}"


def main() -> int:
    options = parse()
    cases: list[Attack | Operation] = [*ATTACKS, *HONEST]
    if options.only:
        cases = [case for case in cases if any(word in case.name for word in options.only)]
    if options.list:
        print("\n".join(case.name for case in cases))
        return 0
    os.environ["COLUMNS"] = "200"
    os.environ["THESIS_CONFIG"] = os.devnull
    with tempfile.TemporaryDirectory() as folder:
        finished = (options.workspace or Path(folder) / "finished").resolve()
        if not (finished / "thesis.toml").is_file():
            make(finished)
        rows = attack_all(finished, Path(folder).resolve(), cases, quiet=options.json)
    if options.json:
        print(json.dumps([to_json(row) for row in rows], ensure_ascii=False, indent=1))
    else:
        print_summary(rows)
    return 0 if all(row.ok for row in rows) else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="WORD", help="those with a WORD in their name")
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    parser.add_argument("--list", action="store_true", help="print the names alone")
    parser.add_argument("--workspace", type=Path, help="where the finished workspace is kept")
    return parser.parse_args()


def attack_all(
    finished: Path, folder: Path, cases: Sequence[Attack | Operation], *, quiet: bool
) -> list[Row]:
    """Do each of CASES to a copy of FINISHED in FOLDER, and print its row."""
    before: dict[tuple[str, str], dict[str, Answer]] = {}
    rows = []
    if not quiet:
        print(f"{'':44}" + "".join(f"{verb:14}" for verb in VERBS))
    for number, case in enumerate(cases):
        pair = case.compared if isinstance(case, Attack) else ("v1", "v2")
        if pair not in before:
            before[pair] = ask(copied(finished, folder / "-".join(("as-it-was", *pair))), pair)
        row = tried(case, finished, folder / f"copy-{number}", before[pair])
        rows.append(row)
        if not quiet:
            cells = "".join(f"{row.verdicts.get(verb, '')!s:14.13}" for verb in VERBS)
            print(f"{row.name:44.43}{cells}{row.outcome}", flush=True)
    return rows


def tried(case: Attack | Operation, finished: Path, folder: Path, before: dict[str, Answer]) -> Row:
    """Do CASE to a copy of FINISHED in FOLDER and ask every verb."""
    began = time.monotonic()
    honest = isinstance(case, Operation)
    root = copied(finished, folder / (case.place if isinstance(case, Operation) else "thesis"))
    call(root, "runs", "list")  # the index knows the good state, as a student's does
    surroundings = dict(os.environ)
    try:
        complaint = case.change(root) or ""
    except Impossible as impossible:
        return Row(case.name, honest, {}, (), skipped=str(impossible))
    pair = ("v1", "v2") if isinstance(case, Operation) else case.compared
    claim = "small" if isinstance(case, Operation) else case.claim
    after = ask(root, pair)
    os.environ.clear()
    os.environ.update(surroundings)
    verdicts = {verb: judge(verb, before[verb], after[verb], claim) for verb in VERBS}
    if isinstance(case, Operation):
        wrong = [verb for verb in VERBS if after[verb].code != before[verb].code]
    else:
        wrong = [verb for verb in case.must if not verdicts[verb].noticed]
    wrong += [verb for verb in VERBS if after[verb].crashed and verb not in wrong]
    seconds = time.monotonic() - began
    return Row(case.name, honest, verdicts, tuple(wrong), complaint, seconds=seconds)


def to_json(row: Row) -> dict[str, object]:
    """Return ROW as plain values."""
    return {
        "name": row.name,
        "honest": row.honest,
        "verbs": {verb: {"code": it.code, "word": it.word} for verb, it in row.verdicts.items()},
        "wrong": list(row.wrong),
        "complaint": row.complaint,
        "skipped": row.skipped,
        "seconds": round(row.seconds, 2),
    }


def print_summary(rows: Sequence[Row]) -> None:
    """Print how many passed or were refused wrongly."""
    for honest, what, fault in (
        (False, "attacks", "passed wrongly"),
        (True, "honest operations", "refused wrongly"),
    ):
        those = [row for row in rows if row.honest is honest and not row.skipped]
        faults = [row.name for row in those if not row.ok]
        print(f"{len(those)} {what}, {len(faults)} {fault}")
        for name in faults:
            print(f"  {name}")


if __name__ == "__main__":
    sys.exit(main())
