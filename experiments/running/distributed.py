"""One run by several processes of torchrun: the first records, the others join its trainings.

They talk through torchrun's own store. The first one calls the others to each training, and what
they train they read in the run's folder; at the end it lets them go. Followers make nothing, so
only a training needs a group, which is made for it and taken down after it: between trainings
nobody waits in anything that could time out.
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

    from experiments.running.stage_context import Work

NEEDED = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun tells each process through its environment."""
END = "thesis/end"
"""Key in the store: nothing more is to come."""
LOOK_SECONDS = 0.2
"""Between two looks into the store."""
FAULT_SECONDS = 5.0
"""How long a process that another left waits for that one's reason."""


@dataclass(frozen=True)
class Launch:
    """Which of how many processes this is."""

    rank: int = 0
    processes: int = 1

    @classmethod
    def here(cls) -> Launch:
        """Read what the launcher says; a process started by itself is the only one."""
        found = [os.environ.get(name, "") for name in NEEDED]
        if not all(found):
            return cls()
        return cls(int(found[0]), int(found[2]))

    @property
    def follows(self) -> bool:
        """Whether another process keeps the runs."""
        return self.rank > 0

    @property
    def others(self) -> range:
        """The ranks of those that follow the first."""
        return range(1, self.processes)


def launched(command: str) -> str:
    """Word COMMAND, which begins with `thesis`, as it is to be typed to train as here."""
    if Launch.here().processes == 1:
        return command
    count = os.environ.get("LOCAL_WORLD_SIZE", str(Launch.here().processes))
    return f"torchrun --nproc-per-node {count} -m thesis_cli {command.removeprefix('thesis ')}"


def dismiss() -> None:
    """Let the followers go; without any, nothing happens."""
    launch = Launch.here()
    if launch.processes > 1 and not launch.follows:
        with contextlib.suppress(RuntimeError):  # a launcher that is gone has ended them too
            store().set(END, "1")


@contextlib.contextmanager
def training(work: Work, *, resume: bool) -> Iterator[None]:
    """Call the followers to the training of the run that WORK is about, and join them in it.

    Raises:
        InterruptedRunError: it was to be stopped while they were getting ready.
        TrainingError: one of them could not go on.
    """
    launch = Launch.here()
    if launch.processes == 1:
        yield
        return
    from featherface.training.optimization.process_group import joined  # noqa: PLC0415 - torch

    channel = store()
    number = int(channel.add("thesis/trainings", 1))
    call = {
        "workspace": str(work.workspace.root),
        "folder": str(work.folder),
        "run": work.run,
        "resume": resume,
        "workers": work.recipe.train.workers,
    }
    work.on_message(f"training in {launch.processes} processes")
    channel.set(training_key(number), json.dumps(call))
    _gather(launch, number, work.should_stop)
    channel.set(go_key(number), "1")
    try:
        with joined(channel, number, launch.rank, launch.processes, work.recipe.train.device):
            yield
    except RuntimeError as error:  # the way PyTorch says that another process has gone
        _explain(launch, number, error)
        raise


def _gather(launch: Launch, number: int, should_stop: Callable[[], bool]) -> None:
    """Wait until every follower has loaded what it needs."""
    waiting = set(launch.others)
    while waiting:
        for rank in sorted(waiting):
            _raise_fault(number, rank)
            if there(ready_key(number, rank)):
                waiting.remove(rank)
        if should_stop():
            raise InterruptedRunError("stopped before training", "go on with --resume")
        time.sleep(LOOK_SECONDS if waiting else 0)


def _explain(launch: Launch, number: int, error: RuntimeError) -> None:
    """Raise what a follower says of ERROR, or that one has gone; return where it is of here."""
    from torch.distributed import DistError  # noqa: PLC0415

    text = str(error)
    left = isinstance(error, DistError) or "gloo" in text or "NCCL" in text
    if not left:
        return
    until = time.monotonic() + FAULT_SECONDS
    while time.monotonic() < until:
        for rank in launch.others:
            _raise_fault(number, rank)
        time.sleep(LOOK_SECONDS)
    raise TrainingError(
        "a process that trained along has gone without a word",
        "look at what torchrun says of it, then go on with --resume",
    ) from error


def _raise_fault(number: int, rank: int) -> None:
    key = fault_key(number, rank)
    if there(key):
        told = json.loads(store().get(key))
        raise TrainingError(f"process {rank} could not train: {told['message']}", told["hint"])


def tell_fault(number: int, rank: int, fault: BaseException) -> None:
    """Leave word of why this follower left training NUMBER."""
    message, hint = f"{type(fault).__name__}: {fault}", None
    if isinstance(fault, ThesisError):
        message, hint = fault.message, fault.hint
    with contextlib.suppress(RuntimeError):
        store().set(fault_key(number, rank), json.dumps({"message": message, "hint": hint}))


def awaited(
    keys: Sequence[str], should_stop: Callable[[], bool], patience: float, *, leaving: bool
) -> str | None:
    """Wait for the first of KEYS that is in the store; None where it will not come.

    Once `should_stop` says so, or at once where this process is LEAVING, only PATIENCE seconds
    are waited: the launcher ends what does not end by itself.
    """
    until = None
    while True:
        found = next((key for key in keys if there(key)), None)
        if found is not None:
            return found
        if until is None and (leaving or should_stop()):
            until = time.monotonic() + patience
        if until is not None and time.monotonic() > until:
            return None
        time.sleep(LOOK_SECONDS)


def there(key: str) -> bool:
    """Whether KEY is in the store."""
    return bool(store().check([key]))


def read(key: str) -> dict[str, Any]:
    """Return what KEY holds."""
    found: dict[str, Any] = json.loads(store().get(key))
    return found


def training_key(number: int) -> str:
    """Name the call to training NUMBER, from 1."""
    return f"thesis/{number}/training"


def go_key(number: int) -> str:
    """Name the word that all are ready."""
    return f"thesis/{number}/go"


def ready_key(number: int, rank: int) -> str:
    """Name the word that process RANK is ready."""
    return f"thesis/{number}/ready/{rank}"


def fault_key(number: int, rank: int) -> str:
    """Name what process RANK says before it leaves."""
    return f"thesis/{number}/fault/{rank}"


@functools.cache
def store() -> Store:
    """Return the store that the launcher keeps, or that the first process does."""
    from torch.distributed.rendezvous import rendezvous  # noqa: PLC0415 - torch

    found: Store = next(rendezvous("env://"))[0]
    return found
