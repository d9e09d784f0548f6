"""`thesis vault`: what stands between the vault and the records, and what a student decides."""

from __future__ import annotations

import click

from thesis_cli.groups import Late, LateVerbs

VERBS: dict[str, Late] = {}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=LateVerbs, late=VERBS)
def vault() -> None:
    """Look after the vault."""
