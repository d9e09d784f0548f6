"""Checks of where a record comes from: its place, the workspace's memory, its stages' files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.ledger.events import SEALED
from experiments.names import STAGES
from experiments.proof.outcome import FAILED, HELD, NOT_DONE, ProofOutcome
from experiments.records.record import RECORD, Stage
from experiments.records.seal import read_seal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from experiments.records.run import Run
    from experiments.records.store import Store


def identity(run: Run, store: Store) -> ProofOutcome:
    """Say by what the record shows that it is the run its folder names."""
    del store
    sealed = read_seal(run.folder)
    if sealed.identity is None:
        detail = f"by {RECORD} only: the seal is of an earlier version and names no run"
        return ProofOutcome("identity", HELD, detail)
    return ProofOutcome("identity", HELD, f"sealed as {sealed.identity.run}")


def memory(run: Run, store: Store) -> ProofOutcome:
    """Say since when the workspace knows the record's seal."""
    event = store.ledger.memory.seals.get(run.id)
    if event is None:
        detail = "the ledger does not know it yet; the next command that writes tells it"
        return ProofOutcome("memory", NOT_DONE, detail)
    if event.event == SEALED:
        return ProofOutcome("memory", HELD, f"sealed here {event.time}")
    source = "as git has it from" if event.source == "git" else "as it lay here"
    return ProofOutcome("memory", HELD, f"{source} {event.time}; nothing before is known")


def stages(run: Run, store: Store) -> ProofOutcome:
    """Follow the files from stage to stage: each was read as it was made, and sealed so."""
    del store
    recorded = run.record.stages
    if not any(stage.inputs or stage.outputs for stage in recorded.values()):
        return ProofOutcome("stages", NOT_DONE, f"{RECORD} says of no stage which files it read")
    sealed = {name: str(entry["sha256"]) for name, entry in read_seal(run.folder).files.items()}
    for name, detail in _broken(recorded, sealed):
        return ProofOutcome("stages", FAILED, detail, name)
    count = sum(len(stage.inputs) + len(stage.outputs) for stage in recorded.values())
    return ProofOutcome("stages", HELD, f"{count} files followed by their hashes")


def _broken(recorded: Mapping[str, Stage], sealed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the files that were others when a stage read them, or when they were sealed."""
    made: dict[str, str] = {}
    for stage_name in STAGES:
        stage = recorded.get(stage_name, Stage())
        for name, digest in stage.inputs.items():
            if made.get(name, digest) != digest:
                yield name, f"{stage_name} read {name} otherwise than it was made"
        made |= {**stage.inputs, **stage.outputs}
    for name, digest in made.items():
        if sealed.get(name) != digest:
            yield name, f"{name} was sealed otherwise than the stages left it"
