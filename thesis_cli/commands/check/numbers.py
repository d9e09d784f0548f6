"""`thesis check numbers`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.errors import CLAIM_FALSE
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session
    from vault_sync.commands.check_numbers import ProseNumbers
    from vault_sync.prose.checking import NumberFinding
    from vault_sync.prose.suggestions import Suggestion
    from vault_sync.prose.values import ReferenceValue

MOST_OTHERS = 3
"""Other meanings of a plain number that are named."""


@click.command(cls=Command)
@click.argument("notes", nargs=-1)
@click.option("--fix", is_flag=True, help="Write stale numbers as their records have them.")
@click.option("--edited", is_flag=True, help="With --fix: hand-edited numbers too.")
@click.option("--suggest", is_flag=True, help="List plain numbers that could be bound.")
@click.option("--all", "everything", is_flag=True, help="List the fresh numbers too.")
@click.option("--verbose", is_flag=True, help="Say too which code changed without an effect.")
@json_option
@click.pass_context
@pass_session
def numbers(  # noqa: PLR0913 - one for each option
    session: Session,
    context: click.Context,
    *,
    notes: tuple[str, ...],
    fix: bool,
    edited: bool,
    suggest: bool,
    everything: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Check the numbers in the prose against the records they are bound to.

    NOTES are paths from here or from the vault, folders too; default: all. Exit code 0 where
    every bound number is fresh, 1 where one is stale, hand-edited, orphan or broken. Plain
    numbers that equal a superseded value are listed; with --suggest those that equal a current
    one too.
    """
    del as_json
    from featherface.errors import UsageError
    from vault_sync.commands.check_numbers import ProseNumbers

    if edited and not fix:
        raise UsageError(
            "--edited says what --fix may write", "thesis check numbers --fix --edited"
        )
    prose = ProseNumbers(session.workspace, notes)
    if passed := prose.choice.passed_over:
        more = f" and {len(passed) - 3} more" if len(passed) > 3 else ""
        session.warn(f"passed over, no notes of the vault: {', '.join(passed[:3])}{more}")
    fixed = prose.fix(edited=edited) if fix else None
    warn_of_runs(session, prose, verbose=verbose)
    answer = {
        "numbers": [tell(finding) for finding in prose.findings],
        "suggestions": [hint(suggestion) for suggestion in prose.suggest(current=suggest)],
        "written": sorted(set(fixed.written)) if fixed else [],
    }
    emit(session, "check-numbers", answer, lambda data: view(data, everything=everything))
    if fixed and fixed.problem:
        raise fixed.problem
    if any(finding.state != "fresh" for finding in prose.findings):
        context.exit(CLAIM_FALSE)


def warn_of_runs(session: Session, prose: ProseNumbers, *, verbose: bool) -> None:
    """Warn of numbers whose run was made from something that has changed since.

    VERBOSE: say too where the code changed without changing a number.
    """
    choices = [note.text() for each in prose.findings if each.value for note in each.value.choice]
    for text in dict.fromkeys(choices):
        session.warn(text)
    counts: Counter[str] = Counter()
    told: dict[tuple[str, str], list[str]] = {}
    for finding in prose.findings:
        pairs = finding.value.measured if finding.value else ()
        for pair in pairs:
            if pair not in told:
                told[pair] = [change.text() for change in prose.values.changes(*pair)]
                if verbose and (same := prose.values.rewritten(*pair)):
                    session.warn(same)
        counts.update({text for pair in pairs for text in told[pair]})
    for text, n in counts.items():
        session.warn(f"{text}; {n} bound {'number rests' if n == 1 else 'numbers rest'} on it")


def tell(finding: NumberFinding) -> dict[str, Any]:
    """Tell of one bound number."""
    return {
        "note": finding.note,
        "line": finding.place.line,
        "column": finding.place.column,
        "state": finding.state,
        "reference": finding.reference,
        "text": finding.text,
        "expected": finding.expected or None,
        "reason": finding.reason,
        "hint": finding.hint,
        **basis(finding.value),
    }


def basis(value: ReferenceValue | None) -> dict[str, Any]:
    """Tell on what a value rests."""
    return {
        "value": value.number if value else None,
        "evidence": list(value.evidence) if value else [],
        "makers": list(value.makers) if value else [],
        "runs": list(value.runs) if value else [],
        "synthetic": bool(value and value.synthetic),
        "complete": not value or value.complete,
        "choice": [note.text() for note in value.choice] if value else [],
        "marks": list(value.marks) if value else [],
    }


def hint(suggestion: Suggestion) -> dict[str, Any]:
    """Tell of a plain number that could be bound."""
    return {
        "note": suggestion.note,
        "line": suggestion.place.line,
        "column": suggestion.place.column,
        "state": suggestion.state,
        "text": suggestion.text,
        "expected": suggestion.expected,
        "source": suggestion.source,
        "references": list(suggestion.references),
        "command": suggestion.command,
    }


def view(data: dict[str, Any], *, everything: bool) -> list[Block]:
    """List what is not fresh, count all, and show how to bind plain numbers."""
    rows = data["numbers"]
    blocks: list[Block] = [f"written: {path}" for path in data["written"]]
    blocks += [line(row) for row in rows if everything or row["state"] != "fresh"]
    blocks += [""] if blocks else []
    blocks += [count(rows), *caution(rows), *steps(rows)]
    if data["suggestions"]:
        blocks += ["", *plain_numbers(data["suggestions"])]
    return blocks


def line(row: dict[str, Any]) -> str:
    """Say where a number stands, what became of it, and why; as compilers do."""
    change = one_line(row["text"])
    if row["expected"] and row["state"] != "fresh":
        change = f"{change or '(empty)'} → {one_line(row['expected'])}"
    told = "  ".join(part for part in (row["state"], change, row["reference"]) if part)
    kind = f"  ({about(row)})" if row["evidence"] else ""
    why = [row["reason"]] if row["reason"] else []
    if row["state"] in ("orphan", "broken") and row["hint"]:
        why.append(f"next: {row['hint']}")
    return "\n    ".join([f"{where(row)}: {told}{kind}", *why])


def where(row: dict[str, Any]) -> str:
    """Write a place as editors take it."""
    return f"{row['note']}:{row['line']}:{row['column']}"


def one_line(text: str) -> str:
    """Write a text of a note in one line, shortened."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else f"{flat[:39]}…"


def about(row: dict[str, Any]) -> str:
    """Say what kind of evidence a number is, and of what data it is not."""
    parts = list(row["evidence"])
    parts += [f"predictions of {maker}" for maker in row["makers"]]
    parts += ["synthetic"] if row["synthetic"] else []
    parts += [] if row["complete"] else ["part of the data"]
    parts += row["marks"]
    return ", ".join(parts)


def count(rows: list[dict[str, Any]]) -> str:
    """Count the bound numbers by state and by evidence."""
    if not rows:
        return "no bound numbers; to find some to bind: thesis check numbers --suggest"
    states = Counter(row["state"] for row in rows)
    kinds = Counter(kind for row in rows for kind in row["evidence"])
    told = ", ".join(f"{n} {state}" for state, n in states.items())
    rest = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    number = "1 bound number" if len(rows) == 1 else f"{len(rows)} bound numbers"
    return f"{number}: {told}" + (f" ({rest})" if rest else "")


def caution(rows: list[dict[str, Any]]) -> list[str]:
    """Say which numbers are no WIDER FACE results, whatever the sentence around them says."""
    synthetic = sum(row["synthetic"] for row in rows)
    partial = sum(not row["complete"] and not row["synthetic"] for row in rows)
    foreign = sum(bool(row["makers"]) for row in rows)
    lines = []
    if foreign:
        lines.append(f"from another program's predictions: {foreign} of them; the text must say so")
    if synthetic:
        lines.append(f"from synthetic data: {synthetic} of them; the text must say so")
    if partial:
        lines.append(f"from a part of the data: {partial} of them; the text must say so")
    disturbed = {run: None for row in rows if "disturbed" in row["marks"] for run in row["runs"]}
    if disturbed:
        again = "; ".join(f"thesis run {run} --stage benchmark --new" for run in disturbed)
        lines.append(f"from a machine that was not left alone; measure again: {again}")
    return lines


def steps(rows: list[dict[str, Any]]) -> list[str]:
    """Say what to do about numbers that differ from their records."""
    states = {row["state"] for row in rows}
    lines = []
    if "stale" in states:
        lines.append("stale: thesis check numbers --fix writes what the record says now")
    if "hand-edited" in states:
        lines.append(
            "hand-edited: correct the text, remove both comments to keep your own words, or: "
            "thesis check numbers --fix --edited"
        )
    return lines


def plain_numbers(rows: list[dict[str, Any]]) -> list[Block]:
    """List plain numbers with the command that binds each."""
    return ["plain numbers that could be bound:", *map(candidate, rows)]


def candidate(row: dict[str, Any]) -> str:
    """Say what a plain number equals, and how to bind it; which of several it is, people know."""
    equals = f"equals {row['references'][0]}"
    if row["state"] == "superseded":
        equals = f"was {row['source']}'s, now {row['expected']}"
    others = row["references"][1:]
    lines = [f"{where(row)}: {one_line(row['text'])}: {equals}", f"  {row['command']}"]
    if others:
        more = f", … ({len(others)} in all)" if len(others) > MOST_OTHERS else ""
        lines.append(f"  it may also be {', '.join(others[:MOST_OTHERS])}{more}")
    return "\n".join(lines)
