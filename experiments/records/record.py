"""The record of a run: what was done, by what code, on what machine, from what."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from experiments.redaction import clean_values
from featherface.errors import DataError
from featherface.filesystem.atomic import read_text, write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = 1
RECORD = "record.json"


def now() -> str:
    """Return this moment as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class Git:
    """The code that ran."""

    commit: str = ""
    """Empty where there was no repository."""
    branch: str = ""
    dirty: bool = False
    remote: str = ""
    """Without user name or token."""
    patch: str = ""
    """`source.patch`, or why there is none although the tree was dirty."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One start of the run's process."""

    started: str
    host: str
    pid: int
    argv: tuple[str, ...] = ()
    ended: str = ""
    outcome: str = "running"
    """`running`, `finished`, `interrupted` or `failed`; a killed one says `running` for ever."""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A run or file that this run was made from."""

    role: str
    """`teacher`, `weights`, `backbone` or `predictions`."""
    run: str = ""
    """`v1@1`; empty where it is a file from elsewhere."""
    seal: str = ""
    """The parent's seal when it was used."""
    path: str = ""
    """Name of the file or folder from elsewhere."""
    sha256: str = ""
    """Of that file, or of a folder's fingerprint."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """How far one stage came."""

    status: str = "pending"
    """`pending`, `running`, `done`, `skipped`, `failed` or `interrupted`."""
    started: str = ""
    ended: str = ""
    seconds: float = 0.0
    """Working time over all attempts."""
    error: str = ""
    """What kept it from ending well the last time, in words; empty where nothing did."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """File of the record that it read -> its SHA-256 then; empty in earlier records."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """File of the record that it made and a later stage reads -> its SHA-256."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What record.json holds."""

    experiment: str
    version: int
    schema: int = SCHEMA
    status: str = "running"
    """As last written; what is true now is `Run.status`."""
    title: str = ""
    hypothesis: str = ""
    tags: tuple[str, ...] = ()
    primary_metric: str = "widerface.mean_ap"
    seed: int = 0
    uid: str = ""
    """Drawn when the run was made: tells two runs of one name apart; empty in earlier records."""
    created: str = ""
    finished: str = ""
    argv: tuple[str, ...] = ()
    tool: str = ""
    """Version of this program."""
    recipe: str = ""
    """Digest of what decides the numbers in the resolved recipe."""
    recipe_name: str = ""
    """The name it was resolved from."""
    overrides: tuple[str, ...] = ()
    """What `--set` and the like said."""
    code: str = ""
    """Digest of the detection core's source."""
    git: Git = field(default_factory=Git)
    parents: tuple[Parent, ...] = ()
    hardware: Mapping[str, Any] = field(default_factory=dict)
    stages: Mapping[str, Stage] = field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Return `experiment@version`."""
        return f"{self.experiment}@{self.version}"

    @property
    def seconds(self) -> float:
        """Return the working time of all stages."""
        return sum(stage.seconds for stage in self.stages.values())

    def to_json(self) -> dict[str, Any]:
        """Return plain values; `from_json` gives an equal record back."""
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return plain

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Record:
        """Read what `to_json` wrote; keys of a later version are ignored.

        Raises:
            DataError: something is missing, of another type, or of a later schema.
        """
        if not isinstance(values, dict) or values.get("schema", SCHEMA) > SCHEMA:
            raise DataError("record of a later version of this program", "upgrade thesis")
        try:
            chosen = _known(cls, values)
            chosen["git"] = _part(Git, chosen.get("git", {}))
            chosen["parents"] = tuple(_part(Parent, parent) for parent in chosen.get("parents", ()))
            chosen["attempts"] = tuple(
                _part(Attempt, attempt) for attempt in chosen.get("attempts", ())
            )
            stages = chosen.get("stages", {})
            chosen["stages"] = {name: _part(Stage, stage) for name, stage in stages.items()}
            return cls(**_tuples(chosen))
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"not a run's record: {error}") from error

    def write(self, folder: Path) -> None:
        """Write record.json in FOLDER, atomically and without secrets."""
        content = clean_values(self.to_json())
        text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
        write_atomic(folder / RECORD, text + "\n")

    @classmethod
    def read(cls, folder: Path) -> Record:
        """Read FOLDER's record.json.

        Raises:
            DataError: it is missing or damaged.
            HeldError: another program lets nobody read it.
        """
        path = folder / RECORD
        try:
            return cls.from_json(json.loads(read_text(path)))
        except FileNotFoundError as error:
            raise DataError(f"{path} is missing", "thesis runs verify") from error
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: can't be read: {error}", "thesis runs verify") from error
        except DataError as error:
            raise DataError(f"{path}: {error.message}", "thesis runs verify") from error


def _known(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    names = _field_names(kind)
    return {key: value for key, value in values.items() if key in names}


@cache
def _field_names(kind: type) -> frozenset[str]:
    """Return the names of KIND's fields; found once, as a thousand records are read at a time."""
    return frozenset(field.name for field in dataclasses.fields(kind))


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }


def _part(kind: type, values: Mapping[str, Any]) -> Any:
    return kind(**_tuples(_known(kind, values)))
