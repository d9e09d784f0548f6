"""The loop of a follower: a torchrun process that joins the trainings of rank 0."""

from __future__ import annotations

import contextlib
import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.running import distributed
from experiments.running.distributed import (
    END_KEY,
    Launch,
    go_key,
    ready_key,
    training_key,
    wait_for_key,
)
from featherface.errors import InterruptedRunError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from featherface.progress import ShouldStop

LEAVE_SECONDS = 10.0
"""How long rank 0 is waited for once this process was told to stop."""
ERROR_SECONDS = 15.0
"""How long rank 0 is waited for once this process failed. What failed here only, rank 0 may notice
no sooner than this process leaves."""


class TrainingCancelledError(Exception):
    """The announced training does not take place."""


def follow(should_stop: ShouldStop) -> None:
    """Join each training that rank 0 announces, until it releases this process.

    Raises:
        InterruptedRunError: `should_stop` said so and rank 0 says nothing.
        TrainingError: this process failed and rank 0 does not notice.
    """
    number, error = 0, ""
    while not error:
        number += 1
        key = wait_for_key(
            [training_key(number), END_KEY], should_stop, LEAVE_SECONDS, leaving=False
        )
        if key is None:
            raise InterruptedRunError("stopped")
        if key == END_KEY:
            return
        error = _train_announced(number, should_stop)
        gc.collect()  # where that ends the group, the others notice at once
    if wait_for_key([END_KEY], should_stop, ERROR_SECONDS, leaving=True) is None:
        raise TrainingError(f"process {Launch.from_environment().rank} could not train: {error}")


def _train_announced(number: int, should_stop: ShouldStop) -> str:
    """Join training NUMBER; return the error's message, empty where it went well.

    An error in all processes alike is reported to the user by rank 0; this one reports to rank 0
    in any case. The exception itself is not kept: its traceback would keep the group alive.
    """
    try:
        _join_training(number, distributed.read_key(training_key(number)), should_stop)
    except TrainingCancelledError:
        return ""
    except Exception as error:  # noqa: BLE001 - whatever it is, rank 0 is to know
        distributed.report_error(number, Launch.from_environment().rank, error)
        return str(error) or type(error).__name__
    return ""


def _join_training(number: int, announcement: dict[str, Any], should_stop: ShouldStop) -> None:
    """Load the announced run and join its training."""
    from experiments.records.run import Run  # noqa: PLC0415
    from experiments.running.autotune import with_workers  # noqa: PLC0415 - torch
    from experiments.running.stage_context import StageContext  # noqa: PLC0415
    from experiments.running.training_stage import train_as_follower  # noqa: PLC0415
    from experiments.workspace.workspace import Workspace  # noqa: PLC0415

    run = Run(Path(announcement["folder"]))
    recipe = with_workers(run.resolved(), announcement["workers"]).recipe
    context = StageContext(
        workspace=Workspace.open(Path(announcement["workspace"])),
        recipe=recipe,
        folder=run.folder,
        run=str(announcement["run"]),
        parents=run.record.parents,
        resume=bool(announcement["resume"]),
        should_stop=should_stop,
    )
    train_as_follower(context, _joined_group(number, context.recipe.train.device, should_stop))


@contextlib.contextmanager
def _joined_group(number: int, device: str, should_stop: Callable[[], bool]) -> Iterator[None]:
    """Report that this process is ready, and be in the group once all are."""
    from featherface.training.optimization.process_group import joined  # noqa: PLC0415 - torch

    launch, store = Launch.from_environment(), distributed.store()
    store.set(ready_key(number, launch.rank), "1")
    keys = [go_key(number), training_key(number + 1), END_KEY]
    key = wait_for_key(keys, should_stop, LEAVE_SECONDS, leaving=False)
    if key != go_key(number):
        raise TrainingCancelledError
    with joined(store, number, launch.rank, launch.processes, device):
        yield
