"""Every command, with its line in help; a module is imported when its command is asked for."""

from __future__ import annotations

from typing import NamedTuple


class LazyCommand(NamedTuple):
    """A command that is imported when it is asked for."""

    target: str
    """`module:attribute`."""
    summary: str
    """Its line in `thesis --help`, kept here so that help imports no command."""


COMMANDS = {
    "init": LazyCommand("thesis_cli.commands.init:init", "Make a workspace and its vault."),
    "quickstart": LazyCommand(
        "thesis_cli.commands.quickstart:quickstart",
        "Make a workspace, train v1 and v2 on the embedded data, fill the vault.",
    ),
    "doctor": LazyCommand(
        "thesis_cli.commands.doctor:doctor", "Check that everything needed is here."
    ),
    "run": LazyCommand("thesis_cli.commands.run:run", "Run experiments and seal what happened."),
    "ablate": LazyCommand(
        "thesis_cli.commands.ablate:ablate",
        "Run EXPERIMENT without each of its innovations in turn.",
    ),
    "monitor": LazyCommand(
        "thesis_cli.commands.monitor:monitor",
        "Watch RUN, or the run at work, until it ends or Ctrl-C.",
    ),
    "compare": LazyCommand(
        "thesis_cli.commands.compare:compare", "Compare runs, metric by metric."
    ),
    "report": LazyCommand(
        "thesis_cli.commands.report:report", "Keep the chapters of the vault true."
    ),
    "vault": LazyCommand("thesis_cli.commands.vault:vault", "Look after the vault."),
    "open": LazyCommand("thesis_cli.commands.open:open_note", "Open a note in Obsidian."),
    "milestone": LazyCommand(
        "thesis_cli.commands.milestone:milestone", "Check the thesis's claims."
    ),
    "check": LazyCommand("thesis_cli.commands.check:check", "Check what the thesis says."),
    "runs": LazyCommand("thesis_cli.commands.runs:runs", "List, show, verify and annotate runs."),
    "model": LazyCommand(
        "thesis_cli.commands.model:model", "Know the networks and import weights."
    ),
    "data": LazyCommand(
        "thesis_cli.commands.data:data",
        "Draw, fetch, check, compose and convert data sets.",
    ),
    "eval": LazyCommand(
        "thesis_cli.commands.evaluation:evaluation",
        "Score detections or weights, and see what they get wrong.",
    ),
    "detect": LazyCommand(
        "thesis_cli.commands.detect:detect",
        "Find the faces in pictures, in videos, or before a camera.",
    ),
    "serve": LazyCommand(
        "thesis_cli.commands.serve:serve",
        "Find faces for whoever uploads a picture, and show a page to try it.",
    ),
    "benchmark": LazyCommand(
        "thesis_cli.commands.benchmark:benchmark",
        "Measure time and memory of networks on this machine; several are timed in turns.",
    ),
    "export": LazyCommand(
        "thesis_cli.commands.export:export",
        "Write a network for other programs, or a package to deploy; check one.",
    ),
    "config": LazyCommand(
        "thesis_cli.commands.config:config", "Show the settings and their origin."
    ),
    "completion": LazyCommand(
        "thesis_cli.commands.completion:completion", "Print the completion script of a shell."
    ),
}
