"""What doctor says of accelerators: `ok` only where a kernel really ran."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from featherface.devices import accelerators
from thesis_cli.health import cudnn

GTX_1060 = "NVIDIA GeForce GTX 1060 6GB"
RTX_4090 = "NVIDIA GeForce RTX 4090"
CU126 = ["torch==2.13.0+cu126", "--index-url", "https://download.pytorch.org/whl/cu126"]


@pytest.fixture
def examine(thesis, tmp_path):
    """Call doctor outside of any workspace; give its exit code and its rows by name."""

    def call():
        answer = thesis("doctor", "--json", "--workspace", tmp_path)
        return answer.code, {row["name"]: row for row in answer.data}

    return call


def test_a_card_that_computes_is_ok(pretend_cards, monkeypatch, examine):
    pretend_cards(RTX_4090, GTX_1060)
    ran = []
    monkeypatch.setattr(accelerators, "prove", lambda device: ran.append(device) or 3e-4)
    code, rows = examine()
    assert code == 0
    assert ran == [torch.device("cuda:0"), torch.device("cuda:1")]
    assert rows["cuda:0"]["status"] == "ok"
    told = "NVIDIA GeForce RTX 4090 (sm_89), 6.0 GiB, driver 581.29; it computes as the CPU does"
    assert rows["cuda:0"]["found"].startswith(told)
    assert rows["torch"]["found"].startswith("2.13.0+cu126, CUDA 12.6")
    assert "code for sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90" in rows["torch"]["found"]


def test_a_card_without_code_is_never_computed_on(pretend_cards, monkeypatch, examine):
    pretend_cards(GTX_1060, build="cu130")
    ran = []
    monkeypatch.setattr(accelerators, "prove", lambda device: ran.append(device) or 0.0)
    code, rows = examine()
    assert code == 0
    assert ran == []
    assert rows["cuda:0"]["status"] == "warning"
    assert "holds no code for NVIDIA GeForce GTX 1060 6GB (sm_61)" in rows["cuda:0"]["found"]
    assert rows["cuda:0"]["advice"].split()[-6:] == ["-m", "pip", "install", *CU126]


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (RuntimeError("CUDA error: no kernel image\nCompile with"), "no kernel image"),
        (0.5, "its results are 0.5 from the CPU's"),
        (float("nan"), "its results are not numbers"),
    ],
)
def test_a_card_that_computes_wrongly_is_a_failure(
    pretend_cards, monkeypatch, examine, outcome, told
):
    def prove(device):
        if isinstance(outcome, RuntimeError):
            raise outcome
        return outcome

    pretend_cards(RTX_4090)
    monkeypatch.setattr(accelerators, "prove", prove)
    code, rows = examine()
    assert code == 4
    assert rows["cuda:0"]["status"] == "failure"
    assert told in rows["cuda:0"]["found"]
    assert "--device cpu" in rows["cuda:0"]["advice"]


def test_a_build_without_cuda_beside_a_card(pretend_cards, examine):
    pretend_cards(GTX_1060, build=None)
    code, rows = examine()
    assert code == 0
    assert rows["gpu"]["status"] == "warning"
    assert "a build without CUDA, beside NVIDIA GeForce GTX 1060" in rows["gpu"]["found"]
    assert rows["gpu"]["advice"].split()[-3:] == CU126


def test_a_driver_too_old_for_any_build(pretend_cards, examine):
    pretend_cards(GTX_1060, build=None, driver="461.40")
    rows = examine()[1]
    advice = rows["gpu"]["advice"]
    assert advice.startswith(f"update the driver to {528 if sys.platform == 'win32' else 525}")
    assert advice.split()[-3:] == CU126


def test_a_driver_too_old_for_this_build(pretend_cards, examine):
    pretend_cards(RTX_4090, build="cu130", starts=False, driver="551.86")
    rows = examine()[1]
    assert rows["gpu"]["status"] == "warning"
    assert "needs 580 or later" in rows["gpu"]["found"]
    assert rows["gpu"]["advice"].split()[-3:] == CU126


def test_without_a_card_the_cpu_is_named(pretend_cards, examine):
    pretend_cards(build=None)
    code, rows = examine()
    assert code == 0
    assert rows["gpu"] == {
        "name": "gpu",
        "status": "ok",
        "found": "none here: networks run on the CPU",
        "advice": "",
    }


def test_the_advice_stands_unbroken(pretend_cards, thesis, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    pretend_cards(GTX_1060, build=None)
    answer = thesis("doctor", "--workspace", tmp_path)
    (line,) = [one for one in answer.out.splitlines() if "pip install" in one]
    assert line.split()[-3:] == CU126
    assert subprocess.list2cmdline([sys.executable]) in line


def test_versions_of_cudnn():
    assert cudnn(91002) == "9.10.2"
    assert cudnn(8907) == "8.9.7"
