"""What a record keeps of its probes, and whether today's code still gives the same.

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
    from featherface.probes.settings import Settings
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
class Verdict:
    """Whether the numbers of one family are still what the code computes."""

    family: str
    state: str = SAME
    """SAME, DIFFERENT, or UNKNOWN where it can't be told."""
    probes: tuple[str, ...] = ()
    """Those that give something else."""
    why: str = ""
    """Why it can't be told; empty where the record is of a version without probes."""
    recomputed: bool = False
    """Whether the code differs, so that the probes had to speak."""


@functools.cache
def probe_table() -> Mapping[str, Probe]:
    """Return every probe: those of the core, and those of what is made of its answers here."""
    from experiments.staleness import definitions  # noqa: PLC0415 - torch, where probes are computed
    from featherface.probes.table import PROBES  # noqa: PLC0415 - as above

    return {**PROBES, **definitions.PROBES}


def settings_of(recipe: Recipe) -> Settings:
    """Return what the probes of a run of RECIPE may depend on."""
    from featherface.probes.settings import Settings  # noqa: PLC0415 - all configurations
    from featherface.variants.table import variant  # noqa: PLC0415 - as above

    teacher = recipe.distill.teacher_variant
    return Settings(
        model=recipe.model.detector(),
        train=recipe.train,
        distill=recipe.distill,
        teacher=variant(teacher) if teacher else None,
        evaluate=recipe.evaluate,
        export=recipe.export,
        synthetic=recipe.data.synthetic if recipe.data.root == "synthetic" else None,
    )


def write_probes(folder: Path, stage: str, recipe: Recipe) -> None:
    """Keep in FOLDER what the probes of STAGE's numbers give under RECIPE.

    Raises:
        ProbeError: they can't be computed; nothing was written.
        HeldError: another program holds the file.
        UnavailableError: it can't be written.
    """
    from featherface.probes.table import (  # noqa: PLC0415 - torch; a stage has it
        asked,
        forget_networks,
        measure,
    )

    settings, table = settings_of(recipe), probe_table()
    wanted = {family: asked(settings, [family], table) for family in STAGES[stage]}
    try:
        values = measure(settings, asked(settings, STAGES[stage], table))
    except ThesisError as error:  # it would end the run
        raise ProbeError(error.message) from error
    finally:
        forget_networks()  # the memory is the run's
    found = {
        family: {
            "source": source_now(),
            "probes": {
                name: {"values": values[name], "tolerance": probe.tolerance}
                for name, probe in each.items()
            },
        }
        for family, each in wanted.items()
    }
    known = writer.read_json(folder / FILE).get("families", {})
    content = {"schema": SCHEMA, "families": {**known, **found}}
    writer.write_json(folder / FILE, content)


def verdicts(run: Run, workspace: Workspace, families: Sequence[str]) -> list[Verdict]:
    """Say for each of FAMILIES whether today's code still makes RUN's numbers of it.

    The verdict on a sealed record is kept for the state of the sources.
    """
    cache = cache_of(workspace.state / "cache" / "probes", source_now())
    known = {family: cache.verdict(run.seal, family) for family in families}
    found = {name: Verdict(name, *told, recomputed=True) for name, told in known.items() if told}
    changed: dict[str, _Recorded] = {}
    kept = _read(run.folder) if len(found) < len(families) else {}
    for family in (name for name in families if name not in found):
        entry = kept.get(family)
        if entry is None:
            found[family] = _without(run, family)
        elif entry.source == source_now():
            found[family] = Verdict(family)
        else:
            changed[family] = entry
    for verdict in _compared(run, cache, changed) if changed else ():
        cache.keep_verdict(run.seal, verdict.family, verdict.state, verdict.probes, verdict.why)
        found[verdict.family] = verdict
    return [found[family] for family in families]


class _Recorded(NamedTuple):
    """What a record keeps of one family."""

    source: str
    probes: Mapping[str, Any]
    """Name -> `values` and `tolerance`, as they were read."""


def _read(folder: Path) -> dict[str, _Recorded]:
    """Return family -> what FOLDER's record keeps of it; nothing where that can't be read."""
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            return {}
        families = content["families"].items()
        return {name: _Recorded(str(one["source"]), dict(one["probes"])) for name, one in families}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _without(run: Run, family: str) -> Verdict:
    """Judge a record that keeps no probes of FAMILY: only equal sources make it fresh."""
    recorded = run.record.code
    if not recorded or recorded == code_digest():
        return Verdict(family)
    return Verdict(family, UNKNOWN)


def _compared(run: Run, cache: ProbeCache, recorded: Mapping[str, _Recorded]) -> list[Verdict]:
    """Compute what RECORDED holds again, and compare."""
    from featherface.probes.table import asked  # noqa: PLC0415 - torch, where probes are computed

    table = probe_table()
    try:
        settings = settings_of(_recipe(run))
        values = _values(settings, asked(settings, recorded, table), cache)
    except ThesisError as error:
        return [Verdict(name, UNKNOWN, (), error.message, recomputed=True) for name in recorded]
    found = []
    for family, entry in recorded.items():
        now = {name: values[name] for name in asked(settings, [family], table)}
        differing = tuple(_differing(entry, now))
        state = DIFFERENT if differing else SAME
        found.append(Verdict(family, state, differing, recomputed=True))
    return found


def _recipe(run: Run) -> Recipe:
    """Return RUN's recipe as far as this version knows its keys; others can't count here any more.

    Raises:
        UsageError: a value means nothing to this version.
    """
    from experiments import schema  # noqa: PLC0415 - all configurations
    from experiments.recipe.model import Recipe, flatten  # noqa: PLC0415 - as above

    known: dict[str, Any] = {}
    legal = schema.keys(Recipe)
    for key, value in flatten(run.recipe).items():
        if key in legal:
            *sections, name = key.split(".")
            place = known
            for section in sections:
                place = place.setdefault(section, {})
            place[name] = value
    return schema.build(Recipe, known, {})


def _values(
    settings: Settings, wanted: Mapping[str, Probe], cache: ProbeCache
) -> dict[str, Values]:
    """Return what each of WANTED gives under SETTINGS, computed where CACHE has it not."""
    from featherface.probes.table import measure  # noqa: PLC0415 - as above

    digests = {name: settings.digest(probe.reads) for name, probe in wanted.items()}
    known = {name: cache.values(name, digest) for name, digest in digests.items()}
    missing = {name: probe for name, probe in wanted.items() if known[name] is None}
    made = measure(settings, missing) if missing else {}
    cache.keep_values({(name, digests[name]): values for name, values in made.items()})
    return {name: values for name, values in {**known, **made}.items() if values is not None}


def _differing(entry: _Recorded, now: Mapping[str, Values]) -> Iterator[str]:
    """Yield the probes of ENTRY that give something else NOW, or that are no more.

    One that only today's code has was not known to the run: it is no change.
    """
    for name, recorded in entry.probes.items():
        if name not in now or not _agrees(recorded, now[name]):
            yield name


def _agrees(recorded: Mapping[str, Any], now: Values) -> bool:
    """Whether what was RECORDED is what NOW is; damaged values are something else."""
    from featherface.probes.table import agree  # noqa: PLC0415 - as above

    try:
        values = [float(value) for value in recorded["values"]]
        return agree(values, now, float(recorded["tolerance"]))
    except (KeyError, TypeError, ValueError):
        return False
