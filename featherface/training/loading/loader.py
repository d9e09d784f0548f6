"""The data loader: persistent worker processes, their start, errors and end.

What a batch holds is decided by `batches`; with no workers, the calling process makes it.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from featherface.errors import ThesisError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Key = tuple[int, ...]

ItemT = TypeVar("ItemT")
BatchT = TypeVar("BatchT")
_open: ContextVar[list[Loader[Any]] | None] = ContextVar("loaders", default=None)


class CollatedDataset(Dataset[Any], Generic[ItemT, BatchT]):
    """Batches of PICTURES, collated in the worker; an error is returned in place of a batch.

    Raised in a worker process it would come back as a traceback, without its hint.
    """

    def __init__(self, pictures: Dataset[ItemT], collate: Callable[[list[ItemT]], BatchT]) -> None:
        self.pictures, self.collate = pictures, collate

    def __getitems__(self, keys: list[Key]) -> BatchT | ThesisError:
        """Return the batch of KEYS, or the error that one of its pictures raised."""
        try:
            return self.collate([self.pictures[key] for key in keys])
        except ThesisError as error:
            return error


class Loader(Generic[BatchT]):
    """An iterable of batches of PICTURES; each iteration takes the keys from ORDER.

    Processes are started by the first iteration and stay for the next, until `end`.
    """

    def __init__(
        self,
        pictures: CollatedDataset[Any, BatchT],
        order: Iterable[list[Key]],
        settings: dict[str, Any],
    ) -> None:
        self._loader: DataLoader[BatchT] = _QuietDataLoader(
            pictures, batch_sampler=order, collate_fn=_identity, **settings
        )
        self.beside = True
        """Whether the next batch shall be made while the last one is computed with."""
        if (loaders := _open.get()) is not None:
            loaders.append(self)

    @property
    def workers(self) -> int:
        """How many processes make the batches; 0: the one that asks for them does."""
        return self._loader.num_workers

    def __iter__(self) -> Iterator[BatchT]:
        """Start what makes the batches of one epoch, in this thread, and return them.

        Raises:
            ThesisError: a picture can't be used; raised by the batch that holds it.
        """
        return map(_raised, iter(self._loader))

    def end(self) -> None:
        """End the processes, where there are any."""
        iterator, self._loader._iterator = self._loader._iterator, None  # noqa: SLF001 - no other way
        if iterator is not None:
            iterator._shutdown_workers()  # type: ignore[attr-defined]  # noqa: SLF001 - the same


class _QuietDataLoader(DataLoader[BatchT]):
    """A DataLoader without PyTorch's warning of too many workers: `loading.workers` gives it."""

    def check_worker_number_rationality(self) -> None:
        """Warn of nothing."""


def options(workers: int, device: str, ahead: int | None) -> dict[str, Any]:
    """Return how a DataLoader makes batches in so many WORKERS for a DEVICE (its type).

    Processes are spawned everywhere, as Windows and macOS must: a training has threads, which a
    fork doesn't survive. Only CUDA copies from pinned memory while it computes. The generator of
    its own keeps the numbers that the training draws from depending on how it is loaded.
    """
    return {
        "num_workers": workers,
        "prefetch_factor": ahead if workers else None,
        "persistent_workers": workers > 0,
        "multiprocessing_context": "spawn" if workers else None,
        "worker_init_fn": begin_worker if workers else None,
        "pin_memory": device == "cuda",
        "generator": torch.Generator(),
    }


def begin_worker(number: int) -> None:
    """Prepare a process for loading: one thread, and Ctrl-C is the training's to answer.

    A terminal sends it to all of them; the training saves its state first and then ends them.
    """
    del number
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def loaders_ended() -> Iterator[None]:
    """End all loaders that are made within the block, also when it raises.

    Raises:
        UnavailableError: one of their processes was lost.
    """
    opened: list[Loader[Any]] = []
    before = _open.set(opened)
    try:
        yield
    except RuntimeError as error:  # PyTorch raises it wherever the training happens to be
        if "DataLoader worker" not in str(error):
            raise
        raise UnavailableError(
            f"a process that loads pictures was lost: {str(error).splitlines()[0]}",
            "memory ran out, most likely: close other programs, or load without such processes"
            " (--set train.workers=0), and go on with --resume",
        ) from error
    finally:
        _open.reset(before)
        for loader in opened:
            loader.end()


def _identity(batch: BatchT) -> BatchT:
    return batch


def _raised(batch: BatchT | ThesisError) -> BatchT:
    if isinstance(batch, ThesisError):
        raise batch
    return batch
