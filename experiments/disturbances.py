"""Why a measurement of time is marked `disturbed`, in words of either language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.wording.phrases import Amount, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.metrics import Metric


@dataclass(frozen=True)
class Disturbances:
    """Signs that a machine was not left alone while it timed."""

    amounts: tuple[tuple[str, float], ...] = ()
    """Sign, and how far it went; see `featherface.profiling.circumstances.LIMITS`."""

    def text(self, language: str = "en") -> str:
        """Return them as one text; that nothing tells of them where the record has none."""
        if not self.amounts:
            return say("disturbance.unknown", language)
        separator = say("semicolon", language)
        return separator.join(
            say(f"disturbance.{sign}", language, amount=Amount(amount, "fraction", places=0))
            for sign, amount in self.amounts
        )

    @classmethod
    def of(cls, circumstances: Mapping[str, Any]) -> Disturbances:
        """Return the disturbances in CIRCUMSTANCES, as a record keeps them."""
        told = circumstances.get("disturbances") or ()
        return cls(tuple((str(each["sign"]), float(each["amount"])) for each in told))

    @classmethod
    def recorded(cls, results: Mapping[str, Any]) -> Disturbances:
        """Return those of the benchmark in RESULTS, the content of a results.json."""
        return cls.of(circumstances(results))


def circumstances(results: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the benchmark in RESULTS knows of the machine; empty for earlier records."""
    benchmark = results.get("details", {}).get("benchmark", {})
    known: Mapping[str, Any] = benchmark.get("circumstances") or {}
    return known


def marked(*metrics: Metric, language: str) -> str:
    """Return the marks of METRICS in brackets, with a space before; empty without any.

    >>> from experiments.metrics import Metric
    >>> busy = Metric(name="latency.cpu.median_ms", value=46, marks=("disturbed",))
    >>> marked(busy, Metric(name="params.total", value=488_661), language="en")
    ' (disturbed)'
    """
    marks = dict.fromkeys(mark for metric in metrics for mark in metric.marks)
    words = marks_text(tuple(marks), language)
    return f" ({words})" if words else ""


def marks_text(marks: tuple[str, ...], language: str) -> str:
    """Return MARKS as words; empty without any."""
    return ", ".join(say(f"mark.{mark}", language) for mark in marks)
