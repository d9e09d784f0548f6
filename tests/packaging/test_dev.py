"""dev.py: what it refuses and what it tells, without installing anything."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, str(ROOT / "dev.py"), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_needs_the_standard_library_alone():
    tree = ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        name.split(".")[0]
        for node in imports
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    }
    assert names <= set(sys.stdlib_module_names)


def test_demo_overwrites_nothing(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    answer = call("demo", tmp_path)
    assert answer.returncode == 1
    assert str(tmp_path) in answer.stderr
    assert "choose another folder" in answer.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    answer = call("--venv", tmp_path, "test")
    assert answer.returncode == 1
    assert "no virtual environment" in answer.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("command", ["demo", "test", "check"])
def test_help(command):
    answer = call(command, "--help")
    assert answer.returncode == 0


def test_constraints_pin_plain_versions():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    for pin in pins:
        name, _, version = pin.partition("==")
        assert name
        assert version
        assert "+" not in version, pin
        assert "/" not in version, pin
