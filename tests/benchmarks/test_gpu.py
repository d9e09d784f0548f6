"""The script for a GPU, where there is none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "gpu.py"


@pytest.fixture
def gpu(monkeypatch):
    """The script as a module."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    for name in [one for one in sys.modules if one == "gpu" or one.startswith("gpu_parts")]:
        monkeypatch.delitem(sys.modules, name)
    import gpu  # noqa: PLC0415 - found through the path above

    return gpu


def script(*words, **more):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env=environment,
        **more,
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so_and_is_content(tmp_path):
    done = script(cwd=tmp_path)
    assert done.returncode == 0
    assert "no CUDA device here" in done.stdout
    assert "--rehearse" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_rehearsed_parts_leave_json_and_tables(tmp_path):
    done = script("--rehearse", "--only", "machine", "deformable", "--output", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert [found[name]["outcome"] for name in ("machine", "deformable")] == ["done", "done"]
    (table,) = (value for value in found["deformable"].values() if isinstance(value, list))
    single = next(row for row in table if row.pop("precision") == "fp32")
    assert set(single) == {"output", "of the input", "of the kernel", "of the offsets"}
    assert max(single.values()) < 1e-4  # single against double precision
    text = (tmp_path / "gpu.md").read_text(encoding="utf-8")
    assert text.startswith("> Rehearsed on a CPU")
    assert "| precision | output |" in text


def test_a_part_that_takes_too_long_is_stopped_with_all_it_started(gpu, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--rehearse", "--output", str(tmp_path)])
    options = gpu.parse()
    problem = gpu.run_one(options, "product", 0.2)
    assert "stopped at its limit" in problem
    assert (tmp_path / "product.log").is_file()
    mine = psutil.Process().children(recursive=True)
    assert not [one for one in mine if "gpu.py" in " ".join(one.cmdline())]


def test_what_did_not_fit_into_the_time_is_said(gpu, tmp_path, monkeypatch):
    words = ["gpu.py", "--rehearse", "--output", str(tmp_path), "--minutes", "0"]
    monkeypatch.setattr(sys, "argv", [*words, "--only", "machine"])
    assert gpu.main() == 1
    found = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert found["machine"]["outcome"] == "not run"


def test_the_tables_hold_what_was_found(gpu):
    found = {"part": {"rows": [{"a": 1.23456, "b": True}, {"a": None, "c": "x|y"}], "n": 3}}
    text = gpu.tables(found, rehearsed=False)
    assert text.splitlines() == [
        "## part",
        "",
        "- n: 3",
        "",
        "**rows**",
        "",
        "| a | b | c |",
        "| --- | --- | --- |",
        "| 1.235 | yes |  |",
        "| – |  | x\\|y |",
    ]
