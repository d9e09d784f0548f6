"""The numbers of a model card, each with its evidence, its data, its run and seal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.claims.evidence import Facts
from experiments.conditions_text import setting
from experiments.disturbances import marks_text
from experiments.metrics import AP_METRICS, KINDS, OVERLAP, SUBSETS, Metric, kind
from experiments.number_formats import number_format
from experiments.wording.catalogue import find
from experiments.wording.phrases import say
from experiments.wording.tables import NumberCell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from experiments.comparison.statistics import Interval
    from experiments.deployment.packaged_network import PackagedNetwork
    from experiments.records.run import Run
    from experiments.records.store import Store

SEAL = 12
"""Digits of a seal that are shown."""


@dataclass(frozen=True)
class CardNumber:
    """One row: every part in words of one language."""

    title: str
    value: str
    evidence: str
    about: str
    """Data and how it was measured."""
    source: str
    """Run and seal, or the publication."""


def card_numbers(network: PackagedNetwork, store: Store | None, language: str) -> list[CardNumber]:
    """Return the rows of NETWORK's card in LANGUAGE; STORE holds its run, where it has one."""
    if network.run is not None and store is not None:
        return list(_of_run(network.run, store, language))
    return [*_counted(network, language), *_published(network, language)]


def _of_run(run: Run, store: Store, language: str) -> Iterator[CardNumber]:
    intervals, facts = _intervals(run), Facts(store)
    order = {name: at for at, name in enumerate(KINDS)}
    for metric in sorted(run.metrics, key=lambda each: order.get(each.name, len(order))):
        interval = None if metric.marks else intervals.get(AP_METRICS.get(metric.name, ""))
        stale = bool(facts.changes(run, metric.name))
        yield CardNumber(
            _title(metric.name, language),
            _value(metric, interval, language),
            _evidence(metric, language, stale=stale),
            _about(metric, language),
            f"{run.id}, {run.seal[:SEAL]}",
        )


def _intervals(run: Run) -> Mapping[str, Interval]:
    """Return subset -> the interval of its AP, pictures resampled; empty without match records."""
    record = run.matches()
    if record is None:
        return {}
    from experiments.comparison.statistics import percentiles, resample  # noqa: PLC0415 - numpy

    return {subset: percentiles(values) for subset, values in resample(record).items()}


def _counted(network: PackagedNetwork, language: str) -> Iterator[CardNumber]:
    """Yield what follows from the file alone."""
    metric = Metric(name="params.total", value=network.parameters)
    yield CardNumber(
        _title(metric.name, language),
        _value(metric, None, language),
        say("evidence.measured", language),
        say("card.counted", language),
        say("card.weights", language, sha256=network.weights_sha256[:SEAL]),
    )


def _published(network: PackagedNetwork, language: str) -> Iterator[CardNumber]:
    """Yield what the makers of the weights report, where they are known."""
    known = network.published
    if known is None:
        return
    for subset, value in zip(SUBSETS, known.reported, strict=True):
        name = f"widerface.{subset}.ap"
        if value == value:  # noqa: PLR0124 - NaN, where nothing was reported
            metric = Metric(name=name, value=value, dataset="widerface", split="val")
            yield CardNumber(
                _title(name, language),
                _value(metric, None, language),
                say("evidence.cited", language),
                say("card.reported", language),
                known.title,
            )


def _title(name: str, language: str) -> str:
    return kind(name).title(language)


def _value(metric: Metric, interval: Interval | None, language: str) -> str:
    spec = number_format(metric.name, metric.unit, value=metric.value)
    ends = (interval.low, interval.high) if interval else (None, None)
    unit = find("unit", metric.unit, language) or ""
    text = NumberCell(metric.value, spec, *ends).text(language)
    return f"{text} {unit}".rstrip()


def _evidence(metric: Metric, language: str, *, stale: bool) -> str:
    words = [say(f"evidence.{metric.evidence}", language, maker=metric.maker)]
    if metric.marks:
        words.append(marks_text(metric.marks, language))
    if stale:
        words.append(say("state.stale", language))
    return ", ".join(words)


def _about(metric: Metric, language: str) -> str:
    how = setting(metric.conditions, language)
    if not metric.dataset:
        on = metric.conditions.shown() if metric.name.startswith(("latency", "memory")) else ""
        return ", ".join(part for part in (how, on) if part) or say("none", language)
    data = metric.dataset if metric.dataset in ("synthetic", "widerface") else "other"
    part = "" if metric.complete else "_partial"
    values = {"dataset": metric.dataset, "split": metric.split, "n": metric.n}
    about = say(f"short.{data}{part}", language, **values)
    if OVERLAP in metric.marks:
        about = say("short.overlap", language, about=about)
    return say("semicolon", language).join(part for part in (about, how) if part)
