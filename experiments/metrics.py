"""Metrics: a value with unit, data, conditions, evidence, and the table of their kinds."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from experiments.conditions import Conditions
from experiments.earlier_conditions import read_conditions
from featherface.errors import DataError, UsageError, unknown
from featherface.export.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVIDENCE = ("measured", "imported", "cited", "target")
DISTURBED, OVERLAP = "disturbed", "overlap"
MARKS = (DISTURBED, OVERLAP)
"""What a measurement can be marked with, so that it is shown and neither compared nor claimed:
taken on a disturbed machine; taken on pictures that the network was trained on."""
SYNTHETIC = "synthetic"
"""Data set of the pictures that the tool draws."""
SUBSETS = ("easy", "medium", "hard")
AP_METRICS = {
    "widerface.easy.ap": "easy",
    "widerface.medium.ap": "medium",
    "widerface.hard.ap": "hard",
    "widerface.mean_ap": "mean",
}
"""Metric -> the subset in match records, which tell how sure it is."""
LATENCIES = {"latency.cpu.median_ms": "cpu", "latency.gpu.median_ms": "gpu"}
"""Metric -> the part of the hardware that it speaks of."""
RATIO = re.compile(r"latency\.(cpu|gpu)\.ratio\.(.+)")
"""Names of ratios of two networks' latencies, timed in turns; they end with the other's name."""
CASE = re.compile(
    r"(?P<start>latency|throughput|energy|memory)\.(?P<part>cpu|gpu)\.(?P<by>[a-z][a-z0-9-]*)"
    r"\.(?P<side>\d+)\.b(?P<batch>\d+)(?P<whole>\.detection)?\.(?P<what>[a-z0-9_]+)"
)
"""Names of further cases of a benchmark: what computed or in which format, side, batch, value."""


@dataclass(frozen=True, kw_only=True)
class MetricKind:
    """What every metric of one name has in common."""

    unit: str
    """`fraction` (0 to 1), `parameters`, `MACs`, `ms`, `MB` or `` for a bare number."""
    higher_is_better: bool
    english: str
    french: str
    places: int = 2
    """Decimals a table shows."""

    def title(self, language: str) -> str:
        """Return the row or axis title in LANGUAGE (`fr` or `en`)."""
        return self.french if language == "fr" else self.english


def _score(english: str, french: str) -> MetricKind:
    return MetricKind(
        unit="fraction", higher_is_better=True, english=english, french=french, places=1
    )


def _cost(unit: str, english: str, french: str, places: int = 0) -> MetricKind:
    return MetricKind(
        unit=unit, higher_is_better=False, english=english, french=french, places=places
    )


def _error(english: str, french: str) -> MetricKind:
    return MetricKind(
        unit="fraction", higher_is_better=False, english=english, french=french, places=1
    )


KINDS: dict[str, MetricKind] = {
    "widerface.easy.ap": _score("AP Easy", "AP Easy"),
    "widerface.medium.ap": _score("AP Medium", "AP Medium"),
    "widerface.hard.ap": _score("AP Hard", "AP Hard"),
    "widerface.mean_ap": _score("Mean AP", "AP moyenne"),
    **{
        f"widerface.{subset}.{what}": _score(
            f"{english} {subset.title()}", f"{french} {subset.title()}"
        )
        for what, english, french in (
            ("recall", "Recall", "Rappel"),
            ("precision", "Precision", "Précision"),
        )
        for subset in SUBSETS
    },
    "widerface.recall": _score("Recall, mean of the three", "Rappel, moyenne des trois"),
    "widerface.precision": _score("Precision, mean of the three", "Précision, moyenne des trois"),
    "widerface.localisation": _score(
        "Mean IoU of the faces found", "IoU moyen des visages trouvés"
    ),
    "widerface.landmark_error": _error(
        "Landmark error (share of face size)",
        "Erreur des points de repère (part de la taille du visage)",
    ),
    "widerface.calibration_error": _error(
        "Calibration error of the scores", "Erreur de calibration des scores"
    ),
    "params.total": _cost("parameters", "Parameters", "Paramètres"),
    "params.paper_counted": _cost(
        "parameters",
        "Parameters (counted as in the paper)",
        "Paramètres (comptés comme dans l'article)",
    ),
    "macs.640": _cost("MACs", "MACs at 640²", "MACs à 640²"),
    "macs.320": _cost("MACs", "MACs at 320²", "MACs à 320²"),
    "macs.vga": _cost("MACs", "MACs at 640×480", "MACs à 640×480"),
    **{
        f"latency.{part}.{statistic}_ms": _cost(
            "ms", f"{part.upper()} latency, {english}", f"Latence {part.upper()}, {french}", 1
        )
        for part in ("cpu", "gpu")
        for statistic, (english, french) in {
            "median": ("median", "médiane"),
            "p90": ("90th percentile", "90e centile"),
            "p95": ("95th percentile", "95e centile"),
            "p99": ("99th percentile", "99e centile"),
            "mean": ("mean", "moyenne"),
            "std": ("standard deviation", "écart type"),
        }.items()
    },
    **{
        f"throughput.{part}.pictures_per_s": MetricKind(
            unit="pictures/s",
            higher_is_better=True,
            english=f"{part.upper()} throughput",
            french=f"Débit {part.upper()}",
            places=1,
        )
        for part in ("cpu", "gpu")
    },
    **{
        f"energy.{part}.joules_per_picture": _cost(
            "J", f"{part.upper()} energy per picture", f"Énergie {part.upper()} par image", 3
        )
        for part in ("cpu", "gpu")
    },
    "size.fp32_mb": _cost("MB", "Weights, fp32", "Poids, fp32", 2),
    "memory.peak_mb": _cost("MB", "Peak memory", "Pic de mémoire", 1),
    "memory.mean_mb": _cost(
        "MB", "Peak memory, mean of the passes", "Pic de mémoire, moyenne des passes", 1
    ),
    **{
        f"export.{name}.parity": _cost(
            "", f"{form.title} parity (max. difference)", f"Parité {form.title} (écart max.)", 7
        )
        for name, form in FORMATS.items()
    },
    **{
        f"export.{name}.ap_loss.{subset}": _error(
            f"AP {subset.title()} lost by {form.title}",
            f"AP {subset.title()} perdue par {form.title}",
        )
        for name, form in FORMATS.items()
        for subset in (*SUBSETS, "mean")
    },
    "train.loss": _cost("", "Training loss", "Perte d'apprentissage", 4),
}
"""The metrics the tool itself records, in the order tables show them."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number. Two metrics may be compared only where `context` is equal."""

    name: str
    value: float
    """In `unit`; AP is a fraction, 0.825 and not 82.5."""
    unit: str = ""
    dataset: str = ""
    """`widerface`, `synthetic`, another set's name, or empty where no data took part."""
    split: str = ""
    n: int = 0
    """Images (or repeated runs) behind the value; 0 where that has no meaning."""
    complete: bool = True
    """Whether the whole split was used: 34 of 3,226 images is not complete."""
    fingerprint: str = ""
    """Of the data it was taken on."""
    evidence: str = "measured"
    source: str = ""
    """The run (`v2@1`) that measured it, or the publication that it is cited from."""
    maker: str = ""
    """Whose predictions or numbers these are, where the evidence is `imported`."""
    marks: tuple[str, ...] = ()
    """What must be said beside it, of `MARKS`."""
    conditions: Conditions = field(default_factory=Conditions)
    """How it was measured, and on what, where that decides it."""

    def __post_init__(self) -> None:
        if self.evidence not in EVIDENCE:
            raise UsageError(unknown("kind of evidence", self.evidence, EVIDENCE))
        for mark in self.marks:
            if mark not in MARKS:
                raise UsageError(unknown("mark of a metric", mark, MARKS))
        if not self.name:
            raise UsageError("a metric needs a name")
        if not math.isfinite(self.value):
            raise UsageError(f"metric {self.name}: {self.value} is not a number to record")

    @property
    def context(self) -> tuple[object, ...]:
        """Return what must agree to compare values.

        Dataset, split, completeness, how it was measured; of time and memory on what too.
        """
        return (self.dataset, self.split, self.complete, *self.conditions.decisive(self.name))

    @property
    def protocol(self) -> str:
        """How it was measured, as text: `vga+flip`, for a latency `640×640, batch 1, 2 threads`."""
        return self.conditions.identity

    @property
    def kind(self) -> MetricKind:
        """Return what is known of metrics of this name."""
        return kind(self.name, self.unit)

    def to_json(self) -> dict[str, Any]:
        """Return plain values; `from_json` gives an equal metric back.

        `protocol` is for people, and for scripts that know no `conditions`.
        """
        values = vars(self) | {"protocol": self.protocol, "conditions": self.conditions.to_json()}
        values["marks"] = list(self.marks)
        return {key: values[key] for key in JSON_KEYS if key not in LEFT_OUT_EMPTY or values[key]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Metric:
        """Read what `to_json` wrote; keys that a later version added are ignored.

        Raises:
            DataError: a value is missing or of another type.
        """
        chosen = {key: values[key] for key in FIELDS if key in values}
        try:
            chosen["value"] = float(chosen["value"])
            chosen["n"] = int(chosen.get("n", 0))
            chosen["marks"] = tuple(values.get("marks", ()))
            chosen["conditions"] = read_conditions(values)
            return cls(**chosen)
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise DataError(f"not a metric: {dict(values)!r} ({error})") from error


FIELDS = tuple(field.name for field in dataclasses.fields(Metric))
JSON_KEYS = (*FIELDS[:5], "protocol", *FIELDS[5:])
"""Keys of a metric's plain values, in their order."""
LEFT_OUT_EMPTY = frozenset({"maker", "marks", "conditions"})
"""Keys that most metrics have no value for."""


def kind(name: str, unit: str = "") -> MetricKind:
    """Return the kind of metric NAME; an unknown name is its own title."""
    if name in KINDS:
        return KINDS[name]
    if ratio := RATIO.fullmatch(name):
        part, other = ratio[1].upper(), ratio[2]
        return _cost(
            "",
            f"{part} latency, times {other}'s",
            f"Latence {part}, rapportée à celle de {other}",
            3,
        )
    if (case := CASE.fullmatch(name)) and (main := _main_kind(case)):
        return _case_kind(case, main)
    return MetricKind(unit=unit, higher_is_better=True, english=name, french=name, places=4)


def _main_kind(case: re.Match[str]) -> MetricKind | None:
    """Return the kind of what a further case measured, without its conditions."""
    start, part, what = case["start"], case["part"].upper(), case["what"]
    if (start, what) == ("latency", "ratio"):
        return _cost(
            "",
            f"{part} latency, times the first engine's",
            f"Latence {part}, rapportée à celle du premier moteur",
            3,
        )
    return KINDS.get(f"{start}.{case['part']}.{what}") or KINDS.get(f"{start}.{what}")


def _case_kind(case: re.Match[str], main: MetricKind) -> MetricKind:
    """Return the kind MAIN with the conditions of a further case in its titles."""
    by, side, batch = case["by"], case["side"], case["batch"]
    whole, entire = (", whole detection", ", détection entière") if case["whole"] else ("", "")
    return dataclasses.replace(
        main,
        english=f"{main.english} ({by}, {side}², batch {batch}{whole})",
        french=f"{main.french} ({by}, {side}², lot de {batch}{entire})",
    )


def ratio_name(part: str, experiment: str) -> str:
    """Return the metric of how many times as long as EXPERIMENT's network one takes on PART.

    >>> ratio_name("cpu", "v1")
    'latency.cpu.ratio.v1'
    """
    return f"latency.{part}.ratio.{experiment}"


def case_name(
    start: str, part: str, by: str, side: int, batch: int, what: str, *, whole: bool = False
) -> str:
    """Return the metric WHAT of a further case, computed BY an engine or in a format on PART.

    >>> case_name("latency", "cpu", "onnxruntime", 320, 4, "median_ms")
    'latency.cpu.onnxruntime.320.b4.median_ms'
    """
    return f"{start}.{part}.{by}.{side}.b{batch}{'.detection' if whole else ''}.{what}"


def find(metrics: Iterable[Metric], name: str) -> Metric | None:
    """Return the metric called NAME, or None."""
    return next((metric for metric in metrics if metric.name == name), None)
