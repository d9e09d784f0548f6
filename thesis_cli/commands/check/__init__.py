"""`thesis check`: whether what the thesis says is still so."""

from __future__ import annotations

import click

from thesis_cli.groups import Late, LateVerbs

VERBS: dict[str, Late] = {}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=LateVerbs, late=VERBS)
def check() -> None:
    """Check what the thesis says."""
