"""Energy by counters that are made up: differences, a new beginning, and nothing instead of 0."""

from types import SimpleNamespace

import pytest
import torch
from stand_ins.machines import ToldMachine

from featherface.profiling import energy
from featherface.profiling import machine as machine_module
from featherface.profiling.energy import NvmlMeter, joules_of_samples, meters_of, rapl_meters
from featherface.profiling.timing import Workload

CPU = torch.device("cpu")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Make a powercap folder with one package of 1000 J, its core domain, and a battery's."""
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    for folder, name in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core"), ("dtpm", "x")):
        place = tmp_path / folder
        place.mkdir()
        (place / "name").write_text(f"{name}\n", encoding="ascii")
        (place / "energy_uj").write_text("0\n", encoding="ascii")
        (place / "max_energy_range_uj").write_text("1000000000\n", encoding="ascii")
    return tmp_path / "intel-rapl:0" / "energy_uj"


@pytest.fixture
def working(monkeypatch):
    """Return a workload of half a second that uses JOULES of the counter FILE each time."""

    def make(file, joules, *, others=0.0):
        machine = ToldMachine(others=others)
        monkeypatch.setattr(machine_module, "THIS", machine)

        def work():
            machine.now += 0.5
            now = int(file.read_text(encoding="ascii")) + int(joules * 1e6)
            file.write_text(str(now % 1_000_000_000), encoding="ascii")

        return Workload(work=work, device=CPU, ready=lambda: None)

    return make


def test_a_packages_counter_is_read_over_passes_that_last_two_seconds(package, working):
    (meter,) = meters_of(CPU)
    told = energy.energy(working(package, 3.0), 4, 2, [meter])
    assert (told.passes, told.pictures, told.meters) == (4, 16, ("RAPL package-0",))
    plain = told.to_json()
    assert plain["joules"] == pytest.approx(12.0)
    assert plain["joules_per_picture"] == pytest.approx(0.75)
    assert plain["watts"] == pytest.approx(6.0)
    assert plain["marks"] == []


def test_a_counter_that_begins_anew_is_followed(package, working):
    package.write_text("995000000", encoding="ascii")
    told = energy.energy(working(package, 3.0), 1, 1, meters_of(CPU))
    assert told.joules == pytest.approx(12.0)


def test_a_counter_that_stands_still_gives_no_figure_and_never_a_zero(package, working):
    assert energy.energy(working(package, 0.0), 1, 1, meters_of(CPU)) is None


def test_a_counter_that_is_hidden_or_missing_gives_nothing(package, tmp_path, working):
    package.write_text("no\n", encoding="ascii")
    assert rapl_meters(tmp_path) == rapl_meters(tmp_path / "nowhere") == []
    assert energy.energy(working(package, 1.0), 1, 1, []) is None


def test_what_other_programs_used_marks_the_energy(package, working):
    told = energy.energy(working(package, 1.0, others=1.5), 1, 1, meters_of(CPU))
    assert told.marks == ("disturbed",)


def test_a_card_without_a_counter_is_no_meter_and_one_with_counts_millijoules(monkeypatch):
    class NVMLError(Exception):
        pass

    counts = iter([1000.0, 1500.0, 4500.0, 9500.0])
    library = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda name: name,
        nvmlDeviceGetTotalEnergyConsumption=lambda _: next(counts),
    )
    monkeypatch.setattr(energy, "card_uuid", lambda _: "GPU-1")
    monkeypatch.setattr(energy.importlib, "import_module", lambda _: library)
    meter = energy.nvml_meter(torch.device("cuda"))
    assert isinstance(meter, NvmlMeter)
    meter.start()
    assert meter.joules() == 5.0

    def refuse(_):
        raise NVMLError

    library.nvmlDeviceGetTotalEnergyConsumption = refuse
    assert energy.nvml_meter(torch.device("cuda")) is None


def test_samples_of_power_become_energy_by_their_mean():
    assert joules_of_samples("100.0\n[N/A]\n200.0\n", 2.0) == 300.0
    assert joules_of_samples("[N/A]\n", 2.0) is None
