"""Settings of thesis.toml, the environment and the user's file, each with its origin.

Precedence: flag > THESIS_* variable > thesis.toml > the user's own file > default.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.workspace import document_settings
from experiments.workspace.paths import check
from experiments.yaml_io import HINT, not_utf8
from featherface.devices.names import CHOICES, check_device
from featherface.errors import NotFoundError, UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("fr", "en")


@dataclass(frozen=True)
class Setting:
    """One key of thesis.toml."""

    default: Any
    """A text, or a whole number where the key holds one."""
    about: str
    choices: tuple[str, ...] = ()


SETTINGS: dict[str, Setting] = {
    "title": Setting("", "the thesis's title"),
    "author": Setting("", "who writes it"),
    "language": Setting("en", "language of reports and plots", LANGUAGES),
    "vault": Setting("vault", "path of the Obsidian vault, absolute or from the workspace"),
    "bibliography": Setting("", "BibTeX file from the workspace; its entries win over our own"),
    "device": Setting("auto", f"where networks run: {CHOICES}; a recipe's own choice wins"),
    "report.progress_every": Setting(
        10, "epochs between two entries of a running training in the vault; 0 makes none"
    ),
    "tracking.backend": Setting("none", "experiment tracker", ("none", "tensorboard", "wandb")),
    "tracking.mode": Setting(
        "offline", "whether the tracker may use a network", ("offline", "online")
    ),
    "tracking.project": Setting("thesis", "the tracker's project name"),
}

CHAPTERS: dict[str, str] = {
    "baseline": "02-Literature-Review/FeatherFace-Baseline",
    "ultra-light": "02-Literature-Review/Ultra-Light-Models",
    "innovations": "03-Methodology/Architectural-Innovations",
    "methodology": "03-Methodology/Training-Protocol",
    "architecture": "04-Implementation/Architecture-Design",
    "documentation": "04-Implementation/Technical-Documentation",
    "performance": "05-Results/Performance-Analysis",
    "comparison": "05-Results/Comparative-Studies",
    "ablation": "05-Results/Ablation-Study",
    "milestones": "05-Results/Milestones",
    "runs": "05-Results/Runs",
    "pipeline": "Technical-Notes/Model-Pipeline/{experiment}_monitor",
    "log-template": "Templates/Experiment-Log-Template",
    "dashboard": "Dashboard",
    "weekly": "Weekly/{week}",
    "galleries": "05-Results/Galleries/{run}",
}
"""Chapter -> note in the vault, without `.md`; `runs` is the folder of the runs' notes."""

PATHS = ("vault", "bibliography")
"""Keys that hold a path, beside those of the tables `data` and `chapters`."""

OPEN_TABLES = ("data", "milestones", "cited")
"""Tables whose keys are names of the user's own."""


@dataclass(frozen=True)
class Settings:
    """The values in force; made by `read_settings`."""

    values: Mapping[str, Any]
    """Dotted key -> value, of every key of SETTINGS, `document.*`, `export.*`, `chapters.*` and
    `data.*`."""
    origins: Mapping[str, str]
    """Dotted key -> `flag`, `THESIS_LANGUAGE`, a file's path, or `default`; the files of
    `milestones.<name>` and `cited.<name>` too."""
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`milestones` and `cited` as thesis.toml and the user's file wrote them."""

    def __getitem__(self, key: str) -> Any:
        """Return the value of dotted KEY.

        Raises:
            NotFoundError: there is no such key; the message names the nearest.
        """
        if key not in self.values:
            raise NotFoundError(unknown("setting", key, self.values), "thesis config show --origin")
        return self.values[key]

    def origin(self, key: str) -> str:
        """Return where the value of dotted KEY came from."""
        self[key]
        return self.origins[key]


def user_config() -> Path:
    """Return the path of the user's own settings (THESIS_CONFIG names another file)."""
    named = os.environ.get("THESIS_CONFIG")
    if named:
        return Path(named)
    import platformdirs  # noqa: PLC0415 - only needed here

    return platformdirs.user_config_path("thesis", appauthor=False) / "config.toml"


def read_settings(file: Path | None, flags: Mapping[str, Any] | None = None) -> Settings:
    """Merge defaults, the user's file, FILE (thesis.toml), THESIS_* and FLAGS (dotted keys)."""
    values, origins = _defaults()
    tables: dict[str, dict[str, Any]] = {name: {} for name in ("milestones", "cited")}
    for path in (user_config(), file):
        if path is not None and path.is_file():
            own: dict[str, dict[str, Any]] = {name: {} for name in tables}
            for key, value in _read_file(path, own).items():
                values[key], origins[key] = value, str(path)
            for name, table in own.items():
                tables[name].update(table)
                origins |= dict.fromkeys((f"{name}.{key}" for key in table), str(path))
    for key, (variable, value) in _environment(values).items():
        values[key], origins[key] = value, variable
    for key, value in (flags or {}).items():
        if value is not None:
            values[key], origins[key] = _checked(key, value, "flag"), "flag"
    return Settings(values, origins, tables)


def _defaults() -> tuple[dict[str, Any], dict[str, str]]:
    values = {key: setting.default for key, setting in SETTINGS.items()}
    values |= {key: entry.default for key, entry in document_settings.KEYS.items()}
    values |= {f"chapters.{name}": note for name, note in CHAPTERS.items()}
    return values, dict.fromkeys(values, "default")


def _read_file(path: Path, tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}", _remedy(path)) from error
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}") from error
    for name, table in tables.items():
        own = content.pop(name, {})
        if not isinstance(own, dict):
            raise UsageError(f"{path}: {name} is a table of tables, not {own!r}")
        table.update(own)
    return {key: _checked(key, value, str(path)) for key, value in _flatten(content).items()}


def _remedy(path: Path) -> str:
    """Say how to mend a TOML file; a backslash is the usual fault on Windows."""
    if "\\" not in path.read_text(encoding="utf-8-sig"):
        return f"correct {path.name}"
    return f"{HINT}, in {path.name}"


def _flatten(content: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": deep for inner, deep in value.items()}
        else:
            flat[key] = value
    return flat


def _checked(key: str, value: Any, where: str) -> Any:
    """Return VALUE if KEY may hold it; the error names WHERE, the key and the choices."""
    table, _, rest = key.partition(".")
    if key in document_settings.KEYS:
        return document_settings.read(key, value, where)
    if not (
        key in SETTINGS or (table == "data" and rest) or (table == "chapters" and rest in CHAPTERS)
    ):
        known = [*SETTINGS, *(f"chapters.{name}" for name in CHAPTERS), *OPEN_TABLES]
        known += document_settings.KEYS
        raise UsageError(f"{where}: {unknown('setting', key, known)}", "correct or remove that key")
    if key in SETTINGS and isinstance(SETTINGS[key].default, int):
        return _counted(key, value, where)
    if not isinstance(value, str):
        raise UsageError(f"{where}: {key} must be text in quotes, not {value!r}")
    choices = SETTINGS[key].choices if key in SETTINGS else ()
    if choices and value not in choices:
        raise UsageError(f"{where}: {key} is {value!r}; choose from {', '.join(choices)}")
    if key == "device":
        check_device(value, f"{where}: device")
    if key in PATHS or table in ("data", "chapters"):
        check(where, key, value)
    if key == "vault" and not value.strip():
        raise UsageError(f"{where}: vault is empty", 'name a folder, such as: vault = "vault"')
    return value


def _counted(key: str, value: Any, where: str) -> int:
    """Return VALUE as a whole number from 0; variables give it as text."""
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise UsageError(
            f"{where}: {key} must be a whole number from 0, not {value!r}",
            f"write it like: {key} = {SETTINGS[key].default}",
        )
    return int(text)


def _environment(values: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return dotted key -> (variable, value) for each THESIS_* variable that sets one."""
    settings: dict[str, tuple[str, Any]] = {}
    for key in values:
        variable = "THESIS_" + key.upper().replace(".", "_").replace("-", "_")
        if os.environ.get(variable):
            settings[key] = (variable, _checked(key, os.environ[variable], variable))
    for variable, value in os.environ.items():
        if variable.startswith("THESIS_DATA_") and value:
            name = variable.removeprefix("THESIS_DATA_").lower().replace("_", "-")
            settings[f"data.{name}"] = (variable, value)
    return settings
