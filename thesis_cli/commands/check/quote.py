"""`thesis check quote`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from thesis_cli.commands.check.numbers import basis, warn_of_basis
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("reference", nargs=-1, required=True)
@json_option
@pass_session
def quote(session: Session, reference: tuple[str, ...], as_json: bool) -> None:
    """Print a bound number, ready to be pasted.

    REFERENCE is a run, its metric and a format, such as: v2@best widerface.hard.ap .1%; without
    a format the metric's own. Put it in quotes where it holds '(' or '*'.
    """
    del as_json
    from vault_sync.commands.bind_numbers import quote
    from vault_sync.commands.check_numbers import ProseNumbers

    snippet = quote(ProseNumbers(session.workspace), " ".join(reference))
    warn_of_basis(session, snippet.value)
    sources = list(dict.fromkeys(metric.source for metric in snippet.value.metrics))
    session.note(f"{' and '.join(snippet.value.evidence)}: {'; '.join(sources)}")
    answer = {
        "sources": sources,
        "snippet": str(snippet),
        "reference": snippet.reference,
        "text": snippet.text,
        **basis(snippet.value),
    }
    emit(session, "check-quote", answer, lambda data: [data["snippet"]])
