"""Every run of a workspace, found by selector: `v2`, `v2@3`, `v2@best`, `@last`, a label."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from experiments import liveness, metrics
from experiments.annotations import Annotations, check_label, checked
from experiments.metrics import Metric
from experiments.records import NAME, RECORD, Record, check_name
from experiments.seal import SEAL, Problem, read_seal, verify
from featherface.errors import (
    DataError,
    LockedError,
    NotFoundError,
    UnavailableError,
    UsageError,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from experiments.index import Index, Summary
    from experiments.recipe import ResolvedRecipe
    from experiments.workspace import Workspace
    from featherface.evaluation.matches import MatchRecords

RESULTS = "results.json"
EVENTS = "metrics.jsonl"
MATCHES = "matches.npz"
RECIPE = "recipe.yaml"
VERSION = re.compile(r"\d{3,}")
SEE = "thesis runs list"


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
        if liveness.alive(self.folder):
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
        """What results.json holds: `metrics` and the details of each stage; empty before."""
        path = self.folder / RESULTS
        if not path.is_file():
            return {}
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: can't be read: {error}", "thesis runs verify") from error
        return content

    @cached_property
    def metrics(self) -> list[Metric]:
        """The final metrics."""
        return [Metric.from_json(one) for one in self.results.get("metrics", [])]

    def metric(self, name: str) -> Metric | None:
        """Return the metric called NAME, or None where the run has not measured it."""
        return metrics.find(self.metrics, name)

    @property
    def primary(self) -> Metric | None:
        """The metric that the recipe says decides between versions."""
        return self.metric(self.record.primary_metric)

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe as plain nested values: `run.recipe["model"]["variant"]`."""
        from experiments.documents import read_yaml  # noqa: PLC0415 - ruamel only when asked

        content = read_yaml(self.folder / RECIPE)
        content.pop("origins", None)
        return content

    def resolved(self) -> ResolvedRecipe:
        """Return the typed recipe; fails where this program's version knows other keys."""
        from experiments.recipe import ResolvedRecipe  # noqa: PLC0415 - all configurations

        text = (self.folder / RECIPE).read_text(encoding="utf-8")
        return ResolvedRecipe.from_yaml(text, f"{self.id}/{RECIPE}")

    @property
    def weights(self) -> Path | None:
        """The weights the run trained (the best) or took in; None without any."""
        names = ("best.safetensors", "last.safetensors", "taken.safetensors")
        found = [self.folder / "checkpoints" / name for name in names]
        return next((path for path in found if path.is_file()), None)

    @property
    def variant(self) -> str:
        """The network's name, such as `v1-official`."""
        return str(self.recipe.get("model", {}).get("variant", ""))

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the lines of metrics.jsonl, of one KIND or all; a half-written last is left."""
        path = self.folder / EVENTS
        if not path.is_file():
            return []
        found = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if kind is None or event.get("kind") == kind:
                found.append(event)
        return found

    @property
    def data(self) -> dict[str, Any]:
        """Split name -> fingerprint, from data.json."""
        path = self.folder / "data.json"
        if not path.is_file():
            return {}
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content

    def matches(self) -> MatchRecords | None:
        """Return the per-image match records of the evaluation; None without one."""
        if not (self.folder / MATCHES).is_file():
            return None
        from featherface.evaluation.matches import MatchRecords  # noqa: PLC0415 - numpy

        return MatchRecords.load(self.folder / MATCHES)

    @property
    def annotations(self) -> Annotations:
        """What the student says of the run, kept beside the sealed record."""
        return Annotations.read(self.folder)

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
        return next((one.dataset for one in self.metrics if one.dataset), "")


class Store:
    """The runs of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def experiments(self) -> list[str]:
        """Return the names of experiments that have runs, sorted."""
        folder = self.workspace.runs
        if not folder.is_dir():
            return []
        return sorted(entry.name for entry in folder.iterdir() if any(_versions(entry)))

    def runs(self, experiment: str | None = None) -> list[Run]:
        """Return all runs (of EXPERIMENT), by experiment and version."""
        names = self.experiments() if experiment is None else [experiment]
        names = [name for name in names if NAME.fullmatch(name)]
        folders = [path for name in names for path in _versions(self.workspace.runs / name)]
        return [Run(path) for path in folders]

    def find(self, selector: str) -> Run:
        """Return the one run that SELECTOR means.

        `v2` latest sealed, `v2@3`, `v2@best` by the primary metric, `v2@last`, `@last`, a label.

        Raises:
            NotFoundError: nothing fits; the message names the nearest.
        """
        name, at, which = selector.partition("@")
        if not at:
            known = (self.workspace.runs / name).is_dir() and name not in ("", ".", "..")
            labelled = None if known else self.labels().get(selector)
            return labelled or self._latest_sealed(selector)
        runs = self.runs(name) if name else self.runs()
        if not runs:
            raise self._no_run(selector, name)
        if which == "last":
            return max(runs, key=_started)
        if which == "best":
            return _best(selector, runs)
        found = [run for run in runs if name and str(run.version) == which]
        if not found:
            choices = [run.id for run in runs] + [f"{name}@best", f"{name}@last"]
            raise NotFoundError(unknown("run", selector, choices), SEE)
        return found[0]

    def allocate(self, experiment: str) -> Path:
        """Make the folder of EXPERIMENT's next version; two processes never get the same.

        Raises:
            UnavailableError: the runs folder can't be written.
        """
        parent = self.workspace.runs / check_name(experiment)
        try:
            parent.mkdir(parents=True, exist_ok=True)
            version = max((int(path.name) for path in _versions(parent)), default=0) + 1
            while True:
                folder = parent / f"{version:03d}"
                try:
                    folder.mkdir()
                except FileExistsError:
                    version += 1
                else:
                    return folder
        except OSError as error:
            raise UnavailableError(
                f"can't make a run's folder in {parent}: {error.strerror or error}",
                "free some space or make the workspace writable, then run the command again",
            ) from error

    def verify(self, run: Run) -> list[Problem]:
        """Return how RUN differs from its seal, every file read; nothing where it is intact."""
        return verify(run.folder) if run.sealed else []

    def problems(self, run: Run) -> list[Problem]:
        """As `verify`, but files untouched since the last verification are not read again."""
        return self.index.problems(run) if run.sealed else []

    @cached_property
    def index(self) -> Index:
        """The cache over the records."""
        from experiments.index import Index  # noqa: PLC0415 - it reads runs, so imports this

        return Index(self.workspace.state / "index.sqlite")

    def summaries(self, experiment: str | None = None) -> list[Summary]:
        """Return one summary per run (of EXPERIMENT), fast however many there are."""
        return self.index.summaries(self.runs(experiment))

    def reindex(self) -> int:
        """Rebuild the index from the records; return how many runs it holds."""
        return self.index.rebuild(self.runs())

    def annotate(self, run: Run, **changes: Any) -> Annotations:
        """Change what the student says of RUN; CHANGES name fields of `Annotations`.

        Raises:
            UsageError: a label is an experiment's name, another run's label or not a name; a
                verdict or a tag can't be one.
            LockedError: another process is changing what is said of a run.
        """
        changes = checked(changes)
        with self._annotating():
            for label in changes.get("labels", ()):
                self._check_free(label, run)
            annotations = dataclasses.replace(run.annotations, **changes)
            annotations.write(run.folder)
        return annotations

    def _check_free(self, label: str, run: Run) -> None:
        holder = self.labels().get(check_label(label))
        if label in self.experiments() or (holder is not None and holder != run):
            taken = f"the run {holder.id}" if holder else "an experiment"
            raise UsageError(f"label {label!r} is taken by {taken}", "choose another label")

    @contextlib.contextmanager
    def _annotating(self) -> Iterator[None]:
        """Keep other processes from changing what is said of the runs meanwhile."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - slow, and most commands only read

        path = self.workspace.state / "locks" / "annotations.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path, timeout=10):
                yield
        except Timeout as error:
            raise LockedError(
                "another program is changing what is said of the runs",
                "wait until it is done, then do it again",
            ) from error

    def labels(self) -> dict[str, Run]:
        """Return label -> run; annotations that can't be read name none."""
        found: dict[str, Run] = {}
        for run in self.runs():
            with contextlib.suppress(DataError):
                found |= dict.fromkeys(run.labels, run)
        return found

    def _latest_sealed(self, experiment: str) -> Run:
        runs = self.runs(experiment)
        sealed = [run for run in runs if run.sealed]
        if sealed:
            return sealed[-1]
        if runs:
            last = runs[-1]
            raise NotFoundError(
                f"no finished run of {experiment!r}: {last.id} is {last.status}",
                f"thesis run {experiment} --resume",
            )
        raise self._no_run(experiment, experiment)

    def _no_run(self, selector: str, name: str) -> NotFoundError:
        if not name:
            return NotFoundError("there is no run yet", "thesis run v1")
        known = [*self.experiments(), *self.labels()]
        if name in known:
            return NotFoundError(f"no run {selector!r}", SEE)
        hint = SEE if known else f"thesis run {name}"
        return NotFoundError(unknown("run", selector, known), hint)


def _versions(folder: Path) -> Iterator[Path]:
    """Yield the run folders of an experiment's FOLDER, by version."""
    if not folder.is_dir():
        return
    names = [entry for entry in folder.iterdir() if VERSION.fullmatch(entry.name)]
    yield from sorted((entry for entry in names if entry.is_dir()), key=lambda one: int(one.name))


def _started(run: Run) -> tuple[str, str, int]:
    try:
        return (run.record.created, run.experiment, run.version)
    except DataError:
        return ("", run.experiment, run.version)


def _best(selector: str, runs: list[Run]) -> Run:
    """Return the best finished run, never comparing across data sets or protocols.

    Real images go before synthetic ones, whole splits before parts, then the latest context.
    Where no run has measured its primary metric, the latest finished one is the best known.
    """
    sealed = [run for run in runs if run.sealed]
    if not sealed:
        raise NotFoundError(f"{selector}: no run is finished", SEE)
    scored = [(metric, run) for run in sealed if (metric := run.primary) is not None]
    if not scored:
        return sealed[-1]
    chosen, _ = max(scored, key=lambda pair: (*_weight(pair[0]), _started(pair[1])))
    same = [
        (metric, run)
        for metric, run in scored
        if (metric.name, metric.context) == (chosen.name, chosen.context)
    ]
    sign = 1 if chosen.kind.higher_is_better else -1
    return max(same, key=lambda pair: (sign * pair[0].value, _started(pair[1])))[1]


def _weight(metric: Metric) -> tuple[bool, bool]:
    return (metric.dataset != "synthetic", metric.complete)


__all__ = ["EVENTS", "MATCHES", "RECIPE", "RECORD", "RESULTS", "Run", "Store"]
