"""The base of the runs: an Obsidian view over the properties of their notes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from experiments.records.annotations import OPEN, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vault_sync.rendering.words import Words

COLUMNS = (
    *("experiment", "version", "variant", "mean_ap", "parameters", "dataset", "whole_split"),
    *("run_status", "status", "hypothesis", "tags"),
)
"""Properties of a run's note that views may show, each with a name in words/bases.toml."""
IS_RUN = 'note.thesis_id.toString().startsWith("run/")'
"""Filter for run notes, by the property that identifies a note wherever it was moved."""


def runs_base(words: Words) -> bytes:
    """Return the file: all runs, results on whole WIDER FACE, by experiment, open hypotheses."""
    base = {
        "filters": {"and": ['file.ext == "md"', 'file.hasProperty("thesis_id")', IS_RUN]},
        "properties": {
            "file.name": {"displayName": str(words.say("base.run"))},
            **{key: {"displayName": str(words.say(f"base.{key}"))} for key in COLUMNS},
        },
        "views": [_view(words, name, **how) for name, how in _views().items()],
    }
    return (_yaml(base) + "\n").encode()


def _views() -> dict[str, dict[str, Any]]:
    """Return view -> columns, filter and order."""
    newest = (("experiment", "ASC"), ("version", "DESC"))
    still = " || ".join(f'status == "{word}"' for word in (OPEN, *VERDICTS[OPEN]))
    return {
        "all": {
            "columns": ("experiment", "version", "mean_ap", "parameters", "dataset", "status"),
            "sort": newest,
        },
        "results": {
            "columns": ("experiment", "version", "mean_ap", "parameters", "variant"),
            "filters": ('dataset == "widerface"', "whole_split == true"),
            "sort": (("mean_ap", "DESC"), ("parameters", "ASC")),
        },
        "grouped": {
            "columns": ("version", "mean_ap", "parameters", "dataset", "whole_split", "tags"),
            "sort": (("version", "DESC"),),
            "group": "experiment",
        },
        "open": {"columns": ("hypothesis", "status"), "filters": (still,), "sort": newest},
    }


def _view(
    words: Words,
    name: str,
    *,
    columns: Sequence[str],
    sort: Sequence[tuple[str, str]],
    filters: Sequence[str] = (),
    group: str = "",
) -> dict[str, Any]:
    view: dict[str, Any] = {"type": "table", "name": str(words.say(f"base.{name}"))}
    if filters:
        view["filters"] = {"and": list(filters)}
    if group:
        view["groupBy"] = {"property": group, "direction": "ASC"}
    view["order"] = ["file.name", *columns]
    view["sort"] = [{"property": key, "direction": direction} for key, direction in sort]
    return view


def _yaml(value: Any, indent: str = "") -> str:
    """Write block YAML, every text in double quotes: JSON strings are YAML's too."""
    if isinstance(value, dict):
        return "\n".join(_entry(key, item, indent) for key, item in value.items())
    if isinstance(value, list):
        return "\n".join(f"{indent}- {_yaml(item, f'{indent}  ').lstrip()}" for item in value)
    return indent + json.dumps(value, ensure_ascii=False)


def _entry(key: str, value: Any, indent: str) -> str:
    if isinstance(value, dict | list):
        return f"{indent}{key}:\n{_yaml(value, f'{indent}  ')}"
    return f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}"
