"""`thesis runs diff`: in what two runs were made differently."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.commands.runs import store
from thesis_cli.completion import complete_run
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session

LONGEST = 40
"""Characters of a value that the table shows; --json has it whole."""


@click.command(cls=Command)
@click.argument("one", shell_complete=complete_run)
@click.argument("other", shell_complete=complete_run)
@json_option
@pass_session
def diff(session: Session, one: str, other: str, as_json: bool) -> None:
    """Tell in what two runs were made differently.

    Recipe, code, data, parents, packages and machine; for what they measured: thesis compare.
    """
    del as_json
    from experiments.comparison.run_diff import diff_runs

    records = store(session)
    first, second = records.find(one), records.find(other)
    data = {
        "runs": [first.id, second.id],
        "differences": [
            {"part": each.part, "name": each.name, "values": list(each.values)}
            for each in diff_runs(first, second)
        ],
    }
    emit(session, "runs-diff", data, view)


def view(data: dict[str, Any]) -> list[Block]:
    """Tabulate the differences."""
    first, second = data["runs"]
    if not data["differences"]:
        return [f"{first} and {second} were made alike"]
    rows = [
        [each["part"], each["name"], *map(shown, each["values"])] for each in data["differences"]
    ]
    return [Grid(["part", "what", f"~{first}", f"~{second}"], rows)]


def shown(value: Any) -> str:
    """Word a value in a few characters."""
    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
