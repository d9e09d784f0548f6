"""One run, its files read when asked for, sealed or still at work."""

from __future__ import annotations

import dataclasses
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from experiments.conditions import ON_DATA, TIMED
from experiments.earlier_conditions import as_recorded
from experiments.metrics import SYNTHETIC, Metric
from experiments.records import heartbeat
from experiments.records.annotations import RunAnnotations
from experiments.records.record import Record
from experiments.records.seal import SEAL, read_seal
from featherface.errors import DataError, NotFoundError, UsageError
from featherface.filesystem.atomic import read_bytes, read_text
from featherface.variants.table import PAPER_COUNTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from experiments.recipe.model import ResolvedRecipe
    from experiments.records.record import Parent
    from featherface.evaluation.matches import MatchRecords

RESULTS = "results.json"
EVENTS = "metrics.jsonl"
MATCHES = "matches.npz"
RECIPE = "recipe.yaml"
PAPER_COUNTED = "params.paper_counted"


class Run:
    """One execution of an experiment, read from its folder when asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.experiment = folder.parent.name
        self.version = int(folder.name)

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other.folder == self.folder

    def __hash__(self) -> int:
        return hash(self.folder)

    @property
    def id(self) -> str:
        """Return `experiment@version`."""
        return f"{self.experiment}@{self.version}"

    @cached_property
    def record(self) -> Record:
        """What record.json says.

        Raises:
            DataError: it is missing or damaged.
        """
        return Record.read(self.folder)

    @property
    def status(self) -> str:
        """Return sealed, running, failed, interrupted or unsealed (nothing to read), as of now."""
        if (self.folder / SEAL).is_file():
            return "sealed"
        if heartbeat.alive(self.folder):
            return "running"
        try:
            written = Record.read(self.folder).status
        except DataError:
            return "unsealed"
        return "failed" if written == "failed" else "interrupted"

    @property
    def sealed(self) -> bool:
        """Whether the record is finished."""
        return (self.folder / SEAL).is_file()

    @cached_property
    def seal(self) -> str:
        """The digest that stands for all files of the record; empty while unsealed."""
        return read_seal(self.folder).digest if self.sealed else ""

    @cached_property
    def results(self) -> Mapping[str, Any]:
        """What results.json holds: `metrics` and the details of each stage; empty before.

        Raises:
            DataError: it is damaged.
        """
        return _read_mapping(self.folder / RESULTS)

    @cached_property
    def metrics(self) -> list[Metric]:
        """The final metrics; of those of earlier versions the record tells on what they were.

        Raises:
            DataError: results.json is damaged.
        """
        return [self._read(values) for values in self._recorded]

    def metric(self, name: str) -> Metric | None:
        """Return the metric called NAME, or None where the run has not measured it.

        Raises:
            DataError: results.json is damaged.
        """
        if name not in self._by_name:
            named = (values for values in self._recorded if values.get("name") == name)
            values = next(named, None)
            self._by_name[name] = None if values is None else self._read(values)
        return self._by_name[name]

    @cached_property
    def _recorded(self) -> Sequence[Mapping[str, Any]]:
        """The plain values of the metrics, as results.json lists them.

        Earlier versions counted every network in the way of one paper; what no paper counted so is
        left out.
        """
        recorded = self.results.get("metrics", [])
        if isinstance(recorded, list) and all(isinstance(values, dict) for values in recorded):
            return [values for values in recorded if not _counted_by_none(values)]
        raise DataError(f"{self.folder / RESULTS}: holds no metrics", self._verify)

    @cached_property
    def _by_name(self) -> dict[str, Metric | None]:
        """The metrics that were asked for by name; reading all of a thousand runs takes long."""
        return {}

    @cached_property
    def predictions(self) -> Parent | None:
        """The file or folder of predictions that it judged; None where its network made them."""
        parents = self.record.parents
        return next((parent for parent in parents if parent.role == "predictions"), None)

    def _read(self, values: Mapping[str, Any]) -> Metric:
        metric = Metric.from_json(values)
        if not metric.name.startswith((*TIMED, ON_DATA)):
            return metric
        metric = self._by_its_maker(metric)
        if metric.conditions.known:
            return metric
        judged = self.predictions is not None
        details = self.results.get("details", {})
        computed_on = as_recorded(metric.name, self.record.hardware, details, judged=judged)
        return dataclasses.replace(metric, conditions=metric.conditions.on(computed_on))

    def _by_its_maker(self, metric: Metric) -> Metric:
        """Read what an earlier version measured of given predictions as imported.

        Predictions that the record shows to be a run's own have that run among the parents.
        """
        given = self.predictions
        foreign = given is not None and not given.run and metric.name.startswith(ON_DATA)
        if not foreign or metric.evidence != "measured":
            return metric
        maker = given.path if given else ""
        return dataclasses.replace(metric, evidence="imported", maker=maker)

    @property
    def _verify(self) -> str:
        return f"thesis runs verify {self.id}"

    @property
    def primary(self) -> Metric | None:
        """The metric that the recipe says decides between versions."""
        return self.metric(self.record.primary_metric)

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe as plain nested values: `run.recipe["model"]["variant"]`.

        Raises:
            DataError: it is missing or damaged.
        """
        from experiments.yaml_io import read_yaml  # noqa: PLC0415 - ruamel only when asked

        try:
            content = read_yaml(self.folder / RECIPE)
        except (NotFoundError, UsageError) as error:
            raise DataError(error.message, self._verify) from error
        content.pop("origins", None)
        return content

    def resolved(self) -> ResolvedRecipe:
        """Return the typed recipe; fails where this program's version knows other keys."""
        from experiments.recipe.model import ResolvedRecipe  # noqa: PLC0415 - all configurations

        text = read_text(self.folder / RECIPE)
        return ResolvedRecipe.from_yaml(text, f"{self.id}/{RECIPE}")

    @property
    def maker(self) -> str:
        """Who made the predictions that it judged; empty where its own network did."""
        return next((metric.maker for metric in self.metrics if metric.maker), "")

    @property
    def weights(self) -> Path | None:
        """The weights the run trained (the best) or took in; None without any."""
        names = ("best.safetensors", "last.safetensors", "taken.safetensors")
        candidates = [self.folder / "checkpoints" / name for name in names]
        return next((path for path in candidates if path.is_file()), None)

    @property
    def variant(self) -> str:
        """The network's name, such as `v1-official`; empty where it judged given predictions."""
        if self.predictions is not None and not self.predictions.run:
            return ""
        return str(self.recipe.get("model", {}).get("variant", ""))

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the lines of metrics.jsonl, of one KIND or all; a half-written last is left."""
        path = self.folder / EVENTS
        if not path.is_file():
            return []
        events = []
        for line in read_bytes(path).decode("utf-8", "replace").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if kind is None or event.get("kind") == kind:
                events.append(event)
        return events

    @property
    def data(self) -> dict[str, Any]:
        """Split name -> fingerprint, from data.json."""
        return _read_mapping(self.folder / "data.json")

    def matches(self) -> MatchRecords | None:
        """Return the per-image match records of the evaluation; None without one."""
        return read_matches(self.folder)

    @property
    def has_matches(self) -> bool:
        """Whether it kept match records and they are there."""
        return (self.folder / MATCHES).is_file()

    @property
    def annotations(self) -> RunAnnotations:
        """What the student says of the run, kept beside the sealed record."""
        return RunAnnotations.read(self.folder)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names the student gave the run."""
        return self.annotations.labels

    @property
    def hypothesis(self) -> str:
        """The student's latest wording, else the recipe's."""
        said = self.annotations.hypothesis
        return self.record.hypothesis if said is None else said

    @property
    def tags(self) -> tuple[str, ...]:
        """The recipe's tags, then the student's."""
        return tuple(dict.fromkeys((*self.record.tags, *(self.annotations.tags or ()))))

    @property
    def plots(self) -> dict[str, Path]:
        """Return name -> PNG of the record's plots."""
        return {path.stem: path for path in sorted((self.folder / "plots").glob("*.png"))}

    @property
    def dataset(self) -> str:
        """The set it was evaluated on: `widerface`, `synthetic`, …; empty without evaluation."""
        return next((metric.dataset for metric in self.metrics if metric.dataset), "")

    @property
    def on_drawn_pictures(self) -> bool:
        """Whether its data, and so the APs taken while it trained, are of the synthetic set."""
        return any(dict(entry).get("dataset") == SYNTHETIC for entry in self.data.values()) or (
            self.recipe.get("data", {}).get("root") == SYNTHETIC
        )


def _counted_by_none(values: Mapping[str, Any]) -> bool:
    """Whether VALUES are a count in a paper's way of a network that no paper counted."""
    return values.get("name") == PAPER_COUNTED and values.get("value") not in PAPER_COUNTS


def _read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in the JSON file at PATH; empty where there is none.

    Raises:
        DataError: it is damaged.
        HeldError: another program lets nobody read it.
    """
    if not path.is_file():
        return {}
    hint = f"thesis runs verify {path.parent.parent.name}@{int(path.parent.name)}"
    try:
        content = json.loads(read_text(path))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: can't be read: {error}", hint) from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: holds no mapping", hint)
    return content


def read_matches(folder: Path) -> MatchRecords | None:
    """Return the match records of the run in FOLDER; None without an evaluation.

    Raises:
        DataError: they are damaged.
    """
    if not (folder / MATCHES).is_file():
        return None
    from featherface.evaluation.matches import MatchRecords  # noqa: PLC0415 - numpy

    return MatchRecords.load(folder / MATCHES)
