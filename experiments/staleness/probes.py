"""The probes of a record, and whether today's code still computes the same values.

A run writes the values of its probes when a stage is done. Later, where any source file differs,
they are computed again under the run's own settings, once for each state of the sources and each
settings that a probe reads; where no line differs, nothing is loaded at all.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.records import writer
from experiments.staleness.probe_cache import cache_of, source_now
from experiments.staleness.source_digest import code_digest
from featherface.errors import ThesisError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from experiments.recipe.model import Recipe
    from experiments.records.run import Run
    from experiments.staleness.probe_cache import ProbeCache
    from experiments.workspace.workspace import Workspace
    from featherface.probes.numbers import Values
    from featherface.probes.settings import ProbeSettings
    from featherface.probes.table import Probe

FILE = "probes.json"
"""The file of a record that holds them."""
SCHEMA = 1
STAGES = {
    "train": ("training",),
    "evaluate": ("accuracy",),
    "benchmark": ("network", "speed"),
    "export": ("export",),
}
"""Stage of a run -> the families of the numbers that it makes."""
SAME, DIFFERENT, UNKNOWN = "same", "different", "unknown"


class ProbeError(Exception):
    """A probe can't be computed: a fault of the probe, not of what it looks at."""


@dataclass(frozen=True)
class ProbeVerdict:
    """Whether the numbers of one family are still what the code computes."""

    family: str
    state: str = SAME
    """SAME, DIFFERENT, or UNKNOWN where it can't be told."""
    differing: tuple[str, ...] = ()
    """Names of the probes with other values."""
    reason: str = ""
    """Why it is UNKNOWN; empty where the record is of a version without probes."""
    recomputed: bool = False
    """Whether the code differs, so that the probes were computed again."""


@functools.cache
def probe_table() -> Mapping[str, Probe]:
    """Return every probe: those of the core, and those of the metrics that are defined here."""
    from experiments.staleness import metric_probes  # noqa: PLC0415 - torch, where probes are computed
    from featherface.probes.table import PROBES  # noqa: PLC0415 - as above

    return {**PROBES, **metric_probes.PROBES}


def settings_of(recipe: Recipe) -> ProbeSettings:
    """Return the settings under which the probes of a run of RECIPE are computed."""
    from featherface.probes.settings import ProbeSettings  # noqa: PLC0415 - all configurations

    return ProbeSettings(
        model=recipe.model.detector(),
        train=recipe.train,
        distill=recipe.distill,
        teacher=recipe.teacher_network(),
        evaluate=recipe.evaluate,
        export=recipe.export,
        synthetic=recipe.data.synthetic if recipe.data.root == "synthetic" else None,
    )


def write_probes(folder: Path, stage: str, recipe: Recipe) -> None:
    """Write the values that the probes of STAGE's families have under RECIPE into FOLDER.

    Raises:
        ProbeError: they can't be computed; nothing was written.
        HeldError: another program holds the file.
        UnavailableError: it can't be written.
    """
    from featherface.probes.table import (  # noqa: PLC0415 - torch; a stage has it
        forget_networks,
        measure,
        probes_for,
    )

    settings, table = settings_of(recipe), probe_table()
    by_family = {family: probes_for(settings, [family], table) for family in STAGES[stage]}
    try:
        values = measure(settings, probes_for(settings, STAGES[stage], table))
    except ThesisError as error:  # it would end the run
        raise ProbeError(error.message) from error
    finally:
        forget_networks()  # the memory is the run's
    families = {
        family: {
            "source": source_now(),
            "probes": {
                name: {"values": values[name], "tolerance": probe.tolerance}
                for name, probe in probes.items()
            },
        }
        for family, probes in by_family.items()
    }
    earlier = writer.read_json(folder / FILE).get("families", {})
    content = {"schema": SCHEMA, "families": {**earlier, **families}}
    writer.write_json(folder / FILE, content)


def verdicts(run: Run, workspace: Workspace, families: Sequence[str]) -> list[ProbeVerdict]:
    """Return for each of FAMILIES whether today's code still computes RUN's numbers of it.

    The verdict on a sealed record is kept for the state of the sources.
    """
    cache = cache_of(workspace.state / "cache" / "probes", source_now())
    cached = {family: cache.verdict(run.seal, family) for family in families}
    judged = {
        name: ProbeVerdict(name, *verdict, recomputed=True)
        for name, verdict in cached.items()
        if verdict
    }
    changed: dict[str, _RecordedFamily] = {}
    recorded = _read_recorded(run.folder) if len(judged) < len(families) else {}
    for family in (name for name in families if name not in judged):
        entry = recorded.get(family)
        if entry is None:
            judged[family] = _verdict_without_probes(run, family)
        elif entry.source == source_now():
            judged[family] = ProbeVerdict(family)
        else:
            changed[family] = entry
    for verdict in _recompute(run, cache, changed) if changed else ():
        cache.keep_verdict(
            run.seal, verdict.family, verdict.state, verdict.differing, verdict.reason
        )
        judged[verdict.family] = verdict
    return [judged[family] for family in families]


class _RecordedFamily(NamedTuple):
    """The probes of one family as a record keeps them."""

    source: str
    """Digest of all sources that computed them."""
    probes: Mapping[str, Any]
    """Name -> `values` and `tolerance`, as they were read."""


def _read_recorded(folder: Path) -> dict[str, _RecordedFamily]:
    """Return family -> its probes in FOLDER's record; nothing where they can't be read."""
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            return {}
        families = content["families"].items()
        return {
            name: _RecordedFamily(str(content["source"]), dict(content["probes"]))
            for name, content in families
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _verdict_without_probes(run: Run, family: str) -> ProbeVerdict:
    """Judge a record without probes of FAMILY: it is the same only while the core's files are."""
    recorded = run.record.code
    if not recorded or recorded == code_digest():
        return ProbeVerdict(family)
    return ProbeVerdict(family, UNKNOWN)


def _recompute(
    run: Run, cache: ProbeCache, recorded: Mapping[str, _RecordedFamily]
) -> list[ProbeVerdict]:
    """Compute the probes of RECORDED again, and compare."""
    from featherface.probes.table import probes_for  # noqa: PLC0415 - torch, where probes are computed

    table = probe_table()
    try:
        settings = settings_of(_recipe(run))
        values = _values(settings, probes_for(settings, recorded, table), cache)
    except ThesisError as error:
        return [
            ProbeVerdict(name, UNKNOWN, (), error.message, recomputed=True) for name in recorded
        ]
    judged = []
    for family, entry in recorded.items():
        current = {name: values[name] for name in probes_for(settings, [family], table)}
        differing = tuple(_differing(entry, current))
        state = DIFFERENT if differing else SAME
        judged.append(ProbeVerdict(family, state, differing, recomputed=True))
    return judged


def _recipe(run: Run) -> Recipe:
    """Return RUN's recipe without the keys that this version does not know.

    Raises:
        UsageError: a value means nothing to this version.
    """
    from experiments import schema  # noqa: PLC0415 - all configurations
    from experiments.recipe.model import Recipe, flatten  # noqa: PLC0415 - as above

    values: dict[str, Any] = {}
    legal = schema.keys(Recipe)
    for key, value in flatten(run.recipe).items():
        if key in legal:
            *sections, name = key.split(".")
            section_values = values
            for section in sections:
                section_values = section_values.setdefault(section, {})
            section_values[name] = value
    return schema.build(Recipe, values, {})


def _values(
    settings: ProbeSettings, probes: Mapping[str, Probe], cache: ProbeCache
) -> dict[str, Values]:
    """Return the values of each of PROBES under SETTINGS, computed where CACHE has none."""
    from featherface.probes.table import measure  # noqa: PLC0415 - as above

    digests = {name: settings.digest(probe.reads) for name, probe in probes.items()}
    cached = {name: cache.values(name, digest) for name, digest in digests.items()}
    missing = {name: probe for name, probe in probes.items() if cached[name] is None}
    computed = measure(settings, missing) if missing else {}
    cache.keep_values({(name, digests[name]): values for name, values in computed.items()})
    return {name: values for name, values in {**cached, **computed}.items() if values is not None}


def _differing(entry: _RecordedFamily, current: Mapping[str, Values]) -> Iterator[str]:
    """Yield the probes of ENTRY whose CURRENT values differ, or that are no more.

    One that only today's code has was not known to the run: it is no change.
    """
    for name, recorded in entry.probes.items():
        if name not in current or not _agrees(recorded, current[name]):
            yield name


def _agrees(recorded: Mapping[str, Any], current: Values) -> bool:
    """Whether RECORDED values are the CURRENT ones within their tolerance; damaged ones differ."""
    from featherface.probes.table import agree  # noqa: PLC0415 - as above

    try:
        values = [float(value) for value in recorded["values"]]
        return agree(values, current, float(recorded["tolerance"]))
    except (KeyError, TypeError, ValueError):
        return False
