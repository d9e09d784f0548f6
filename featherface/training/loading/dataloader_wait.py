"""The time a training waits for its data loader."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from featherface.training.loading.batches import Batch


@dataclass
class LoadingClock:
    """Measures how long a loop waits for each batch of a loader."""

    seconds: float = 0.0
    """Waited since `watch` began."""
    began: float = 0.0
    workers: int = 0
    """Processes that load what is watched."""

    def watch(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield BATCHES, noting how long each was waited for.

        The next batch is made in a thread while the training computes with this one, unless they
        are of a loader that is not `beside`.
        """
        self.seconds, self.began = 0.0, time.perf_counter()
        self.workers = getattr(batches, "workers", 0)
        coming = iter(batches)
        if getattr(batches, "beside", True):
            yield from self._made_beside(coming)
            return
        while (batch := self._waited(lambda: next(coming, None))) is not None:
            yield batch

    def _made_beside(self, coming: Iterator[Batch]) -> Iterator[Batch]:
        with ThreadPoolExecutor(1) as maker:
            making = maker.submit(next, coming, None)
            while (batch := self._waited(making.result)) is not None:
                making = maker.submit(next, coming, None)
                yield batch

    def _waited(self, made: Callable[[], Batch | None]) -> Batch | None:
        asked = time.perf_counter()
        batch = made()
        self.seconds += time.perf_counter() - asked
        return batch

    @property
    def share(self) -> float:
        """Of the time since `watch` began, 0 to 1."""
        return self.seconds / max(time.perf_counter() - self.began, 1e-9)
