"""`thesis check numbers`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from experiments.disturbances import marks_text
from thesis_cli.commands.check.numbers_view import view
from thesis_cli.errors import CLAIM_FALSE
from thesis_cli.groups import Command, pass_session
from thesis_cli.language import TERMINAL
from thesis_cli.output import emit, json_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from thesis_cli.session import Session
    from vault_sync.commands.block_states import BlockFinding
    from vault_sync.commands.check_numbers import ProseNumbers
    from vault_sync.prose.checking import NumberFinding
    from vault_sync.prose.suggestions import Suggestion
    from vault_sync.prose.unbacked import PlainResult
    from vault_sync.prose.values import ReferenceValue


@click.command(cls=Command)
@click.argument("notes", nargs=-1)
@click.option("--fix", is_flag=True, help="Write stale numbers as their records have them.")
@click.option("--edited", is_flag=True, help="With --fix: hand-edited numbers too.")
@click.option("--suggest", is_flag=True, help="List plain numbers that could be bound.")
@click.option("--strict", is_flag=True, help="Exit code 1 too where nothing backs a number.")
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
    strict: bool,
    everything: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Check the numbers in the prose against the records they are bound to.

    NOTES are paths from here or from the vault, folders too; default: all. Exit code 0 where
    every bound number is fresh and every generated block says what the records say, 1 where one
    does not. Plain numbers that read like results and that nothing backs (no binding, no citation
    in the sentence, no mark) are listed; with --strict they make the exit code 1. Plain numbers
    that equal a superseded value are listed too, with --suggest those that equal a current one.
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
    suggestions = prose.suggest()
    commands = {suggestion.where: suggestion.command for suggestion in suggestions}
    shown = [one for one in suggestions if suggest or one.state != "current"]
    answer = {
        "numbers": [tell(finding) for finding in prose.findings],
        "unbacked": [tell_unbacked(result, commands) for result in prose.unbacked],
        "blocks": [tell_block(block) for block in prose.blocks],
        "line_openers": prose.line_openers,
        "counts": prose.counts,
        "suggestions": [hint(suggestion) for suggestion in shown],
        "written": sorted(set(fixed.written)) if fixed else [],
    }
    emit(session, "check-numbers", answer, lambda data: view(data, everything=everything))
    if fixed and fixed.problem:
        raise fixed.problem
    wrong = prose.blocks or any(finding.state != "fresh" for finding in prose.findings)
    if wrong or (strict and prose.unbacked):
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


def warn_of_basis(session: Session, value: ReferenceValue) -> None:
    """Warn of what the text around a number must say: whose it is, and of what data."""
    if value.makers:
        makers = " and ".join(value.makers)
        session.warn(f"it comes from predictions of {makers}: the text must say so")
    if value.synthetic:
        session.warn("it comes from synthetic data: the text must say so")
    elif not value.complete:
        session.warn("it comes from a part of the data: the text must say so")
    if value.marks:
        marks = marks_text(value.marks, TERMINAL)
        session.warn(f"its measurement is marked ({marks}): no claim may rest on it")


def tell_unbacked(result: PlainResult, commands: Mapping[str, str]) -> dict[str, Any]:
    """Tell of a plain number that nothing backs, and what to do; COMMANDS bind some by place."""
    command = commands.get(result.where)
    mark = "cite its source in the sentence, [@key], or mark it as your own: <!--t:own-->"
    return {
        "kind": "unbacked",
        "note": result.note,
        "line": result.place.line,
        "column": result.place.column,
        "text": result.number.text,
        "reads_as": result.number.kind,
        "command": command,
        "next": command or mark,
    }


def tell_block(block: BlockFinding) -> dict[str, Any]:
    """Tell of a generated block that does not say what the records say."""
    return {
        "kind": block.kind,
        "note": block.note,
        "line": block.line or None,
        "address": block.address,
        "reason": block.reason,
        "next": block.next,
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
