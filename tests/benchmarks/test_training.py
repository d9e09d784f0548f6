"""The scripts that measure: each can still be loaded, and that of training still measures."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_a_script_finds_all_that_it_imports(script, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location(f"loaded_{script.stem}", script)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)  # which raises where one is gone


def test_training_is_compared_with_the_loop_and_with_the_network_alone():
    words = ["--size", "64", "--batch", "1", "--pictures", "2", "--rounds", "1", "--steps", "1"]
    answer = subprocess.run(
        [sys.executable, str(FOLDER / "training.py"), *words, "--variant", "v3-nano"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parent), "OMP_NUM_THREADS": "1"},
    )
    lines = answer.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines[1:4]] == [
        "ours",
        "image by image",
        "network alone",
    ]
    assert [line.split(":")[0] for line in lines[4:]] == [
        f"{what} ({clock})"
        for clock in ("wall", "processor")
        for what in (
            "images per second, ratio",
            "overhead of ours over the network alone, %",
            "overhead of image by image over the network alone, %",
        )
    ]
