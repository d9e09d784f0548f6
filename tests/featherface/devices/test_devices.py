"""Which device is taken beside cards and builds of PyTorch that are not here."""

from __future__ import annotations

import os
import subprocess

import pytest
import torch

from featherface.devices import accelerators, graphics_cards, select
from featherface.devices.graphics_cards import BUILDS, Card, covers, fitting
from featherface.devices.names import DEVICES, check_device
from featherface.errors import UnavailableError, UsageError
from featherface.training.config.train import TrainConfig
from featherface.training.loop import make_accelerator

GTX_1060 = "NVIDIA GeForce GTX 1060 6GB"
RTX_3060 = "NVIDIA GeForce RTX 3060"
RTX_4090 = "NVIDIA GeForce RTX 4090"
RTX_5090 = "NVIDIA GeForce RTX 5090"
COVERED = {
    GTX_1060: ("cu118", "cu126"),
    "NVIDIA GeForce RTX 2060": ("cu118", "cu126", "cu128", "cu130"),
    RTX_3060: ("cu118", "cu126", "cu128", "cu130"),
    RTX_4090: ("cu118", "cu126", "cu128", "cu130"),
    "NVIDIA H100 PCIe": ("cu118", "cu126", "cu128", "cu130"),
    RTX_5090: ("cu128", "cu130"),
}
"""Card -> builds of PyTorch that it can be computed on with."""
GOOD = [(card, build) for card, builds in COVERED.items() for build in builds]
BAD = [(GTX_1060, "cu128"), (GTX_1060, "cu130"), (RTX_5090, "cu118"), (RTX_5090, "cu126")]
WANTED = {GTX_1060: "cu126", RTX_5090: "cu130"}


@pytest.mark.parametrize(("card", "build"), GOOD)
def test_a_card_that_the_build_has_code_for_is_taken(pretend_cards, card, build):
    pretend_cards(card, build=build)
    told = []
    assert select.choose("auto", told.append) == torch.device("cuda")
    assert select.choose("cuda", told.append) == torch.device("cuda")
    assert select.choose("cuda:0", told.append) == torch.device("cuda:0")
    assert not told


@pytest.mark.parametrize(("card", "build"), BAD)
def test_without_code_for_the_card_auto_says_so_and_takes_the_cpu(pretend_cards, card, build):
    pretend_cards(card, build=build)
    told = []
    assert select.choose("auto", told.append) == torch.device("cpu")
    (text,) = told
    assert card in text
    assert f"https://download.pytorch.org/whl/{WANTED[card]}" in text
    assert select.choose("auto", told.append) == torch.device("cpu")
    assert len(told) == 1, "stages that follow each other needn't repeat it"


@pytest.mark.parametrize(("card", "build"), BAD)
def test_without_code_for_the_card_cuda_is_refused(pretend_cards, card, build):
    pretend_cards(card, build=build)
    with pytest.raises(UnavailableError, match=f"holds no code for {card}") as caught:
        select.choose("cuda")
    assert f"/{WANTED[card]}" in caught.value.hint
    assert "use auto or cpu" in caught.value.hint


def test_without_a_listener_the_fallback_is_a_warning(pretend_cards):
    pretend_cards(GTX_1060, build="cu130")
    with pytest.warns(UserWarning, match="holds no code for NVIDIA GeForce GTX 1060"):
        select.choose()


def test_cards_are_counted(pretend_cards):
    pretend_cards(RTX_4090, RTX_3060)
    assert select.choose("cuda:1") == torch.device("cuda:1")
    assert torch.cuda.current_device() == 1, "what takes no device means that card then"
    assert select.choose("auto") == torch.device("cuda")
    assert torch.cuda.current_device() == 1
    with pytest.raises(UnavailableError, match=r"no cuda:2: .*cuda:0 \(.*4090\), cuda:1 \(.*3060"):
        select.choose("cuda:2")


def test_auto_takes_the_second_card_where_only_that_can_be_computed_on(pretend_cards):
    pretend_cards(GTX_1060, RTX_3060, build="cu130")
    told = []
    assert select.choose("auto", told.append) == torch.device("cuda:1")
    assert "computing on NVIDIA GeForce RTX 3060 (sm_86)" in told[0]
    assert torch.cuda.current_device() == 1


def test_a_build_without_cuda_beside_a_card_is_told(pretend_cards):
    pretend_cards(GTX_1060, build=None)
    told = []
    assert select.choose("auto", told.append) == torch.device("cpu")
    assert "2.13.0+cpu is a build without CUDA, beside NVIDIA GeForce GTX 1060" in told[0]
    assert "whl/cu126" in told[0]
    with pytest.raises(UnavailableError, match=r"no cuda device: .*without CUDA"):
        select.choose("cuda")


def test_a_driver_that_is_too_old_is_told(pretend_cards):
    pretend_cards(RTX_3060, build="cu130", starts=False, driver="551.86")
    told = []
    assert select.choose("auto", told.append) == torch.device("cpu")
    assert "the driver 551.86" in told[0]
    assert "needs 580 or later" in told[0]
    assert "with the build in https://download.pytorch.org/whl/cu126 it works" in told[0]


def test_cards_that_a_variable_hides_are_told(pretend_cards, monkeypatch):
    pretend_cards(RTX_3060, starts=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    told = []
    select.choose("auto", told.append)
    assert "CUDA_VISIBLE_DEVICES=-1 hides NVIDIA GeForce RTX 3060" in told[0]


def test_without_a_card_nothing_is_told(pretend_cards, monkeypatch):
    pretend_cards(build="cu130")
    told = []
    assert select.choose("auto", told.append) == torch.device("cpu")
    assert not told
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert select.choose("auto", told.append) == torch.device("mps")


@pytest.mark.parametrize("name", [*DEVICES, "cuda:0", "cuda:15"])
def test_names_of_devices(name):
    assert check_device(name) == name
    torch.device(name if name != "auto" else "cpu")
    assert TrainConfig(device=name).device == name


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:01", "cuda:-1", "cuda:x", "CUDA", "", 1])
def test_other_names_are_refused_with_the_key(name):
    with pytest.raises(UsageError, match=r"train\.device: no device"):
        TrainConfig(device=name)


def test_training_takes_the_card_that_is_asked_for(pretend_cards, monkeypatch):
    pretend_cards(RTX_4090, RTX_3060)
    monkeypatch.setenv(select.TRAINER, "cuda:0")
    assert make_accelerator(TrainConfig(device="cuda:1")).device == torch.device("cuda:1")
    assert torch.cuda.current_device() == 1
    assert os.environ[select.TRAINER] == "cuda:0", "what stood there before is back"
    monkeypatch.delenv(select.TRAINER)
    assert make_accelerator(TrainConfig(device="cuda")).device == torch.device("cuda")
    assert make_accelerator(TrainConfig(device="cpu")).device == torch.device("cpu")
    assert select.TRAINER not in os.environ


def test_training_falls_back_aloud(pretend_cards):
    pretend_cards(GTX_1060, build="cu130")
    told = []
    accelerator = make_accelerator(TrainConfig(), told.append)
    assert accelerator.device == torch.device("cpu")
    assert "computing on the CPU: PyTorch 2.13.0+cu130 holds no code for" in told[0]


def test_processes_share_no_numbered_card():
    with (
        pytest.raises(UsageError, match="2 processes"),
        select.reserved(torch.device("cuda:1"), 2),
    ):
        pass
    with select.reserved(torch.device("cuda"), 2):
        assert select.TRAINER not in os.environ


def test_the_trial_computes_and_compares():
    assert accelerators.prove(torch.device("cpu")) == 0
    assert accelerators.NEAR == 1e-2
    with pytest.raises(RuntimeError):
        accelerators.prove(torch.device("meta"))  # holds no values, so nothing can be compared


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_real_card_computes_as_the_cpu_does():
    assert accelerators.prove(select.choose("cuda")) <= accelerators.NEAR


def test_compatibility_is_what_pytorch_says():
    known = getattr(torch.cuda, "DEVICE_REQUIREMENT", None)
    if known is None:
        pytest.skip("this PyTorch keeps no table of compatibility")
    for made, runs_on in known.items():
        if made == 101:  # renamed to 110 since
            continue
        for capability in range(30, 130):
            pair = divmod(capability, 10)
            assert covers([f"sm_{made}"], pair) == (capability in runs_on), (made, pair)


def test_builds_hold_what_pytorch_says():
    known = getattr(torch.cuda, "PYTORCH_RELEASES_CODE_CC", None)
    if known is None:
        pytest.skip("this PyTorch keeps no table of its builds")
    for build in BUILDS.values():
        held = {int(one.removeprefix("sm_")) for one in build.architectures}
        assert held == known[f"{build.name[2:4]}.{build.name[4:]}"]["x86_64"]


@pytest.mark.parametrize(
    ("held", "capability", "runs"),
    [
        ("compute_90", (12, 0), True),
        ("compute_90", (8, 9), False),
        ("sm_90a", (9, 0), True),
        ("sm_100a", (10, 3), False),
        ("sm_100f", (10, 3), True),
        ("gfx1100", (11, 0), False),
    ],
)
def test_portable_and_special_code(held, capability, runs):
    assert covers([held], capability) is runs


@pytest.mark.parametrize(
    ("capability", "driver", "build"),
    [
        ((6, 1), 560, "cu126"),
        ((6, 1), 581, "cu126"),
        ((8, 6), 581, "cu130"),
        ((8, 6), 560, "cu126"),
        ((8, 6), 470, "cu126"),
        ((12, 0), 572, "cu130"),
        ((3, 5), 470, None),
        (None, 460, None),
    ],
)
def test_the_build_for_a_card_and_its_driver(capability, driver, build):
    found = fitting(capability, driver)
    assert (found and found.name) == build


def test_how_a_build_is_installed():
    cu126 = BUILDS["cu126"]
    url = "https://download.pytorch.org/whl/cu126"
    wanted = ["-m", "pip", "install", "torch==2.13.0+cu126", "--index-url", url]
    assert cu126.install("2.13.0+cpu") == wanted
    assert cu126.packaged("2.15.1") == "torch==2.14.*", "the last that was built for CUDA 12.6"
    assert BUILDS["cu130"].packaged("2.15.1") == "torch==2.15.1+cu130"


MODERN = "NVIDIA GeForce GTX 1060 6GB, 560.94, 6144, 6.1\nNVIDIA H100 PCIe, 560.94, 81559, 9.0\n"


def smi(answers):
    def run(command, **_):
        for start, answer in answers.items():
            if start in command[1]:
                return subprocess.CompletedProcess(command, 0 if answer else 2, answer, "")
        return subprocess.CompletedProcess(command, 9, "", "no driver")

    return run


def test_cards_as_the_driver_lists_them(monkeypatch):
    monkeypatch.setattr(subprocess, "run", smi({"compute_cap": MODERN}))
    first, second = graphics_cards.installed()
    assert first == Card("NVIDIA GeForce GTX 1060 6GB", (6, 1), "560.94", 6144)
    assert str(first) == "NVIDIA GeForce GTX 1060 6GB (sm_61)"
    assert second.capability == (9, 0)
    assert second.branch == 560


def test_an_old_driver_knows_no_capability(monkeypatch):
    old = "GeForce GTX 1060 6GB, 461.40, [N/A]\n"
    monkeypatch.setattr(subprocess, "run", smi({"compute_cap": "", "name,driver": old}))
    assert graphics_cards.installed() == (Card("GeForce GTX 1060 6GB", None, "461.40", 0),)


@pytest.mark.parametrize("fault", [FileNotFoundError(), subprocess.TimeoutExpired("x", 1)])
def test_without_a_driver_there_are_no_cards(monkeypatch, fault):
    def run(command, **_):
        raise fault

    monkeypatch.setattr(subprocess, "run", run)
    assert graphics_cards.installed() == ()
    monkeypatch.setattr(subprocess, "run", smi({}))
    assert graphics_cards.installed() == ()
