"""The record says on what machine it was made."""

import contextlib
import platform
import sys
from types import SimpleNamespace

import pytest

from experiments.records import provenance


def test_a_record_names_the_card_that_trains(pretend_cards):
    pretend_cards("NVIDIA GeForce GTX 1060 6GB", "NVIDIA GeForce RTX 3060")
    found = [
        provenance.hardware(device)["gpu"] for device in ("auto", "cuda:1", "cuda:0", "cuda:7")
    ]
    first, second = "NVIDIA GeForce GTX 1060 6GB", "NVIDIA GeForce RTX 3060"
    assert found == [first, second, first, first]


SOLD_AS = "12th Gen Intel(R) Core(TM) i7-12700H"


def test_windows_names_the_processor_as_it_is_sold(monkeypatch):
    """`platform` says "Intel64 Family 6 Model 154 Stepping 3", as of many others."""
    asked = []
    registry = SimpleNamespace(
        HKEY_LOCAL_MACHINE="machine",
        OpenKey=lambda root, key: contextlib.nullcontext((root, key)),
        QueryValueEx=lambda key, name: (asked.append((*key, name)), (f"{SOLD_AS}  ", 1))[1],
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert provenance.hardware()["cpu"] == SOLD_AS
    place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    assert asked == [("machine", place, "ProcessorNameString")]


def test_macos_names_the_processor_as_it_is_sold(monkeypatch):
    def sysctl(command, **_):
        assert command == ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return SimpleNamespace(stdout="Apple M2\n")

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(provenance.subprocess, "run", sysctl)
    assert provenance.hardware()["cpu"] == "Apple M2"


@pytest.mark.parametrize("system", ["Windows", "Darwin", "Plan9"])
def test_a_processor_that_nobody_names_has_its_family(monkeypatch, system):
    monkeypatch.setitem(
        sys.modules, "winreg", SimpleNamespace(OpenKey=refuse, HKEY_LOCAL_MACHINE=0)
    )
    monkeypatch.setattr(provenance.subprocess, "run", refuse)
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "processor", lambda: "a family")
    assert provenance.hardware()["cpu"] == "a family"


def refuse(*_, **__):
    raise OSError("not here")


def test_environment_and_hardware():
    lines = provenance.environment().splitlines()
    assert any(line.startswith("numpy==") for line in lines)
    assert lines[0].startswith("python==")
    found = provenance.hardware()
    assert found["cores"] >= 1
    assert found["cpu"]
