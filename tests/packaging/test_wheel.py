"""The wheel alone, in an empty environment, somewhere else, does the main job."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from stand_ins.lone_environment import lone_environment

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
MATHS = re.compile(r"\$\$?[^$\n]+\$\$?")


def ask(*command, cwd, timeout=1500):
    """Run a command with nothing of this environment in its own."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "THESIS_WORKSPACE", "THESIS_CONFIG")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    answer = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}"
    return answer.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, so that the source tree stays as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    names = ask("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in names.splitlines():
        origin = ROOT / name
        if origin.is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(origin.read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
    ask(*command, source, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_code_recipes_templates_and_schemas_and_no_tests(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for wanted in ("experiments/recipes/v1.yaml", "thesis_cli/schemas/run.json"):
        assert wanted in names
    assert any(name.startswith("templates/fr/") for name in names)
    assert any(name.startswith("templates/en/") for name in names)
    tops = {name.split("/")[0] for name in names if not name.startswith("thesis-")}
    assert tops == {"thesis_cli", "featherface", "experiments", "vault_sync", "templates"}


def test_installed_alone_it_does_the_main_job(wheel, tmp_path):
    """With what it declares and nothing else; that pip finds all of it is what CI begins with."""
    python = lone_environment(tmp_path / "env", wheel)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    ask(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=tmp_path)
    ask(*pip, "check", cwd=tmp_path)
    scripts = python.parent
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    answer = ask(scripts / "thesis", "quickstart", "demo", "--json", cwd=elsewhere)
    data = json.loads(answer)["data"]
    assert [run["run"] for run in data["runs"]] == ["v1@1", "v2@1"]
    for run in data["runs"]:
        values = {metric["name"]: metric["value"] for metric in run["metrics"]}
        assert values["widerface.mean_ap"] >= 0.5, run["run"]
    assert data["runs"][1]["parents"] == ["teacher: v1@1"]
    check_vault(elsewhere / "demo" / "vault")
    second = ask(scripts / "thesis", "report", "sync", "--json", cwd=elsewhere / "demo")
    assert json.loads(second)["data"]["written"] == []


def check_vault(vault):
    """See that chapters are filled, and that no placeholder is left in them."""
    chapters = list(vault.rglob("*.md"))
    assert len(chapters) >= 5
    text = "\n".join(path.read_text(encoding="utf-8") for path in chapters)
    assert "v1@1" in text
    assert "v2@1" in text
    words = MATHS.sub("", text)  # braces close in pairs in formulas
    for placeholder in ("TODO", "TBD", "{{", "}}", "None |", "nan"):
        assert placeholder not in words, placeholder
    assert list(vault.rglob("*.png"))
