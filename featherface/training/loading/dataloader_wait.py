"""The time a training waits for its data loader."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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

        The next batch is made in a thread while the training computes with this one.
        """
        self.seconds, self.began = 0.0, time.perf_counter()
        self.workers = getattr(batches, "workers", 0)
        coming = iter(batches)
        with ThreadPoolExecutor(1) as maker:
            making = maker.submit(next, coming, None)
            while True:
                asked = time.perf_counter()
                batch = making.result()
                self.seconds += time.perf_counter() - asked
                if batch is None:
                    return
                making = maker.submit(next, coming, None)
                yield batch

    @property
    def share(self) -> float:
        """Of the time since `watch` began, 0 to 1."""
        return self.seconds / max(time.perf_counter() - self.began, 1e-9)
