"""Remedies: the command to type for each reason why a claim can't be judged."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from experiments.staleness.families import (
    BASES,
    UNWEIGHTED,
    family,
    key_counts_for,
    trained,
)
from experiments.wording.shell_quote import quoted
from featherface.errors import ThesisError
from featherface.evaluation.config import PROTOCOLS, EvaluateConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from experiments.conditions import Conditions
    from experiments.metrics import Metric
    from experiments.records.run import Run
    from experiments.records.store import Store
    from experiments.staleness.changes import Change

DRAWN = {"data.root": "synthetic"}
"""A recipe under which every key of the data may matter."""
Step = tuple[str, dict[str, object]]
"""A sentence's code in `wording`, and its values."""


def for_missing_run(store: Store, selector: str) -> Step:
    """Say how to get a finished run that SELECTOR means."""
    from experiments.recipe.resolve import recipes  # noqa: PLC0415 - only where a run is missing

    name = selector.partition("@")[0]
    runs = store.runs(name) if name else []
    if runs and runs[-1].status in ("interrupted", "failed"):
        return _command(f"thesis run {name} --resume")
    known = {one.replace("/", "-"): one for one in recipes(store.workspace)}
    if name in known:
        return _command(f"thesis run {known[name]}")
    return "step-recipe", {"name": name, "command": f"thesis run {name}"} if name else {
        "name": "NAME",
        "command": "thesis run NAME",
    }


def for_missing_metric(store: Store, run: Run, metric: str) -> Step:
    """Say which stage measures METRIC for RUN's weights."""
    command = again(store, run, BASES[family(metric)].stage)
    return ("step-gpu", {"command": command}) if ".gpu." in metric else _command(command)


def for_data(store: Store, run: Run, metric: Metric, wanted: str) -> Step:
    """Say how to measure METRIC on the whole of the set WANTED."""
    recipe = _recipe(run)
    changes = {"data.root": wanted} if recipe.get("root") != wanted else {}
    changes |= {"data.val_limit": "0"} if recipe.get("val_limit") else {}
    stage = "train" if metric.dataset != wanted and trained(run) else "evaluate"
    command = again(store, run, stage, changes)
    if wanted in store.workspace.data_roots:
        return _command(command)
    return "step-data", {"dataset": wanted, "key": f"{wanted} =", "command": command}


def for_protocol(store: Store, run: Run, metric: Metric, wanted: Conditions) -> Step | None:
    """Say how to measure METRIC by the protocol WANTED; None where no command can."""
    asked, used = dict(wanted.settings), dict(metric.conditions.settings)
    usual = asdict(EvaluateConfig())
    if wanted.protocol not in PROTOCOLS or not set(asked) <= set(usual):
        return None
    changes = {
        key: asked.get(key, usual[key])
        for key in (*used, *asked)
        if key in usual and asked.get(key) != used.get(key)
    }
    if metric.conditions.protocol != wanted.protocol:
        changes["protocol"] = wanted.protocol
    overrides = {f"evaluate.{key}": _plain(value) for key, value in changes.items()}
    return _command(again(store, run, "evaluate", overrides))


def for_setting(store: Store, run: Run, wanted: Conditions) -> Step | None:
    """Say how to time RUN's network in the setting WANTED; None where no command can."""
    widths = {side for size in wanted.sizes for side in size}
    if len(widths) != 1 or not wanted.batch:
        return None
    changes = {"benchmark.image_size": str(widths.pop()), "benchmark.batch_size": str(wanted.batch)}
    return _command(again(store, run, "benchmark", changes))


def for_changes(store: Store, found: Iterable[Change]) -> list[Step]:
    """Say what to run again where something has changed: parents first, no more than needed."""
    stages: dict[str, str] = {}
    for change in found:
        stages.setdefault(change.run, change.stage)
        if change.stage == "train":
            stages[change.run] = "train"
    commands = []
    for name, stage in stages.items():
        try:
            commands.append(again(store, store.find(name), stage))
        except ThesisError:
            continue
    return [_command(one) for one in dict.fromkeys(commands)]


def again(store: Store, run: Run, stage: str, changes: Mapping[str, str] | None = None) -> str:
    """Return the command that repeats STAGE of RUN as a new version, with CHANGES to its recipe.

    `train` repeats everything that the recipe says; another stage keeps what matters to it.
    """
    own = trained(run)
    alone = stage if stage != "train" else "" if own else "evaluate"
    values = dict(_assignment(one) for one in run.record.overrides)
    if alone:
        values = {key: value for key, value in values.items() if _matters(key, alone)}
    values |= dict(changes or {})
    if own and stage != "train" and not _is_taken_anyway(store, run, stage):
        weights = run.weights
        if weights is not None:
            values["model.weights"] = weights.relative_to(store.workspace.root).as_posix()
    words = ["thesis run", run.record.recipe_name or run.experiment]
    words += [f"--set {quoted(f'{key}={value}')}" for key, value in values.items()]
    return " ".join([*words, *([f"--stage {alone}"] if alone else [])])


def _matters(key: str, stage: str) -> bool:
    """Whether recipe KEY decides something in STAGE, or which network and weights it takes."""
    names = [name for name, basis in BASES.items() if basis.stage == stage]
    return key.startswith("model.") or any(key_counts_for(name, key, DRAWN) for name in names)


def _is_taken_anyway(store: Store, run: Run, stage: str) -> bool:
    """Whether a stage alone takes RUN's weights by itself, or needs none."""
    if stage in {BASES[name].stage for name in UNWEIGHTED}:
        return True
    with_weights = [one for one in store.runs(run.experiment) if one.sealed and one.weights]
    return not with_weights or with_weights[-1] == run


def _recipe(run: Run) -> Mapping[str, object]:
    try:
        data = run.recipe.get("data", {})
    except ThesisError:
        return {}
    return data if isinstance(data, dict) else {}


def _assignment(override: str) -> tuple[str, str]:
    """Return key and value of an override, text without the quotes of JSON."""
    key, _, value = override.partition("=")
    try:
        plain = json.loads(value)
    except ValueError:
        return key, value
    return key, plain if isinstance(plain, str) else value


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _command(text: str) -> Step:
    return "step", {"command": text}
