"""Memory of a network in a file, by what a process of its own grows by when it runs it.

Engines other than PyTorch keep memory that no counter of theirs tells. So a new process opens the
file and runs it: what it holds beyond what it held before the file was opened is the network's,
its engine's program included. A thread looks as often as it can; what comes and goes between two
looks is not seen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from featherface.errors import UnavailableError
from featherface.profiling.memory import PROCESS, PeakMemory

if TYPE_CHECKING:
    from featherface.profiling.config import BenchmarkConfig

LOOK_EVERY = 0.0005
"""Seconds between two looks."""
PASSES = 5
"""Passes that are watched, the first one included."""
LONGEST = 600
"""Seconds that the process may take."""


def resident_memory(path: Path, config: BenchmarkConfig) -> PeakMemory:
    """Return the memory of PATH's network over passes of CONFIG's pictures.

    Raises:
        UnavailableError: the process can't run it.
    """
    numbers = (config.batch_size, config.image_size, config.threads, min(PASSES, config.runs))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with tempfile.TemporaryDirectory(prefix="thesis-", ignore_cleanup_errors=True) as folder:
        answer = Path(folder) / "megabytes.json"
        command = [sys.executable, "-m", __name__, str(path), str(answer), *map(str, numbers)]
        try:
            done = subprocess.run(  # noqa: S603 - our own module, and a path that was opened
                command,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=LONGEST,
                check=False,
                env=environment,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _not_measured(path, str(error)) from error
        if done.returncode:
            raise _not_measured(path, done.stderr.strip() or f"code {done.returncode}")
        return PeakMemory.of(json.loads(answer.read_text(encoding="utf-8")), PROCESS)


def _not_measured(path: Path, reason: str) -> UnavailableError:
    last = reason.splitlines()[-1]
    return UnavailableError(f"the memory of {path.name} can't be measured: {last}")


def watch(path: Path, config: BenchmarkConfig) -> list[float]:
    """Return the megabytes by which this process is above its start, at the peak of each pass."""
    from featherface.engines.opening import open_file  # noqa: PLC0415 - what grows is watched
    from featherface.profiling.timing import made_up  # noqa: PLC0415 - imported before the start

    with _Watcher() as watcher:
        engine = open_file(path, config.threads)
        pictures = made_up(config, engine.device)
        peaks = []
        for _ in range(config.runs):
            watcher.forget()
            with engine.ready(config.precision):
                engine(pictures)
            peaks.append(watcher.megabytes)
    return peaks


class _Watcher:
    """Follows in a thread how much more memory this process holds than at the start."""

    def __init__(self) -> None:
        import psutil  # noqa: PLC0415 - slow, and only a measurement asks

        self._process = psutil.Process()
        self._start = self._peak = self._now()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def forget(self) -> None:
        """Let the peak begin anew from now."""
        self._peak = self._now()

    @property
    def megabytes(self) -> float:
        """10^6 bytes beyond the start, at most since `forget`."""
        return (max(self._peak, self._now()) - self._start) / 1e6

    def _now(self) -> int:
        return int(self._process.memory_info().rss)

    def _follow(self) -> None:
        while not self._done.is_set():
            self._peak = max(self._peak, self._now())
            time.sleep(LOOK_EVERY)


def main(words: list[str]) -> None:
    """Watch the file that WORDS name, and write the megabytes of each pass as JSON."""
    from featherface.profiling.config import BenchmarkConfig  # noqa: PLC0415 - as above

    path, answer = Path(words[0]), Path(words[1])
    batch, side, threads, passes = map(int, words[2:])
    config = BenchmarkConfig(
        batch_size=batch, image_size=side, threads=threads, runs=passes, device="cpu"
    )
    answer.write_text(json.dumps(watch(path, config)), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
