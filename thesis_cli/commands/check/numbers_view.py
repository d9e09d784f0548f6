"""What `thesis check numbers` prints."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from experiments.disturbances import marks_text
from thesis_cli.language import TERMINAL

if TYPE_CHECKING:
    from thesis_cli.output import Block

MOST_OTHERS = 3
"""Other meanings of a plain number that are named."""


def view(data: dict[str, Any], *, everything: bool) -> list[Block]:
    """List what is not fresh or not backed, count all, and show how to bind plain numbers."""
    rows = data["numbers"]
    blocks: list[Block] = [f"written: {path}" for path in data["written"]]
    blocks += [line(row) for row in rows if everything or row["state"] != "fresh"]
    blocks += [block_line(row) for row in data["blocks"]]
    blocks += [unbacked_line(row) for row in data["unbacked"]]
    blocks += [""] if blocks else []
    blocks += [count(rows), *caution(rows), *steps(rows), *totals(data)]
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


def block_line(row: dict[str, Any]) -> str:
    """Say which generated block does not say what the records say, and what to type."""
    place = f"{row['note']}:{row['line']}" if row["line"] else row["note"]
    told = f"{place}: {row['kind']}  {row['address']}"
    return "\n    ".join([told, row["reason"], f"next: {row['next']}"])


def unbacked_line(row: dict[str, Any]) -> str:
    """Say which plain number reads like a result, and what to do about it."""
    told = f"{where(row)}: unbacked  {one_line(row['text'])}  reads like: {row['reads_as']}"
    return f"{told}\n    next: {row['next']}"


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
    parts += [marks_text((mark,), TERMINAL) for mark in row["marks"]]
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
    trained_on = sum("overlap" in row["marks"] for row in rows)
    if trained_on:
        lines.append(
            f"from pictures that the network was trained on: {trained_on} of them; no claim may"
            " rest on it, and the text must say so"
        )
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


def totals(data: dict[str, Any]) -> list[str]:
    """Count what is wrong besides bound numbers, and what makes HTML of its line."""
    lines = []
    if unbacked := len(data["unbacked"]):
        number = "1 number reads" if unbacked == 1 else f"{unbacked} numbers read"
        lines.append(
            f"unbacked: {number} like a result and nothing backs it: bind it, cite its source in"
            " the same sentence, or mark it <!--t:own-->; --strict makes this exit code 1"
        )
    if kinds := Counter(row["kind"] for row in data["blocks"]):
        lines.append("generated blocks: " + ", ".join(f"{n} {kind}" for kind, n in kinds.items()))
    if openers := data["line_openers"]:
        lines.append(
            f"at the start of a line: {len(openers)}, first {openers[0]}; Obsidian shows no"
            " Markdown in such a line: thesis check numbers --fix puts it right"
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
