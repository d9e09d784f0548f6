"""What a part is given, what it found, and how that reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

CELL = 60
"""Characters of a table's cell."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a part measures, and with how much."""

    name: str
    """Of the device, as PyTorch calls it."""
    rehearse: bool
    output: Path
    data: Path | None

    @classmethod
    def of(cls, options: argparse.Namespace) -> Setting:
        name = "cpu" if options.rehearse else options.device
        return cls(name=name, rehearse=options.rehearse, output=options.output, data=options.data)

    @property
    def device(self) -> torch.device:
        device = torch.device(self.name)
        if device.type == "cuda":
            torch.cuda.set_device(device)
        return device

    def pick(self, real: Any, rehearsed: Any) -> Any:
        """REAL on a GPU; REHEARSED, something tiny, elsewhere."""
        return rehearsed if self.rehearse else real


class Answers:
    """A JSON file that holds what was found so far; each `add` replaces it in one step."""

    def __init__(self, path: Path, *, keep: bool = False) -> None:
        self.path = path
        self.content: dict[str, Any] = {}
        if keep and path.is_file():
            self.content = json.loads(path.read_text(encoding="utf-8"))

    def add(self, **facts: Any) -> None:
        self.content |= facts
        self._write()

    def row(self, table: str, **cells: Any) -> None:
        """Add a row to the list TABLE."""
        self.content.setdefault(table, []).append(cells)
        print(table, cells, flush=True)
        self._write()

    def _write(self) -> None:
        write_atomic(self.path, json.dumps(self.content, indent=2) + "\n")


def tables(found: dict[str, dict[str, Any]], *, rehearsed: bool) -> str:
    """Render what the parts FOUND as Markdown."""
    lines = ["> Rehearsed on a CPU with tiny sizes: these figures say nothing.", ""] * rehearsed
    for name, content in found.items():
        lines += [f"## {name}", ""]
        facts = {key: value for key, value in content.items() if not _is_table(value)}
        lines += [f"- {key}: {_shown(value)}" for key, value in facts.items()]
        for key, value in content.items():
            if _is_table(value):
                lines += ["", f"**{key}**", "", *_table(value)]
        lines.append("")
    return "\n".join(lines)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _table(rows: list[dict[str, Any]]) -> list[str]:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(columns) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    cells = [[_shown(row.get(key, "")) for key in columns] for row in rows]
    return [*lines, *("| " + " | ".join(row) + " |" for row in cells)]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one) for one in value)
    return str(value).replace("|", "\\|").replace("\n", " ")[:CELL] if value is not None else "–"
