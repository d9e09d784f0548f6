"""Numbers of a record computed again from the files that they follow from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from experiments.claims.margins import Resampled
from experiments.metrics import AP_METRICS
from experiments.proof.outcome import FAILED, HELD, NOT_DONE, ProofOutcome
from experiments.records.agreement import TOLERANCE, contradictions
from experiments.records.run import MATCHES, RESULTS
from featherface.errors import ThesisError
from featherface.weights.network_settings import read_header

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.records.run import Run
    from experiments.records.store import Store

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
"""How the names of tensors end that a network keeps and does not learn."""
LARGEST_HEADER = 100_000_000
"""Bytes; safetensors allows no more."""


def accuracy(run: Run, store: Store) -> ProofOutcome:
    """Compute each AP again from the match records."""
    del store
    name = "accuracy"
    names = [metric.name for metric in run.metrics if metric.name in AP_METRICS]
    if not names:
        return ProofOutcome(name, NOT_DONE, "it states no AP")
    if not run.has_matches:
        return ProofOutcome(name, NOT_DONE, f"it holds no {MATCHES}")
    wrong = contradictions(run)
    if wrong:
        return ProofOutcome(name, FAILED, "; ".join(each.detail for each in wrong), wrong[0].path)
    return ProofOutcome(name, HELD, f"{len(names)} APs from {MATCHES}")


def parameters(run: Run, store: Store) -> ProofOutcome:
    """Count the parameters again, from the shapes of the tensors in the weights file."""
    del store
    name, metric = "parameters", run.metric("params.total")
    if metric is None:
        return ProofOutcome(name, NOT_DONE, "it states no parameters")
    path = run.weights
    if path is None:
        return ProofOutcome(name, NOT_DONE, "it holds no weights")
    try:
        count = count_parameters(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return ProofOutcome(name, FAILED, f"{path.name} can't be read: {error}", _within(run, path))
    if count != metric.value:
        detail = f"params.total is {metric.value:,.0f}, {path.name} holds {count:,}"
        return ProofOutcome(name, FAILED, detail, RESULTS)
    return ProofOutcome(name, HELD, f"{count:,} from {path.name}")


def count_parameters(path: Path) -> int:
    """Return how many numbers the network in PATH (.safetensors) learns; no tensor is read.

    Raises:
        OSError, ValueError, KeyError, TypeError, AttributeError: it is no such file.
    """
    return sum(
        math.prod(entry["shape"])
        for name, entry in read_header(path, LARGEST_HEADER).items()
        if name != "__metadata__" and not name.endswith(BUFFERS)
    )


def intervals(run: Run, store: Store) -> ProofOutcome:
    """Resample the match records: each AP lies inside its own 95 % interval."""
    name = "intervals"
    if not run.has_matches:
        return ProofOutcome(name, NOT_DONE, f"it holds no {MATCHES}")
    resampled = Resampled(store.workspace.state / "cache" / "resamples")
    seen = 0
    for metric in run.metrics:
        interval = resampled.interval(run, metric.name)
        if interval is None or math.isnan(interval.low):
            continue
        seen += 1
        if not interval.low - TOLERANCE <= metric.value <= interval.high + TOLERANCE:
            span = f"[{interval.low:.6f}, {interval.high:.6f}]"
            detail = f"{metric.name} is {metric.value:.6f}, outside its interval {span}"
            return ProofOutcome(name, FAILED, detail, RESULTS)
    if not seen:
        return ProofOutcome(name, NOT_DONE, "it states no AP")
    return ProofOutcome(name, HELD, f"{seen} APs inside their 95 % intervals")


def matches(run: Run, store: Store) -> ProofOutcome:
    """Match the predictions with the ground truth again, where the data are at hand."""
    name = "matches"
    if not run.has_matches:
        return ProofOutcome(name, NOT_DONE, f"it holds no {MATCHES}")
    from experiments.proof.rematching import Lacking, rematch  # noqa: PLC0415 - torch and the data

    try:
        same, count = rematch(run, store)
    except Lacking as error:
        return ProofOutcome(name, NOT_DONE, str(error))
    except ThesisError as error:
        return ProofOutcome(name, NOT_DONE, error.message)
    if not same:
        detail = f"{MATCHES} is not what the predictions give on {count:,} images"
        return ProofOutcome(name, FAILED, detail, MATCHES)
    return ProofOutcome(name, HELD, f"{count:,} images from the predictions and the ground truth")


def _within(run: Run, path: Path) -> str:
    return path.relative_to(run.folder).as_posix()
