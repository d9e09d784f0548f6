"""The frame every command hangs in: help, options, faults, plugins."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from importlib.metadata import entry_points

import click
import pytest
from click.testing import CliRunner

from featherface import errors
from thesis_cli import errors as cli_errors
from thesis_cli import plugins
from thesis_cli.command_table import COMMANDS
from thesis_cli.main import cli


def walk(command, path=()):
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from walk(command.get_command(context, name), (*path, name))


EVERY = dict(walk(cli))


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_has_help(thesis, path):
    answer = thesis(*path, "--help")
    assert answer.code == 0
    assert "Usage: thesis" in answer.out


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_option_is_explained(path):
    for parameter in EVERY[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help or parameter.show_default, parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_of_a_command_what_the_command_says_of_itself(name):
    assert EVERY[(name,)].get_short_help_str(200) == COMMANDS[name].summary


def test_version(thesis):
    answer = thesis("--version")
    assert answer.code == 0
    assert answer.out.startswith("thesis ")


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [(["rnu"], "run"), (["runs", "lst"], "list"), (["compare", "--formt", "md"], "--format")],
)
def test_a_mistyped_word_is_answered_with_the_nearest(thesis, arguments, nearest):
    answer = thesis(*arguments)
    assert answer.code == 2
    assert nearest in answer.err
    assert "--help" in answer.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ClaimFalseError("x"), 1),
        (errors.UsageError("x"), 2),
        (errors.NotFoundError("x"), 3),
        (errors.UnavailableError("x"), 4),
        (errors.DataError("x"), 4),
        (errors.WeightsError("x"), 4),
        (errors.LockedError("x"), 5),
        (errors.TrainingError("x"), 6),
        (errors.RefusedError("x"), 7),
        (errors.InterruptedRunError("x"), 130),
        (KeyboardInterrupt(), 130),
        (OSError(errno.ENOSPC, "No space left on device", "runs/v1"), 4),
        (MemoryError(), 4),
        (ValueError("shapes (3,) and (4,) differ"), 4),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_each_fault_has_its_exit_code_and_no_traceback(thesis, monkeypatch, error, code):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("experiments.workspace.workspace.Workspace.find", fail)
    answer = thesis("runs", "list")
    assert answer.code == code
    assert answer.out == ""
    assert answer.err.strip()


def test_a_full_disk_is_told_as_such(thesis, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device", "runs/v1")

    monkeypatch.setattr("experiments.workspace.workspace.Workspace.find", fail)
    assert "runs/v1: the disk is full" in thesis("runs", "list").err


def test_something_unforeseen_is_logged_and_debug_shows_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("platformdirs.user_log_path", lambda *a, **k: tmp_path)
    fault = cli_errors.describe(ZeroDivisionError("division by zero"), ["runs", "list"])
    assert "--debug" in (fault.hint or "")
    (log,) = tmp_path.glob("error-*.log")
    assert str(log) in fault.message
    assert "ZeroDivisionError" in log.read_text(encoding="utf-8")


def test_debug_shows_the_traceback(monkeypatch, tmp_path):
    def fail(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("experiments.workspace.workspace.Workspace.find", fail)
    result = CliRunner().invoke(cli, ["runs", "list", "--debug"])
    assert "Traceback" in result.stderr
    assert result.exit_code == 4


@pytest.fixture
def plugins_folder(tmp_path, monkeypatch):
    """A distribution with a good and a broken command."""
    folder = tmp_path / "site"
    metadata = folder / "thesis_extra-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Name: thesis-extra\nVersion: 1.0\n", encoding="utf-8")
    text = "[console_scripts]\nx = y:z\n\n[thesis.commands]\n"
    text += "greet = thesis_extra:greet\nbroken = no_such_module:command\nodd = os:name\n"
    (metadata / "entry_points.txt").write_text(text, encoding="utf-8")
    module = "import click\n\n@click.command()\ndef greet():\n    click.echo('hello')\n"
    (folder / "thesis_extra.py").write_text(module, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)


def test_plugins_are_found_as_importlib_finds_them(plugins_folder):
    found = {entry.name for entry in entry_points(group=plugins.GROUP)}
    assert set(plugins.names()) == found == {"greet", "broken", "odd"}


def test_a_plugin_adds_a_command(thesis, plugins_folder):
    assert "greet" in thesis("--help").out
    assert thesis("greet").out == "hello\n"


@pytest.mark.parametrize(("name", "word"), [("broken", "no_such_module"), ("odd", "no click")])
def test_a_broken_plugin_warns_and_the_rest_works(thesis, plugins_folder, name, word):
    answer = thesis(name)
    assert answer.code == 2
    assert word in answer.err
    assert thesis("completion", "bash").code == 0


def test_without_a_command_there_is_help(thesis):
    answer = thesis("runs")
    assert answer.code == 2
    assert "Commands:" in answer.err
    assert "error" not in answer.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts(thesis, shell):
    answer = thesis("completion", shell)
    assert answer.code == 0
    assert "_THESIS_COMPLETE" in answer.out


def test_completion_suggests_commands():
    environment = {
        "_THESIS_COMPLETE": "bash_complete",
        "COMP_WORDS": "thesis ru",
        "COMP_CWORD": "1",
        "PATH": "",
    }
    command = [sys.executable, "-m", "thesis_cli"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["plain,run", "plain,runs"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT between processes")
def test_the_first_interrupt_asks_and_the_second_kills():
    script = """
import time
from thesis_cli.interrupts import stoppable
with stoppable() as should_stop:
    print("ready", flush=True)
    while not should_stop():
        time.sleep(0.01)
    print("asked", flush=True)
    time.sleep(60)
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
