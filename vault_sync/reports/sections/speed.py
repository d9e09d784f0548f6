"""The conditions of latency measurements, in a sentence: input size, threads, machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.metrics import LATENCIES
from vault_sync.rendering.markdown import Safe, escape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from experiments.metrics import Metric
    from experiments.records.run import Run
    from vault_sync.rendering.page import Page


def speed(page: Page, runs: Iterable[Run]) -> Safe:
    """Say in a sentence how the latencies of RUNS were taken; empty where there is none."""
    chosen = list(runs)
    told = _settings(page, chosen)
    if not told or not any(metric and metric.marks for metric in map(timing, chosen)):
        return told
    return Safe(f"{told} {page.words.say('disturbance.note')}")


def _settings(page: Page, runs: Iterable[Run]) -> Safe:
    words = page.words
    settings = {run: setting for run in runs if (setting := _setting(page, run))}
    if not settings:
        return Safe("")
    if len(set(settings.values())) == 1:
        where, on = next(iter(settings.values()))
        return words.say("speed.same", setting=where, machine=on)
    phrases = [
        words.say("speed.one", run=page.run_in_prose(run), setting=where, machine=on)
        for run, (where, on) in settings.items()
    ]
    return words.say("speed.mixed", list=Safe(f"{words.semicolon}".join(phrases)))


def timing(run: Run) -> Metric | None:
    """Return the latency that stands for how RUN's time and memory were taken; None without one."""
    return next((metric for name in LATENCIES if (metric := run.metric(name))), None)


def _setting(page: Page, run: Run) -> tuple[Safe, Safe] | None:
    """Return setting and machine of a run's latency; None where it was not taken."""
    metric = timing(run)
    if metric is None:
        return None
    name = metric.conditions.shown() if metric.conditions.hardware else ""
    machine = escape(name) if name else page.words.say("speed.unknown")
    where = page.words.setting(metric)
    if metric.n:
        where = page.words.say("speed.median", setting=where, n=metric.n)
    return where, machine
