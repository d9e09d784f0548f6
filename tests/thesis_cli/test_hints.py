"""What is printed to be typed next can be typed where the program was started."""

from __future__ import annotations

import shlex
import sys
from types import SimpleNamespace

import pytest
from stand_ins import shells

from experiments.wording import shell_quote
from thesis_cli.calling import called
from thesis_cli.commands.ablate import repetition
from thesis_cli.commands.run import resumption


@pytest.fixture
def unactivated(tmp_path, monkeypatch):
    """Take the program from the shell's path, and put it into an environment near by."""
    own = tmp_path / "my box" / ".venv" / "bin"
    own.mkdir(parents=True)
    (own / "thesis").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(shell_quote, "sys", SimpleNamespace(executable=str(own / "python")))
    monkeypatch.chdir(tmp_path / "my box")
    return tmp_path / "my box"


@pytest.mark.skipif(sys.platform == "win32", reason="paths as on POSIX")
def test_hints_name_the_program_by_its_path_where_no_shell_finds_it(unactivated):
    assert called("thesis runs list") == ".venv/bin/thesis runs list"
    assert called("thesis run v1", unactivated / "demo") == "../.venv/bin/thesis run v1"
    text = "correct vault in thesis.toml, or: thesis init my-thesis"
    assert called(text) == "correct vault in thesis.toml, or: .venv/bin/thesis init my-thesis"
    assert called("what the thesis may say") == "what the thesis may say"


def test_hints_name_the_program_as_it_is_where_the_shell_finds_it():
    assert called("thesis runs list") == "thesis runs list"


@pytest.mark.skipif(sys.platform == "win32", reason="paths as on POSIX")
def test_what_init_prints_can_be_typed(unactivated, thesis):
    answer = thesis("init", "a thesis")
    steps = [one.split(maxsplit=1)[1] for one in answer.out.splitlines() if "next " in one]
    assert shells.sh(steps[0]) == ["cd", str(unactivated / "a thesis")]
    then = next(one for one in answer.out.splitlines() if one.startswith("then"))
    assert shells.sh(then.split(maxsplit=1)[1]) == ["../.venv/bin/thesis", "run", "smoke"]
    answer = thesis("runs", "show", "v1", workspace=None)
    assert "next: .venv/bin/thesis" in answer.err


def test_a_command_to_go_on_keeps_every_value(monkeypatch):
    monkeypatch.setattr(shell_quote, "at_hand", lambda: ("sh",))
    plan = SimpleNamespace(source="v1", recipe=SimpleNamespace(name="v1", seed=3))
    values = ["title=It's 5 $", "train.steps_at=[1, 2]"]
    words = shlex.split(resumption(plan, values, ["train"]))
    wanted = ["thesis", "run", "v1", "--set", values[0], "--set", values[1], "--stage", "train"]
    assert words == [*wanted, "--seed", "3", "--resume"]
    words = shlex.split(repetition("v2", values, 5, build_up=True))
    wanted = ["thesis", "ablate", "v2", "--build-up", "--set", values[0], "--set", values[1]]
    assert words == [*wanted, "--seeds", "5"]
