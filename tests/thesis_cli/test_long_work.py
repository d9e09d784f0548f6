"""Long work through the real command: the quickstart's way, and an interrupt in the middle."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys

import pytest

from experiments.records.store import Store

pytestmark = pytest.mark.slow

SMALL = """\
extends: [{name}, demo]
data: {{synthetic: {{image_size: 96, train_images: 8, val_images: 4, largest_face: 48}}}}
train: {{epochs: 1, batch_size: 4, image_size: 96}}
benchmark: {{image_size: 160, runs: 3, warmup: 1}}
"""


def test_the_quickstart_from_folder_to_vault(thesis, valid, tmp_path):
    """With smaller recipes in place; the packaging test runs the real ones."""
    root = tmp_path / "demo"
    (root / "experiments").mkdir(parents=True)
    for name, teacher in (("v1", ""), ("v2", "distill: {teacher: v1}\n")):
        text = SMALL.format(name=name) + teacher
        (root / "experiments" / f"{name}.yaml").write_text(text, encoding="utf-8")
    data = valid(thesis("quickstart", root, "--language", "fr", "--json"))
    assert [run["run"] for run in data["runs"]] == ["v1@1", "v2@1"]
    assert data["runs"][1]["parents"] == ["teacher: v1@1"]
    assert data["chapters"]
    again = valid(thesis("quickstart", root, "--language", "fr", "--json"))
    assert [run["run"] for run in again["runs"]] == ["v1@1", "v2@1"]
    assert again["sync"]["written"] == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT between processes")
def test_an_interrupted_run_goes_on(workspace, thesis):
    command = [sys.executable, "-m", "thesis_cli", "run", "smoke", "--no-sync"]
    place = ["--workspace", str(workspace.root), "--set", "train.epochs=12"]
    with subprocess.Popen([*command, *place], stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.startswith("train "):
                process.send_signal(signal.SIGINT)
                break
        told = process.stderr.read()
        assert process.wait(120) == 130
    assert "--resume" in told
    assert "Traceback" not in told
    (run,) = Store(workspace).runs()
    assert run.status == "interrupted"
    stages = ("--resume", "--no-sync", "--json")
    answer = thesis("run", "smoke", *stages, "--set", "train.epochs=12", workspace=workspace)
    assert [each["run"] for each in answer.data["runs"]] == ["smoke@1"]
    assert Store(workspace).find("smoke").status == "sealed"


def test_a_run_without_a_vault_is_sealed_all_the_same(thesis, workspace):
    shutil.rmtree(workspace.vault)
    stages = ("--stage", "train", "--stage", "evaluate", "--json")
    answer = thesis("run", "smoke", *stages, workspace=workspace)
    assert answer.code == 3
    assert json.loads(answer.out)["data"]["runs"][0]["status"] == "sealed"
    assert str(workspace.vault) in answer.err
