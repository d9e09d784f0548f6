"""What README and docs tell people to type exists; the fast part of it is really run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from thesis_cli.groups import DefaultGroup
from thesis_cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(?:console|sh|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def commands():
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                text = line.removeprefix("$ ").strip()
                for part in text.split(" && "):
                    if part.startswith("thesis "):
                        yield pytest.param(part, id=f"{page.name}: {part}")


@pytest.mark.parametrize("line", list(commands()))
def test_a_documented_command_is_one_that_the_program_takes(line):
    """Parse it as the program would, without running it."""
    words = shlex.split(line, comments=True)[1:]
    words = words[: next((i for i, word in enumerate(words) if word in {">", ">>", "|"}), None)]
    command, context = cli, click.Context(cli, info_name="thesis")
    while isinstance(command, click.Group):
        if isinstance(command, DefaultGroup) and words[0].startswith("-"):
            words.insert(0, command.default)
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"no command {name!r}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    command.parse_args(click.Context(command, parent=context), list(words))


def every_command():
    def walk(group, path):
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from walk(command, (*path, name))
            else:
                yield " ".join((*path, name)), command

    return dict(walk(cli, ("thesis",)))


REFERENCE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(every_command()))
def test_the_reference_names_every_command_and_option(name):
    heading = re.search(
        rf"^### `{re.escape(name)}\b.*?(?=^##|\Z)", REFERENCE, re.MULTILINE | re.DOTALL
    )
    assert heading, f"docs/commands.md does not describe {name}"
    shared = {"--workspace", "--color", "--debug", "--json", "--help", "--output-text"}
    for parameter in every_command()[name].params:
        for option in parameter.opts:
            if option.startswith("--") and not shared & {option, *parameter.opts}:
                assert option in heading.group(), f"{name} {option} is not described"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
