"""The direction of knowledge, and what the command line may not load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("thesis_cli", "featherface", "experiments", "vault_sync", "templates")
HEAVY = ("torch", "numpy", "pandas", "matplotlib", "jinja2", "scipy", "onnxruntime", "wandb")
LEAN = (
    "thesis_cli.main",
    "featherface.variants.table",
    "featherface.profiling.config",
    "featherface.data.config",
    "featherface.training.config.train",
    "featherface.evaluation.config",
    "featherface.export.formats",
    "experiments.workspace.workspace",
    "experiments.recipe.model",
    "experiments.recipe.resolve",
    "experiments.metrics",
    "experiments.records.record",
    "experiments.records.store",
    "experiments.records.index",
    "experiments.workspace.milestones",
    "experiments.claims.checking",
)


def loaded(code):
    """Run CODE in a fresh interpreter; give the modules it has loaded."""
    script = f"{code}\nimport sys\nprint(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return set(answer.stderr.split())


@pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="needs the source tree")
def test_contracts_hold():
    code = "from importlinter.cli import lint_imports_command as c; c()"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert answer.returncode == 0, answer.stdout


def test_lean_modules_load_nothing_heavy():
    """One after the other in one process, which ends at the first that loads something heavy."""
    code = (
        f"import importlib, sys\nfor name in {LEAN}:\n    importlib.import_module(name)\n"
        f"    heavy = sorted({set(HEAVY)} & sys.modules.keys())\n"
        "    assert not heavy, f'{name} loads {heavy}'"
    )
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr


def test_every_command_module_loads_nothing_heavy():
    code = "from thesis_cli.command_table import COMMANDS\nimport importlib\n"
    code += "for late in COMMANDS.values(): importlib.import_module(late.target.split(':')[0])"
    assert loaded(code).isdisjoint(HEAVY)


def test_help_loads_no_command_and_no_rich():
    code = "import sys; sys.argv = ['thesis', '--help']\n"
    code += "from thesis_cli.main import main\ntry: main()\nexcept SystemExit: pass"
    modules = loaded(code)
    assert modules.isdisjoint({*HEAVY, "rich", "ruamel.yaml", "platformdirs", "email.message"})
    assert not [name for name in modules if name.startswith("thesis_cli.commands.")]


@pytest.mark.parametrize("package", PACKAGES)
def test_only_the_command_line_prints(package):
    for path in sorted((ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        prints = [call for call in calls if getattr(call.func, "id", "") == "print"]
        assert not prints, f"{path}:{prints[0].lineno}"


@pytest.mark.parametrize("package", PACKAGES)
def test_text_files_are_opened_with_their_encoding(package):
    needed = {"read_text": 1, "write_text": 2}
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "attr", "") if isinstance(node, ast.Call) else ""
            if name in needed and len(node.args) < needed[name]:
                given = {keyword.arg for keyword in node.keywords}
                assert "encoding" in given, f"{path}:{node.lineno}"
