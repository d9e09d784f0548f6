"""`thesis monitor`: a run's curves, rate and machine, while another process works on it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.completion import complete_run
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, colored, emit, json_option
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from experiments.records.run import Run
    from experiments.records.status import LiveStatus, MachineLoad, TrainingCurve
    from thesis_cli.session import Session

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 48
"""Columns of a curve, where the terminal is wide enough."""
BESIDE = 50
"""Columns of a curve's name and of the values after it, at most."""
NARROWEST = 8
"""Columns of a curve on any terminal."""


@click.command(cls=Command)
@click.argument("run", required=False, shell_complete=complete_run)
@click.option("--once", is_flag=True, help="Show how it stands now, and end.")
@click.option(
    "--every", type=click.FloatRange(0.2), default=2.0, metavar="S", help="Seconds between looks."
)
@json_option
@pass_session
def monitor(session: Session, *, run: str | None, once: bool, every: float, as_json: bool) -> None:
    """Watch RUN, or the run at work, until it ends or Ctrl-C.

    Reads what the run writes; the run neither knows nor waits. Without a terminal, or with
    --once or --json, it shows one look.
    """
    from experiments.records.status import choose, look
    from experiments.records.store import Store

    chosen = choose(Store(session.workspace), run)
    live = not (once or as_json) and (session.stdout or sys.stdout).isatty()
    if live:
        watch(session, chosen, every)
    else:
        emit(session, "monitor", look(chosen), view)


def watch(session: Session, run: Run, every: float) -> None:
    """Show RUN on the terminal again and again, until it does not run any more."""
    from rich.live import Live
    from rich.text import Text

    from experiments.records.run import Run
    from experiments.records.status import look

    console = terminal(session)
    with Live(console=console, auto_refresh=False) as shown:
        while True:
            sight = look(Run(run.folder))  # read anew: a run remembers its record
            width = max(NARROWEST, min(WIDTH, console.width - BESIDE))
            shown.update(Text("\n".join(map(str, view(sight, width)))), refresh=True)
            if sight.status != "running":
                return
            try:
                time.sleep(every)
            except KeyboardInterrupt:
                return


def terminal(session: Session) -> Console:
    """Return the terminal to draw on."""
    from rich.console import Console

    stream = session.stdout or sys.stdout
    return Console(file=stream, no_color=not colored(session, stream), highlight=False)


def view(sight: LiveStatus, width: int = WIDTH) -> list[Block]:
    """Lay out one look, its curves WIDTH columns wide."""
    of = f" of {sight.epochs}" if sight.epochs else ""
    stage = f", {sight.stage}" if sight.stage else ""
    told = any(curve.values for curve in sight.scores)
    lines = [
        f"{sight.run} ({sight.status}{stage}): epoch {sight.epoch}{of}, step {sight.step:,}",
        "",
        *curves([sight.loss, *sight.scores], width),
        *(["AP is of synthetic pictures, not of WIDER FACE"] if told and sight.synthetic else []),
        *facts(sight),
        *burden(sight.machine),
    ]
    return ["\n".join(lines)]


def curves(series: Sequence[TrainingCurve], width: int = WIDTH) -> list[str]:
    """Draw each curve that has values in one line: lowest, highest and last beside it."""
    shown = [curve for curve in series if curve.values]
    if not shown:
        return ["no epoch told yet"]
    return [
        f"{curve.name:8} {spark(curve.values, width):{width}} {quantity(curve.values[-1], '')}"
        f"  (from {quantity(min(curve.values), '')} to {quantity(max(curve.values), '')})"
        for curve in shown
    ]


def spark(values: Sequence[float], width: int = WIDTH) -> str:
    """Draw VALUES as at most WIDTH bars, from the lowest value to the highest."""
    if len(values) > width:
        edges = [place * len(values) // width for place in range(width + 1)]
        parts = [values[edges[at] : edges[at + 1]] for at in range(width)]
        values = [sum(part) / len(part) for part in parts]
    low, high = min(values), max(values)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((value - low) * scale)] for value in values)


def facts(sight: LiveStatus) -> list[str]:
    """Word the numbers of the training that are known."""
    told: dict[str, Any] = {
        "learning rate": _number(sight.learning_rate, ".3g"),
        "gradient norm": _number(sight.gradient_norm, ".3g"),
        "images/s": _number(sight.images_per_second, ".3g"),
        "best mean AP": _number(sight.best, ".4f"),
        "time left": duration(sight.seconds_left),
    }
    known = [f"{name} {value}" for name, value in told.items() if value]
    return ["", ", ".join(known)] if known else []


def burden(machine: MachineLoad) -> list[str]:
    """Word what the process takes of its machine."""
    gpu, total = machine.gpu_memory_mb, machine.gpu_memory_total_mb
    told = {
        "CPU": _number(machine.cpu_percent, ".0f", "%"),
        "memory": _number(machine.memory_mb, ",.0f", "MB"),
        "GPU": _number(machine.gpu_percent, ".0f", "%"),
        "GPU memory": f"{_number(gpu, ',.0f')} of {_number(total, ',.0f', 'MB')}"
        if gpu is not None and total
        else "",
    }
    known = [f"{name} {value}" for name, value in told.items() if value]
    return [", ".join(known)] if known else []


def duration(seconds: float | None) -> str:
    """Word SECONDS as hours, minutes and seconds; empty for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _number(value: float | None, spec: str, unit: str = "") -> str:
    return "" if value is None else quantity(value, unit, spec)
