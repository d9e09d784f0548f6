"""The loop of a torchrun process that joins the first one's trainings."""

from __future__ import annotations

import contextlib
import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.running import distributed
from experiments.running.distributed import END, Launch, awaited, go_key, ready_key, training_key
from featherface.errors import InterruptedRunError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from featherface.progress import ShouldStop

LEAVE_SECONDS = 10.0
"""How long the first process is waited for once this one was told to stop."""
FAULT_SECONDS = 15.0
"""How long it is waited for once this one could not go on. What failed here only, the first process
may notice no sooner than this one leaves."""


class NotNeededError(Exception):
    """The training that this process was called to does not take place."""


def follow(should_stop: ShouldStop) -> None:
    """Train along with the first process, however often it calls, until it lets this one go.

    Raises:
        InterruptedRunError: `should_stop` said so and the first process says nothing.
        TrainingError: this process could not go on and the first one does not notice.
    """
    number, fault = 0, ""
    while not fault:
        number += 1
        word = awaited([training_key(number), END], should_stop, LEAVE_SECONDS, leaving=False)
        if word is None:
            raise InterruptedRunError("stopped")
        if word == END:
            return
        fault = _train(number, should_stop)
        gc.collect()  # where the group goes with that, the others notice at once
    if awaited([END], should_stop, FAULT_SECONDS, leaving=True) is None:
        raise TrainingError(f"process {Launch.here().rank} could not train: {fault}")


def _train(number: int, should_stop: ShouldStop) -> str:
    """Train along; return why that did not go well, or nothing.

    What goes wrong in all processes alike, the first one tells; this one has left word for it in
    any case. The error itself is not kept, for the group hangs on to it.
    """
    try:
        _join(number, distributed.read(training_key(number)), should_stop)
    except NotNeededError:
        return ""
    except Exception as fault:  # noqa: BLE001 - whatever it is, the first process is to know
        distributed.tell_fault(number, Launch.here().rank, fault)
        return str(fault) or type(fault).__name__
    return ""


def _join(number: int, call: dict[str, Any], should_stop: ShouldStop) -> None:
    """Load what the run in the called folder trains with, and train it along."""
    from experiments.records.run import Run  # noqa: PLC0415
    from experiments.running.autotune import loading  # noqa: PLC0415 - torch
    from experiments.running.stage_context import Work  # noqa: PLC0415
    from experiments.running.training_stage import train_along  # noqa: PLC0415
    from experiments.workspace.workspace import Workspace  # noqa: PLC0415

    run = Run(Path(call["folder"]))
    recipe = loading(run.resolved(), call["workers"]).recipe
    work = Work(
        workspace=Workspace.open(Path(call["workspace"])),
        recipe=recipe,
        folder=run.folder,
        run=str(call["run"]),
        parents=run.record.parents,
        resume=bool(call["resume"]),
        should_stop=should_stop,
    )
    train_along(work, _joined(number, work.recipe.train.device, should_stop))


@contextlib.contextmanager
def _joined(number: int, device: str, should_stop: Callable[[], bool]) -> Iterator[None]:
    """Say that this process is ready, and join the others when all are."""
    from featherface.training.optimization.process_group import joined  # noqa: PLC0415 - torch

    launch, store = Launch.here(), distributed.store()
    store.set(ready_key(number, launch.rank), "1")
    keys = [go_key(number), training_key(number + 1), END]
    word = awaited(keys, should_stop, LEAVE_SECONDS, leaving=False)
    if word != go_key(number):
        raise NotNeededError
    with joined(store, number, launch.rank, launch.processes, device):
        yield
