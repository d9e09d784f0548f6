"""Remedies: the command to type for each reason why a claim can't be judged."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from experiments.metrics import RATIO
from experiments.staleness.families import (
    DEPENDENCIES,
    UNWEIGHTED,
    family,
    key_counts_for,
    trained,
)
from experiments.wording.shell_quote import quoted
from featherface.errors import ThesisError
from featherface.evaluation.config import PROTOCOLS, EvaluateConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from experiments.conditions import Conditions
    from experiments.metrics import Metric
    from experiments.records.run import Run
    from experiments.records.store import Store
    from experiments.staleness.changes import ProvenanceChange

SYNTHETIC_DATA = {"data.root": "synthetic"}
"""Settings of a recipe under which every key of `data` may matter."""
CARRIED_KEYS = {"evaluate": ("data.name", "data.allow_missing", "evaluate", "train.device")}
"""Stage -> keys and sections that it takes over though some decide no number: without them it would
be refused, or its set would be called otherwise."""
Step = tuple[str, dict[str, object]]
"""A sentence's code in `wording`, and its values."""


def for_missing_run(store: Store, selector: str, metric: str = "") -> Step:
    """Return how to get a finished run for SELECTOR that has METRIC.

    What follows from a network's design alone is counted without training.
    """
    from experiments.recipe.resolve import recipes  # noqa: PLC0415 - only where a run is missing

    name = selector.partition("@")[0]
    runs = store.runs(name) if name else []
    if runs and runs[-1].status in ("interrupted", "failed"):
        return _command(f"thesis run {name} --resume")
    recipe_names = {recipe.replace("/", "-"): recipe for recipe in recipes(store.workspace)}
    if name in recipe_names:
        counted = family(metric) == "network" if metric else False
        stage = f" --stage {DEPENDENCIES['network'].stage}" if counted else ""
        return _command(f"thesis run {recipe_names[name]}{stage}")
    return "step-recipe", {"name": name, "command": f"thesis run {name}"} if name else {
        "name": "NAME",
        "command": "thesis run NAME",
    }


def for_missing_metric(store: Store, run: Run, metric: str) -> Step:
    """Return the command of the stage that measures METRIC with RUN's weights.

    All but counts take weights: where the experiment has none yet, the command trains them.
    """
    needed = family(metric)
    changes = {}
    if ratio := RATIO.fullmatch(metric):
        changes = {"benchmark.beside": f"[{ratio[2]}]"}
    if needed != "network" and not _has_weights(store, run):
        command = f"thesis run {run.record.recipe_name or run.experiment}"
    else:
        command = repeat_command(store, run, DEPENDENCIES[needed].stage, changes)
    return ("step-gpu", {"command": command}) if ".gpu." in metric else _command(command)


def for_data(store: Store, run: Run, metric: Metric, wanted: str) -> Step:
    """Return how to measure METRIC on the whole data set WANTED."""
    data = _data_section(run)
    changes = {"data.root": wanted} if data.get("root") != wanted else {}
    changes |= {"data.val_limit": "0"} if data.get("val_limit") else {}
    stage = "train" if metric.dataset != wanted and trained(run) else "evaluate"
    command = repeat_command(store, run, stage, changes)
    if wanted in store.workspace.data_roots:
        return _command(command)
    return "step-data", {"dataset": wanted, "key": f"{wanted} =", "command": command}


def for_protocol(store: Store, run: Run, metric: Metric, wanted: Conditions) -> Step | None:
    """Return how to measure METRIC by the protocol WANTED; None where no command does."""
    wanted_settings, used_settings = dict(wanted.settings), dict(metric.conditions.settings)
    defaults = asdict(EvaluateConfig())
    if wanted.protocol not in PROTOCOLS or not set(wanted_settings) <= set(defaults):
        return None
    changes = {
        key: wanted_settings.get(key, defaults[key])
        for key in (*used_settings, *wanted_settings)
        if key in defaults and wanted_settings.get(key) != used_settings.get(key)
    }
    if metric.conditions.protocol != wanted.protocol:
        changes["protocol"] = wanted.protocol
    overrides = {f"evaluate.{key}": _override_text(value) for key, value in changes.items()}
    return _command(repeat_command(store, run, "evaluate", overrides))


def for_setting(store: Store, run: Run, wanted: Conditions) -> Step | None:
    """Return how to time RUN's network in the setting WANTED; None where no command does."""
    widths = {side for size in wanted.sizes for side in size}
    if len(widths) != 1 or not wanted.batch:
        return None
    changes = {"benchmark.image_size": str(widths.pop()), "benchmark.batch_size": str(wanted.batch)}
    if wanted.threads:
        changes["benchmark.threads"] = str(wanted.threads)
    return _command(repeat_command(store, run, "benchmark", changes))


def for_disturbance(run: Run, metric: str) -> Step:
    """Return how to take METRIC of RUN's weights again, on a machine that is left alone."""
    command = f"thesis run {run.id} --stage benchmark --new"
    return ("step-gpu", {"command": command}) if ".gpu." in metric else _command(command)


def for_changes(store: Store, changes: Iterable[ProvenanceChange]) -> list[Step]:
    """Return what to run again after CHANGES: parents first, no more stages than needed."""
    stages: dict[str, str] = {}
    for change in changes:
        stages.setdefault(change.run, change.stage)
        if change.stage == "train":
            stages[change.run] = "train"
    commands = []
    for name, stage in stages.items():
        try:
            commands.append(repeat_command(store, store.find(name), stage))
        except ThesisError:
            continue
    return [_command(command) for command in dict.fromkeys(commands)]


def repeat_command(
    store: Store, run: Run, stage: str, changes: Mapping[str, str] | None = None
) -> str:
    """Return the command that repeats STAGE of RUN as a new version, with CHANGES to its recipe.

    `train` repeats all stages of the recipe with all overrides of RUN; another stage is run alone,
    with RUN's weights and the overrides that matter to it.
    """
    stage_alone = stage if stage != "train" else "" if trained(run) else "evaluate"
    values = _overrides(run, (stage_alone,) if stage_alone else ())
    values |= dict(changes or {})
    if trained(run) and stage != "train" and not _needs_no_weights_key(store, run, stage):
        values |= _weights_key(store, run)
    words = ["thesis run", run.record.recipe_name or run.experiment]
    words += [f"--set {quoted(f'{key}={value}')}" for key, value in values.items()]
    return " ".join([*words, *([f"--stage {stage_alone}"] if stage_alone else [])])


def repeat_overrides(store: Store, run: Run, stages: Sequence[str]) -> list[str]:
    """Return the `--set` texts by which STAGES of RUN are done again with the very same weights.

    Without stages, or with `train`, all that RUN was told counts, and it trains anew.
    """
    if not stages or "train" in stages:
        values = _overrides(run, ())
    else:
        values = _overrides(run, stages) | _weights_key(store, _weights_owner(store, run))
    return [f"{key}={value}" for key, value in values.items()]


def _overrides(run: Run, stages: Sequence[str]) -> dict[str, str]:
    """Return key -> text of what `--set` said to RUN, as far as it matters to STAGES, or all."""
    values = dict(_assignment(override) for override in run.record.overrides)
    return {
        key: value
        for key, value in values.items()
        if not stages or any(_matters(key, stage) for stage in stages)
    }


def _weights_owner(store: Store, run: Run) -> Run | None:
    """Return the run whose weights RUN has: itself, or one it took them from; None: a file's."""
    if trained(run):
        return run
    parents = [parent.run for parent in run.record.parents if parent.role == "weights"]
    return store.find(parents[0]) if parents and parents[0] else None


def _weights_key(store: Store, run: Run | None) -> dict[str, str]:
    """Return the key that names the weights of RUN; none where it has none."""
    if run is None or run.weights is None:
        return {}
    return {"model.weights": run.weights.relative_to(store.workspace.root).as_posix()}


def _has_weights(store: Store, run: Run) -> bool:
    """Whether RUN took weights, or predictions in their place, or a finished version has some."""
    taken = any(parent.role in ("weights", "predictions") for parent in run.record.parents)
    named = any(override.startswith("model.weights=") for override in run.record.overrides)
    versions = [version for version in store.runs(run.experiment) if version.sealed]
    return taken or named or any(trained(version) or version.weights for version in versions)


def _matters(key: str, stage: str) -> bool:
    """Whether recipe KEY has an influence on STAGE: the network's keys always have."""
    if any(key == kept or key.startswith(f"{kept}.") for kept in CARRIED_KEYS.get(stage, ())):
        return True
    names = [name for name, basis in DEPENDENCIES.items() if basis.stage == stage]
    return key.startswith("model.") or any(
        key_counts_for(name, key, SYNTHETIC_DATA) for name in names
    )


def _needs_no_weights_key(store: Store, run: Run, stage: str) -> bool:
    """Whether STAGE alone takes RUN's weights by default, or needs none."""
    if stage in {DEPENDENCIES[name].stage for name in UNWEIGHTED}:
        return True
    with_weights = [
        version for version in store.runs(run.experiment) if version.sealed and version.weights
    ]
    return not with_weights or with_weights[-1] == run


def _data_section(run: Run) -> Mapping[str, object]:
    try:
        data = run.recipe.get("data", {})
    except ThesisError:
        return {}
    return data if isinstance(data, dict) else {}


def _assignment(override: str) -> tuple[str, str]:
    """Return key and value of an override, text without the quotes of JSON."""
    key, _, value = override.partition("=")
    try:
        parsed = json.loads(value)
    except ValueError:
        return key, value
    return key, parsed if isinstance(parsed, str) else value


def _override_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _command(text: str) -> Step:
    return "step", {"command": text}
