"""The benchmark stage: parameters, operations and size; latency and memory, once there are weights.

What follows from the design alone needs no training. Time is measured with the weights that it is
claimed of, and of several networks in turns where the recipe names others to measure beside.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from experiments.benchmarking.case_metrics import conditions_of, further_statistics, timed_on
from experiments.benchmarking.further_cases import time_engines
from experiments.conditions import Conditions
from experiments.disturbances import Disturbances
from experiments.metrics import KINDS, Metric, ratio_name
from experiments.records.run import Run
from experiments.running import inputs
from experiments.running.beside import BESIDE, beside_parents, load_run
from experiments.running.stage_context import StageContext, StageResult, load_network
from experiments.wording.phrases import say
from featherface.errors import NotFoundError
from featherface.profiling import counting, memory, timing
from featherface.profiling.paired_ratio import paired_ratio
from featherface.variants.table import PAPER_COUNTS

if TYPE_CHECKING:
    from experiments.recipe.model import Recipe
    from experiments.records.record import Parent
    from experiments.records.store import Store
    from featherface.networks.detector import Detector
    from featherface.profiling.timing import Latency


CASES = "cases"
"""Key of the further cases in the details of the stage, and of the files that the export times."""


def benchmark(context: StageContext) -> StageResult:
    """Count the network; with weights, measure its latency and peak memory too."""
    result = StageResult()
    weighted = has_weights(context.store, context.recipe, Run(context.folder))
    model = load_network(context, result) if weighted else inputs.build_network(context.recipe)
    result.metrics = _counts(context, model)
    result.details = {"components": model.components()}
    if weighted:
        _time(context, result, model)
    else:
        name = context.recipe.name
        context.on_message(
            f"{name} has no weights yet: parameters, operations and size are counted; latency and "
            f"memory are measured once it is trained: thesis run {name}"
        )
    return result


def has_weights(store: Store, recipe: Recipe, run: Run | None = None) -> bool:
    """Whether RUN holds weights, the recipe names some, or a finished run of it has some.

    Raises:
        NotFoundError: the file that the recipe names is not there.
    """
    if run is not None and run.weights is not None:
        return True
    if inputs.recipe_weights(store.workspace, recipe) is not None:
        return True
    try:
        inputs.latest_run_weights(store, recipe)
    except NotFoundError:
        return False
    return True


def _counts(context: StageContext, model: Detector) -> list[Metric]:
    """Return what follows from the design alone."""
    counted = counting.paper_counted(model)
    values: dict[str, float] = {
        "params.total": counting.parameters(model),
        **({"params.paper_counted": counted} if counted in PAPER_COUNTS else {}),
        "macs.640": counting.macs(model, 640),
        "size.fp32_mb": counting.weights_megabytes(model),
    }
    return [_metric(context, name, value) for name, value in values.items()]


def _time(context: StageContext, result: StageResult, model: Detector) -> None:
    """Add latency, its ratios to the networks beside, and peak memory to RESULT."""
    config = context.recipe.benchmark
    parents = beside_parents(context.store, context.recipe)
    others = [load_run(context.store.find(parent.run)) for parent in parents]
    latency, *other_latencies = timing.latencies([model, *others], config, context.on_progress)
    conditions = conditions_of(latency, config)
    timed = _Timed(context, timed_on(latency), conditions, latency)
    result.metrics += timed.metrics()
    result.metrics += further_statistics(latency, config, conditions, context.run)
    result.parents += parents
    result.details |= {
        "device": latency.device,
        "precision": latency.precision,
        "threads": latency.threads,
        "clock": latency.clock,
        "warmup": config.warmup,
        "runs_ms": list(latency.runs),
        "statistics_ms": latency.statistics.to_json(),
        "circumstances": latency.circumstances.to_json(),
    }
    if parents:
        metrics, details = timed.ratios(parents, other_latencies)
        result.metrics += metrics
        result.details[BESIDE] = details
    _weigh(context, result, model, dataclasses.replace(conditions, threads=0))
    further = time_engines(model, context.recipe.name, config, context.run, context.on_progress)
    result.metrics += further.metrics
    if further.details:
        result.details[CASES] = further.details
    if latency.marks or further.disturbed:
        warning = _warning(context, latency)
        result.warnings.append(warning)
        context.on_message(warning)


def _weigh(
    context: StageContext, result: StageResult, model: Detector, conditions: Conditions
) -> None:
    """Add the memory of forward passes to RESULT; its mean where passes differ."""
    peak = memory.pass_memory(model, context.recipe.benchmark)
    values = {"memory.peak_mb": peak.max} | (
        {"memory.mean_mb": peak.mean} if peak.passes > 1 else {}
    )
    result.metrics += [_metric(context, name, value, conditions) for name, value in values.items()]


@dataclasses.dataclass(frozen=True)
class _Timed:
    """A latency, and what its metrics have in common."""

    context: StageContext
    hardware: str
    conditions: Conditions
    latency: Latency

    def metric(self, name: str, value: float) -> Metric:
        metric = _metric(self.context, name, value, self.conditions, n=len(self.latency.runs))
        return dataclasses.replace(metric, marks=self.latency.marks)

    def metrics(self) -> list[Metric]:
        values = {"median_ms": self.latency.median, "p90_ms": self.latency.p90}
        return [
            self.metric(f"latency.{self.hardware}.{name}", value) for name, value in values.items()
        ]

    def ratios(
        self, parents: tuple[Parent, ...], others: list[Latency]
    ) -> tuple[list[Metric], list[dict[str, Any]]]:
        """Return how many times as long this network takes as each of the OTHERS."""
        metrics, details = [], []
        for parent, other in zip(parents, others, strict=True):
            ratio = paired_ratio(self.latency.runs, other.runs)
            name = ratio_name(self.hardware, parent.run.partition("@")[0])
            metrics.append(self.metric(name, ratio.value))
            entry = {"run": parent.run, "metric": name, "runs_ms": list(other.runs)}
            details.append(entry | {"ratio": ratio.to_json()})
        return metrics, details


def _metric(
    context: StageContext, name: str, value: float, conditions: Conditions | None = None, n: int = 0
) -> Metric:
    return Metric(
        name=name,
        value=float(value),
        unit=KINDS[name].unit if name in KINDS else "",
        n=n,
        source=context.run,
        conditions=conditions or Conditions(),
    )


def _warning(context: StageContext, latency: Latency) -> str:
    why = Disturbances.of(latency.circumstances.to_json())
    command = f"thesis run {context.run} --stage benchmark --new"
    return say("disturbance.warning", "en", why=why.text("en"), command=command)
