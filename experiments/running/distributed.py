"""One run by several processes of torchrun: rank 0 keeps the run, the others follow its trainings.

They communicate through torchrun's key-value store. Rank 0 announces each training there; the
followers read the run's folder, train along and write nothing; at the end rank 0 releases them.
A process group exists during a training only: between trainings nobody waits in a collective call
that could time out.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featherface.errors import InterruptedRunError, ThesisError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch.distributed.distributed_c10d import Store

    from experiments.running.stage_context import StageContext

LAUNCHER_VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""Environment variables that torchrun sets for each process."""
END_KEY = "thesis/end"
"""Key in the store: no training is to come any more."""
POLL_SECONDS = 0.2
"""Between two polls of the store."""
ERROR_SECONDS = 5.0
"""How long rank 0 waits for the error of a follower that has gone."""


@dataclass(frozen=True)
class Launch:
    """Rank of this process and the number of all."""

    rank: int = 0
    processes: int = 1

    @classmethod
    def from_environment(cls) -> Launch:
        """Read the launcher's variables; without all of them this process is the only one."""
        values = [os.environ.get(name, "") for name in LAUNCHER_VARIABLES]
        if not all(values):
            return cls()
        return cls(int(values[0]), int(values[2]))

    @property
    def is_follower(self) -> bool:
        """Whether another process, rank 0, keeps the runs."""
        return self.rank > 0

    @property
    def followers(self) -> range:
        """Ranks of the followers of rank 0."""
        return range(1, self.processes)


def launch_command(command: str) -> str:
    """Return COMMAND, which begins with `thesis`, as typed to run it in as many processes."""
    if Launch.from_environment().processes == 1:
        return command
    count = os.environ.get("LOCAL_WORLD_SIZE", str(Launch.from_environment().processes))
    return f"torchrun --nproc-per-node {count} -m thesis_cli {command.removeprefix('thesis ')}"


def release_followers() -> None:
    """End the followers; without any, nothing happens."""
    launch = Launch.from_environment()
    if launch.processes > 1 and not launch.is_follower:
        with contextlib.suppress(RuntimeError):  # a launcher that is gone has ended them too
            store().set(END_KEY, "1")


@contextlib.contextmanager
def group_training(context: StageContext, *, resume: bool) -> Iterator[None]:
    """Announce the training of CONTEXT's run to the followers, and be in one group with them.

    Raises:
        InterruptedRunError: `should_stop` said so while they were getting ready.
        TrainingError: one of them failed.
    """
    launch = Launch.from_environment()
    if launch.processes == 1:
        yield
        return
    from featherface.training.optimization.process_group import joined  # noqa: PLC0415 - torch

    channel = store()
    number = int(channel.add("thesis/trainings", 1))
    announcement = {
        "workspace": str(context.workspace.root),
        "folder": str(context.folder),
        "run": context.run,
        "resume": resume,
        "workers": context.recipe.train.workers,
    }
    context.on_message(f"training in {launch.processes} processes")
    channel.set(training_key(number), json.dumps(announcement))
    _await_followers(launch, number, context.should_stop)
    channel.set(go_key(number), "1")
    try:
        with joined(channel, number, launch.rank, launch.processes, context.recipe.train.device):
            yield
    except RuntimeError as error:  # how PyTorch says that another process has gone
        _raise_follower_error(launch, number, error)
        raise


def _await_followers(launch: Launch, number: int, should_stop: Callable[[], bool]) -> None:
    """Wait until every follower is ready for training NUMBER."""
    waiting = set(launch.followers)
    while waiting:
        for rank in sorted(waiting):
            _raise_reported_error(number, rank)
            if has_key(ready_key(number, rank)):
                waiting.remove(rank)
        if should_stop():
            raise InterruptedRunError("stopped before training", "go on with --resume")
        time.sleep(POLL_SECONDS if waiting else 0)


def _raise_follower_error(launch: Launch, number: int, error: RuntimeError) -> None:
    """Raise the error of a follower behind ERROR; return where ERROR arose in this process."""
    from torch.distributed import DistError  # noqa: PLC0415

    text = str(error)
    is_of_follower = isinstance(error, DistError) or "gloo" in text or "NCCL" in text
    if not is_of_follower:
        return
    deadline = time.monotonic() + ERROR_SECONDS
    while time.monotonic() < deadline:
        for rank in launch.followers:
            _raise_reported_error(number, rank)
        time.sleep(POLL_SECONDS)
    raise TrainingError(
        "a process that trained along has gone without a word",
        "look at what torchrun says of it, then go on with --resume",
    ) from error


def _raise_reported_error(number: int, rank: int) -> None:
    key = error_key(number, rank)
    if has_key(key):
        error = json.loads(store().get(key))
        raise TrainingError(f"process {rank} could not train: {error['message']}", error["hint"])


def report_error(number: int, rank: int, error: BaseException) -> None:
    """Report in the store why this follower left training NUMBER."""
    message, hint = f"{type(error).__name__}: {error}", None
    if isinstance(error, ThesisError):
        message, hint = error.message, error.hint
    with contextlib.suppress(RuntimeError):
        store().set(error_key(number, rank), json.dumps({"message": message, "hint": hint}))


def wait_for_key(
    keys: Sequence[str], should_stop: Callable[[], bool], patience: float, *, leaving: bool
) -> str | None:
    """Return the first of KEYS that is in the store, once one is; None after the time limit.

    The limit of PATIENCE seconds begins once `should_stop` says so, or at once where this process
    is LEAVING: the launcher ends what does not end by itself.
    """
    deadline = None
    while True:
        present = next((key for key in keys if has_key(key)), None)
        if present is not None:
            return present
        if deadline is None and (leaving or should_stop()):
            deadline = time.monotonic() + patience
        if deadline is not None and time.monotonic() > deadline:
            return None
        time.sleep(POLL_SECONDS)


def has_key(key: str) -> bool:
    """Whether KEY is in the store."""
    return bool(store().check([key]))


def read_key(key: str) -> dict[str, Any]:
    """Return the JSON object under KEY in the store."""
    content: dict[str, Any] = json.loads(store().get(key))
    return content


def training_key(number: int) -> str:
    """Return the key that announces training NUMBER, from 1."""
    return f"thesis/{number}/training"


def go_key(number: int) -> str:
    """Return the key that says that all are ready."""
    return f"thesis/{number}/go"


def ready_key(number: int, rank: int) -> str:
    """Return the key that says that process RANK is ready."""
    return f"thesis/{number}/ready/{rank}"


def error_key(number: int, rank: int) -> str:
    """Return the key of the error that process RANK reports before it leaves."""
    return f"thesis/{number}/fault/{rank}"


@functools.cache
def store() -> Store:
    """Return torchrun's key-value store, kept by the launcher or by rank 0."""
    from torch.distributed.rendezvous import rendezvous  # noqa: PLC0415 - torch

    launcher_store: Store = next(rendezvous("env://"))[0]
    return launcher_store
