"""`--output FILE`: every command's text in a file, as a pipe would get it."""

from __future__ import annotations

import os

import click
import pytest

from thesis_cli.main import cli

OF_ITS_OWN = {
    "data preview": "a picture",
    "detect": "a folder of pictures",
    "eval gallery": "a page",
    "export files": "a folder of files",
    "export package": "a folder of files",
    "model show": "a picture, or the text by its ending",
    "vault export": "a document",
}
"""Command -> what its own --output is; the text goes to --output-text there."""


def commands(group=cli, at=()):
    """Yield the name of every command, and the command."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*at, name))
        else:
            yield " ".join((*at, name)), command


def options(command):
    return {name: one for one in command.params for name in one.opts}


@pytest.mark.parametrize("name", dict(commands()))
def test_every_command_takes_it(name):
    known = options(dict(commands())[name])
    assert "--output-text" in known
    same = known["--output"] is known["--output-text"]
    assert same != (name in OF_ITS_OWN)


def test_the_list_names_commands_that_are():
    assert OF_ITS_OWN.keys() <= {name for name, _ in commands()}


@pytest.fixture
def two(workspace, make_run):
    """A workspace with two sealed runs."""
    make_run(workspace, "v1", matches=True, hypothesis="L'élève garde 95 % — « à peu près » ≥ AP.")
    make_run(workspace, "v2", matches=True, seed=1)
    return workspace


ANSWERS = [
    *(f"compare v1 v2 --resamples 20 --format {one}" for one in ("table", "md", "latex", "csv")),
    "compare v1 v2 --resamples 20 --json",
    "model show v2 --format md --language fr",
    "model show v2 --format mermaid",
    "model list",
    "report list",
    "report show results",
    "milestone check",
    "milestone list --json",
    "check quote v1@1 widerface.hard.ap",
    "check numbers",
    "check baseline",
    "runs list",
    "runs show v1",
    "runs diff v1 v2 --json",
    "runs verify",
    "run v2 --dry-run",
    "config show --origin",
    "completion powershell",
    "completion bash",
    "monitor v1",
]


@pytest.mark.parametrize("command", ANSWERS)
def test_the_file_holds_what_a_pipe_would_get(thesis, two, tmp_path, command):
    arguments = command.split()
    if arguments[0] == "check" and arguments[1] == "quote":
        arguments = ["check", "quote", "v1@1 widerface.hard.ap"]
    piped = thesis(*arguments, workspace=two)
    file = tmp_path / "new" / "answer.txt"
    saved = thesis(*arguments, "--output-text", file, workspace=two)
    assert (saved.code, saved.out) == (piped.code, "")
    content = file.read_bytes()
    assert content == piped.out.encode("utf-8")
    assert content
    assert b"\r" not in content
    assert [path.name for path in file.parent.iterdir()] == ["answer.txt"]


def test_a_failure_leaves_the_file_as_it_was(thesis, two, tmp_path):
    file = tmp_path / "table.md"
    file.write_bytes(b"of yesterday")
    answer = thesis("compare", "v1", "nope", "--format", "md", "--output", file, workspace=two)
    assert answer.code == 3
    assert file.read_bytes() == b"of yesterday"


def test_an_answer_with_a_bad_exit_code_is_saved(thesis, two, tmp_path):
    record = two.runs / "v1/001/results.json"
    record.write_bytes(record.read_bytes() + b" ")
    answer = thesis("runs", "verify", "--output", tmp_path / "told.txt", workspace=two)
    assert answer.code == 1
    assert "v1@1: NOT what was sealed" in (tmp_path / "told.txt").read_text(encoding="utf-8")


def test_records_and_the_words_in_a_vault_are_not_written_over(thesis, two, contents):
    note = two.vault / "Mine.md"
    note.write_bytes(b"My words.\n")
    before = contents(two.root)
    for target, said in ((two.runs / "v1/001/list.txt", "sealed record"), (note, "the vault")):
        answer = thesis("runs", "list", "--output", target, workspace=two)
        assert answer.code == 2
        assert said in answer.err
    after = contents(two.root)
    assert {name for name in after if not name.startswith(".thesis")} == {
        name for name in before if not name.startswith(".thesis")
    }
    assert note.read_bytes() == b"My words.\n"
    made = thesis("runs", "list", "--output", two.vault / "New.md", workspace=two)
    assert made.code == 0


def test_a_folder_is_no_file(thesis, two, tmp_path):
    assert thesis("runs", "list", "--output", tmp_path, workspace=two).code == 2


def test_a_place_that_cannot_be_written_is_told_before_the_work(thesis, two, tmp_path):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    answer = thesis("runs", "list", "--output", tmp_path / "file" / "list.txt", workspace=two)
    assert answer.code == 4
    assert "is no folder that you may write to" in answer.err


def test_text_that_cannot_be_written_any_more_is_printed(thesis, two, tmp_path, monkeypatch):
    def full(_source, target, **_):
        raise OSError(28, os.strerror(28), str(target))

    monkeypatch.setattr("featherface.filesystem.atomic.replace", full)
    answer = thesis("milestone", "list", "--output", tmp_path / "list.txt", workspace=two)
    assert answer.code == 4
    assert "No space left" in answer.err
    assert len(answer.out.splitlines()) > 5
    assert not (tmp_path / "list.txt").exists()


def test_colours_stay_out_of_files(thesis, two, tmp_path, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    thesis("runs", "list", "--output", tmp_path / "list.txt", workspace=two)
    assert "\x1b" not in (tmp_path / "list.txt").read_text(encoding="utf-8")


def test_a_drawing_and_its_text_by_ending(thesis, two, tmp_path):
    text = thesis("model", "show", "v2", "--format", "md", workspace=two).out
    assert thesis("model", "show", "v2", "--format", "md", "--output", tmp_path / "v2.md").code == 0
    assert (tmp_path / "v2.md").read_text(encoding="utf-8") == text
    answer = thesis("model", "show", "v2", "--output", tmp_path / "v2.jpg")
    assert answer.code == 2
    assert ".png" in answer.err
    assert ".md" in answer.err
