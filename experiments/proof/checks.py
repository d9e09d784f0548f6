"""Table of the checks by which a sealed record is examined, and their run over one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from experiments.proof import provenance_checks, recomputation
from experiments.proof.outcome import FAILED, HELD, NOT_DONE, ProofOutcome
from experiments.records.seal import CONTRADICTED, MISPLACED, RESEALED, Problem
from featherface.errors import ThesisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.records.run import Run
    from experiments.records.store import Store


class RecordCheck(NamedTuple):
    """One check of a record."""

    make: Callable[[Run, Store], ProofOutcome]
    heavy: bool = False
    """Whether it takes seconds a record, and is made only where it is asked for."""


CHECKS = {
    "identity": RecordCheck(provenance_checks.identity),
    "memory": RecordCheck(provenance_checks.memory),
    "stages": RecordCheck(provenance_checks.stages),
    "accuracy": RecordCheck(recomputation.accuracy),
    "parameters": RecordCheck(recomputation.parameters),
    "intervals": RecordCheck(recomputation.intervals, heavy=True),
    "matches": RecordCheck(recomputation.matches, heavy=True),
}
"""Name -> the check, in the order in which they are told."""
FILES = "files"
"""Name of the check that comes first: every file against the seal."""
TELLING = {MISPLACED: "identity", RESEALED: "memory", CONTRADICTED: "accuracy"}
"""Kind of a problem -> the check that it belongs to; others are of FILES."""


def examine(
    run: Run, store: Store, *, full: bool = False
) -> tuple[list[Problem], list[ProofOutcome]]:
    """Return what is wrong with a sealed RUN, and what was checked of it and what not.

    With FULL the heavy checks are made too. Where files differ from the seal, nothing is
    recomputed from them.
    """
    problems = store.verify(run)
    broken = {TELLING.get(problem.kind, FILES): problem for problem in problems}
    outcomes = [
        ProofOutcome(FILES, FAILED, str(broken[FILES]))
        if FILES in broken
        else ProofOutcome(FILES, HELD, "every file is as it was sealed")
    ]
    for name, check in CHECKS.items():
        if name in broken:
            outcomes.append(ProofOutcome(name, FAILED, broken[name].detail))
        elif FILES in broken:
            outcomes.append(ProofOutcome(name, NOT_DONE, "files are not as they were sealed"))
        elif check.heavy and not full:
            outcomes.append(ProofOutcome(name, NOT_DONE, "left out; --full makes it"))
        else:
            outcomes.append(_made(name, check, run, store))
    more = [
        Problem(each.path, CONTRADICTED, each.detail)
        for each in outcomes
        if each.outcome == FAILED and each.check not in broken
    ]
    return [*problems, *more], outcomes


def _made(name: str, check: RecordCheck, run: Run, store: Store) -> ProofOutcome:
    try:
        return check.make(run, store)
    except ThesisError as error:
        return ProofOutcome(name, NOT_DONE, error.message)
