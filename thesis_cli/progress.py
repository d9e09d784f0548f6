"""Progress on stderr: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol, Self

import click

from thesis_cli.output import colored
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from featherface.progress import Progress
    from thesis_cli.session import Session

SECONDS_BETWEEN_LINES = 10.0


class Reporter(Protocol):
    """What a command hands to the library as `on_progress` and `on_message`."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def __call__(self, progress: Progress) -> None:
        """Show one step."""

    def say(self, message: str) -> None:
        """Show one line above the bars."""


def progress(session: Session) -> Reporter:
    """Choose the reporter that suits stderr."""
    interactive = sys.stderr.isatty() or session.color == "always"
    return BarReporter(session) if interactive else LineReporter()


def beside(values: Progress) -> str:
    """Word the numbers that belong beside a bar, such as the loss."""
    return "  ".join(f"{name} {quantity(value, '')}" for name, value in values.values.items())


def known_total(progress: Progress) -> int | None:
    """Give the total; None where nobody knows it."""
    return None if progress.endless else progress.total


class BarReporter:
    """One rich bar per stage, with rate and time left."""

    def __init__(self, session: Session) -> None:
        from rich.console import Console

        plain = not colored(session, sys.stderr)
        forced = True if session.color == "always" else None
        self.console = Console(
            stderr=True, force_terminal=forced, no_color=plain, highlight=False, markup=False
        )
        self.tasks: dict[str, TaskID] = {}
        self.bars: Bars | None = None

    def __enter__(self) -> Self:
        self.bars = make_bars(self.console)
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bars:
            self.bars.stop()
        self.bars = None

    def __call__(self, progress: Progress) -> None:
        """Move the bar of this stage."""
        if self.bars is None:
            return
        task = self.tasks.get(progress.stage)
        if task is None or self.restarted(task, progress):
            task = self.bars.add_task(
                progress.stage, total=known_total(progress), unit=progress.unit, beside=""
            )
            self.tasks[progress.stage] = task
        self.bars.update(
            task, completed=progress.done, total=known_total(progress), beside=beside(progress)
        )

    def restarted(self, task: TaskID, progress: Progress) -> bool:
        """Tell whether a stage that had ended begins again, for another run."""
        assert self.bars is not None  # noqa: S101 - only called between enter and exit
        bar = next(each for each in self.bars.tasks if each.id == task)
        return bar.finished and progress.done < bar.completed

    def say(self, message: str) -> None:
        """Show one line above the bars."""
        self.console.print(message, soft_wrap=True)


def make_bars(terminal: object) -> Bars:
    """Lay out the bars: stage, bar, count, rate, time left, values."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars
    from rich.text import Text

    class RateColumn(ProgressColumn):
        """Units per second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            unit = task.fields.get("unit", "")
            return Text(quantity(speed, f"{unit}/s", ".3g") if speed else "")

    return Bars(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[beside]}"),
        console=terminal,  # type: ignore[arg-type]
        expand=True,
    )


class LineReporter:
    """A plain line per stage every few seconds, for logs and pipes."""

    def __init__(self) -> None:
        self.started: dict[str, tuple[float, int]] = {}
        self.last = -SECONDS_BETWEEN_LINES

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def __call__(self, progress: Progress) -> None:
        """Print the step, unless another was printed a moment ago."""
        now = time.monotonic()
        start, first = self.started.setdefault(progress.stage, (now, progress.done))
        ended = not progress.endless and progress.done >= progress.total
        if ended:
            del self.started[progress.stage]
        elif now - self.last < SECONDS_BETWEEN_LINES:
            return
        self.last = now
        click.echo(line(progress, now - start, progress.done - first), err=True)

    def say(self, message: str) -> None:
        """Show one line."""
        click.echo(message, err=True)


def line(progress: Progress, seconds: float, advanced: int) -> str:
    """Word one step: `train 40/160 batches, 8.1 batches/s, 0:15 left, loss 3.2`."""
    of = "" if progress.endless else f"/{progress.total}"
    parts = [f"{progress.stage} {progress.done}{of} {progress.unit}"]
    if seconds > 0 and advanced > 0:
        rate = advanced / seconds
        left = 0 if progress.endless else round((progress.total - progress.done) / rate)
        parts.append(quantity(rate, f"{progress.unit}/s", ".3g"))
        if left:
            parts.append(f"{left // 60}:{left % 60:02d} left")
    if progress.values:
        parts.append(beside(progress))
    return ", ".join(parts)
