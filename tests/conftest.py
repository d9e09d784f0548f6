"""Fixtures that every part of the suite may use."""

from __future__ import annotations

import copy
import gc
import os
import shutil
import sys
from collections import defaultdict
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

# Before PyTorch is imported: on tiny tensors two threads wait for each other more than they work,
# and on a busy machine they take many times as long.
os.environ["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", "1")

import hypothesis
import pytest
from filelock import FileLock
from stand_ins.folders import contents
from stand_ins.machines import CalmMachine
from stand_ins.remembered_traces import RememberedTraces

from experiments.earlier_conditions import from_text
from experiments.metrics import AP_METRICS, KINDS, Metric
from experiments.names import STAGES
from experiments.records import writer
from experiments.records.annotations import RunAnnotations
from experiments.records.record import Attempt, Git, Parent, Record, Stage
from experiments.records.run import RECIPE, Run
from experiments.records.store import Store
from experiments.workspace.workspace import Workspace
from experiments.yaml_io import write_yaml
from featherface.filesystem.retry import patient

EXTRA = ("slow", "data", "external", "variants")
"""Marks of the tests that only --all runs; pyproject.toml says what each means."""
EXAMPLES = {"default": 25, "all": 100}
"""Profile of hypothesis -> how many examples a property is tried on; the same in every run."""

for profile, examples in EXAMPLES.items():
    hypothesis.settings.register_profile(
        profile, max_examples=examples, deadline=None, derandomize=True
    )


def pytest_addoption(parser):
    parser.addoption(
        "--all",
        action="store_true",
        help=f"run the tests marked {', '.join(EXTRA)} too, and properties on more examples",
    )


def pytest_configure(config):
    """Choose the tests and the number of examples; who gives -m chooses the tests himself."""
    everything = config.getoption("all")
    hypothesis.settings.load_profile("all" if everything else "default")
    if not everything and not config.option.markexpr:
        config.option.markexpr = f"not ({' or '.join(EXTRA)})"


@pytest.hookimpl(trylast=True)  # when the marks have decided
def pytest_collection_modifyitems(config, items):
    """Let each of xdist's processes begin with slow tests: one that came last would be waited for.

    The slow tests of a file stay together, for what they share; the others keep their order.
    """
    processes = int(getattr(config, "workerinput", {}).get("workercount", 1))
    if processes == 1:
        return
    files = defaultdict(list)
    for item in items:
        if item.get_closest_marker("slow"):
            files[item.path].append(item)
    slow = list(files.values())
    others = iter([item for item in items if not item.get_closest_marker("slow")])
    ordered = []
    for place in range(processes):
        # As many as --dist worksteal gives to a process at the start.
        share = (len(items) - len(ordered)) // (processes - place)
        first = [item for tests in slow[place::processes] for item in tests]
        ordered += [*first, *islice(others, max(0, share - len(first)))]
    items[:] = [*ordered, *others]


def pytest_collection_finish():
    """Set aside what was imported: tests that let go of memory would search all of it each time."""
    set_aside()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """Set aside what the tests of a file have left: modules, and what those keep."""
    if nextitem is None or nextitem.path != item.path:
        set_aside()


def set_aside():
    """Let no later search for garbage go through what is here now."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter, config):
    """After everything was run, say how much of it the default selection is."""
    if not config.getoption("all"):
        return
    phases = [report for kind in ("", "passed") for report in terminalreporter.getreports(kind)]
    usual = [phase for phase in phases if not any(mark in phase.keywords for mark in EXTRA)]
    tests = [sum(phase.when == "call" for phase in some) for some in (usual, phases)]
    seconds = [sum(phase.duration for phase in some) for some in (usual, phases)]
    terminalreporter.write_line(
        f"without --all: {tests[0]} of these {tests[1]} tests passed,"
        f" {seconds[0]:.0f} of {seconds[1]:.0f} s of work"
    )


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real weights, images and expected values; the test skips without it."""
    value = os.environ.get("THESIS_REFERENCE_DATA")
    if not value:
        pytest.skip("THESIS_REFERENCE_DATA is not set: no real data to test with")
    folder = Path(value).resolve()
    if not (folder / "expected.json").is_file():
        pytest.fail(f"THESIS_REFERENCE_DATA={value} holds no expected.json")
    return folder


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """Make a folder once for all the processes that the tests are spread over.

    `shared_folder(name, make)` calls MAKE with the folder's path, which isn't there yet, in the
    first process that asks, and returns the path; who wants to write there takes a copy.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # each of xdist's processes has a folder of its own in it

    def shared(name, make):
        folder, complete = base / "shared" / name, base / "shared" / f"{name}.complete"
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not complete.is_file():
                shutil.rmtree(folder, ignore_errors=True)  # of a process that failed at it
                make(folder)
                complete.touch()
        return folder

    return shared


@pytest.fixture(scope="session")
def remembered_traces(shared_folder):
    """Traces for ONNX; a fixture that writes a file lets it be `taken` from them."""
    return RememberedTraces(shared_folder)


@pytest.fixture(scope="module")
def traced_once(remembered_traces):
    """Let every export of a module, and of its fixtures, trace no network that was traced before.

    Its networks are the tests' own; who shows what a trace holds goes without.
    """
    with remembered_traces.taken():
        yield


@pytest.fixture
def weighed_here(monkeypatch):
    """Weigh a file's network without a process of its own, which imports PyTorch for 2 s."""
    from stand_ins import weighing  # noqa: PLC0415 - most tests need no network

    from featherface.profiling import resident_memory  # noqa: PLC0415 - as above

    monkeypatch.setattr(resident_memory, "resident_memory", weighing.weighed_here)


@pytest.fixture(scope="session", autouse=True)
def _no_user_config(tmp_path_factory):
    """Keep the settings of whoever runs the suite out of it."""
    missing = tmp_path_factory.getbasetemp() / "no-user-config.toml"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THESIS_CONFIG", str(missing))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "user-state"))
        beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        patch.setenv("PATH", beside)  # as after activating: hints say `thesis`, not where it is
        patch.setattr("featherface.devices.graphics_cards.PROGRAM", "no-nvidia-smi")
        for name in ("THESIS_WORKSPACE", "THESIS_LANGUAGE", "THESIS_VAULT", "THESIS_DEVICE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk():
    """Flush nothing: no test can cut the power, and what a killed process wrote is kept anyway.

    Tests of what a flush tells put their own in its place.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _calm_machine():
    """Let what is timed find a machine that is left alone, whatever else this one does.

    Tests of busy and unsteady machines put their own in its place.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("featherface.profiling.machine.THIS", CalmMachine())
        yield


RESAMPLED = {}
"""What `resampled_once` knows, in all of a process's tests."""


@pytest.fixture
def resampled_once(monkeypatch):
    """Resample the same detections once: what is drawn from them is the same in every workspace."""
    from featherface.evaluation.matches import MatchRecords  # noqa: PLC0415 - numpy

    real = MatchRecords.resampled_ap

    def resampled_ap(self, subset, weights):
        counts = self.subsets[subset]
        arrays = (counts.hits, counts.proposals, counts.faces, weights)
        key = tuple((one.shape, one.dtype.str, blake2b(one.tobytes()).digest()) for one in arrays)
        if key not in RESAMPLED:
            RESAMPLED[key] = real(self, subset, weights)
        return RESAMPLED[key].copy()

    monkeypatch.setattr(MatchRecords, "resampled_ap", resampled_ap)


PROBED, DESCRIBED = {}, {}
"""What `probed_once` and `described_once` know, in all of a process's tests."""


@pytest.fixture
def probed_once(monkeypatch):
    """Compute the probes of the same settings once: the code stays the same between tests."""
    from featherface.probes import table  # noqa: PLC0415 - most tests need no network

    real = table.measure

    def measure(settings, probes):
        key = (repr(settings), tuple(probes))
        if key not in PROBED:
            PROBED[key] = real(settings, probes)
        return copy.deepcopy(PROBED[key])

    monkeypatch.setattr(table, "measure", measure)


@pytest.fixture
def described_once(monkeypatch):
    """Take the same network apart once, whichever workspace keeps what was found."""
    from featherface.model_summary import description  # noqa: PLC0415 - as above

    real = description.describe

    def describe(config, height, width):
        key = (config, height, width)
        if key not in DESCRIBED:
            DESCRIBED[key] = real(config, height, width)
        return DESCRIBED[key]

    monkeypatch.setattr(description, "describe", describe)


HOLDER = "OneDrive.exe (process 4242)"


class Hours:
    """A clock that stands still but for the pauses that are slept through."""

    def __init__(self):
        self.now = 0.0

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture(autouse=True)
def hours():
    """Let waiting for a held file take no time, and nobody be looked for who holds it."""
    clock = Hours()
    with patient(now=lambda: clock.now, sleep=clock.sleep, who=lambda _: HOLDER):
        yield clock


CARDS = {
    "NVIDIA GeForce GTX 1060 6GB": (6, 1),
    "NVIDIA GeForce RTX 2060": (7, 5),
    "NVIDIA GeForce RTX 3060": (8, 6),
    "NVIDIA GeForce RTX 4090": (8, 9),
    "NVIDIA H100 PCIe": (9, 0),
    "NVIDIA GeForce RTX 5090": (12, 0),
}
WHEELS = {
    "cu118": "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_37 sm_90",
    "cu126": "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90",
    "cu128": "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120",
    "cu130": "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120 compute_120",
}
"""Build of PyTorch -> what `torch.cuda.get_arch_list` says in it; the last one as on Linux."""


@pytest.fixture
def pretend_cards(monkeypatch):
    """Let PyTorch and NVIDIA's program see cards of CARDS that aren't here.

    `build`: for which CUDA PyTorch is built, None for none; `starts=False`: CUDA doesn't start;
    `listed=False`: there is no such program.
    """
    import torch  # noqa: PLC0415 - most tests need no network

    from featherface.devices import accelerators, select  # noqa: PLC0415 - as above
    from featherface.devices.graphics_cards import Card  # noqa: PLC0415 - as above

    def pretend(*names, build="cu126", starts=True, driver="581.29", listed=True):
        here = names if starts and build else ()
        current = [0]
        for name, value in {
            "is_available": lambda: bool(here),
            "device_count": lambda: len(here),
            "current_device": lambda: current[0],
            "set_device": lambda device: current.__setitem__(0, torch.device(device).index),
            "get_device_name": lambda place=0: here[place],
            "get_device_capability": lambda place=0: CARDS[here[place]],
            "get_device_properties": lambda place=0: SimpleNamespace(total_memory=6 * 2**30),
            "get_arch_list": lambda: WHEELS[build].split() if build else [],
        }.items():
            monkeypatch.setattr(torch.cuda, name, value)
        monkeypatch.setattr(torch.version, "cuda", f"{build[2:4]}.{build[4]}" if build else None)
        monkeypatch.setattr(torch, "__version__", f"2.13.0+{build or 'cpu'}")
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
        monkeypatch.setattr(select, "_TOLD", set())
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        found = tuple(Card(name, CARDS[name], driver, 6144) for name in names) if listed else ()
        monkeypatch.setattr(accelerators, "nvidia", lambda: found)

    return pretend


@pytest.fixture
def workspace(tmp_path):
    """A fresh workspace in English, with an empty vault folder."""
    made = Workspace.create(tmp_path / "thesis", title="A thesis", author="A. Student")
    made.vault.mkdir()
    return made


def fill(root, language):
    """Make a workspace at ROOT with a teacher's and a student's run, and sync its vault."""
    from vault_sync.commands import scaffold  # noqa: PLC0415 - most tests need no vault
    from vault_sync.commands.sync import sync  # noqa: PLC0415 - as above

    workspace = Workspace.create(root, language=language, title="A thesis")
    scaffold.create(workspace)
    teacher = write_run(workspace, "v1", matches=True)
    write_run(workspace, "v2", variant="v2", parents=[teacher], seed=1, matches=True)
    report = sync(workspace)
    assert (report.conflicts, report.refused) == ([], [])


@pytest.fixture(scope="session")
def synced(shared_folder):
    """Return, for a language, the workspace of `fill` that all tests share: it is only read.

    `synced_copy` is for tests that write. Who wrote into it all the same is found at the end.
    """
    before = {}

    def get(language="en"):
        root = shared_folder(f"synced-{language}", lambda folder: fill(folder, language))
        before.setdefault(root, contents(root))
        return Workspace.open(root)

    yield get
    changed = [str(root) for root, files in before.items() if contents(root) != files]
    assert not changed, f"a test wrote into a workspace that all share: {changed}"


@pytest.fixture
def synced_copy(synced, tmp_path):
    """Return, for a language, a copy of the synced workspace; the test may write into it."""

    def copied(language="en"):
        return Workspace.open(shutil.copytree(synced(language).root, tmp_path / language))

    return copied


@pytest.fixture
def quick_plots(monkeypatch):
    """Draw pictures of one pixel; real ones take most of a sync. Returns what drew for real."""
    from experiments.plotting import (  # noqa: PLC0415 - most tests need no plots
        bar_plots,
        network_drawing,
        pareto,
        run_plots,
    )

    def draw(name):
        return lambda *args, **_: ONE_PIXEL + f"{name} {args}".encode()

    real = {"draw_network": network_drawing.draw_network}
    for name in ("loss_curves", "precision_recall"):
        monkeypatch.setattr(run_plots, name, draw(name))
    monkeypatch.setattr(pareto, "pareto", draw("pareto"))
    monkeypatch.setattr(network_drawing, "draw_network", draw("draw_network"))
    for name in ("component_bars", "difference_bars"):
        monkeypatch.setattr(bar_plots, name, draw(name))
    return real


SETTINGS = {"latency": "640×640, batch 1, 2 threads", "memory": "640×640, batch 1"}
SYNTHETIC_METRICS = {
    "widerface.easy.ap": 0.71,
    "widerface.medium.ap": 0.66,
    "widerface.hard.ap": 0.55,
    "widerface.mean_ap": 0.64,
    "params.total": 488_664,
    "macs.640": 1_160_000_000,
    "latency.cpu.median_ms": 41.5,
    "size.fp32_mb": 1.97,
}


@pytest.fixture
def make_run():
    """Write a real record without training; see `write_run` for what may be chosen."""
    return write_run


def write_run(
    workspace,
    experiment="v1",
    *,
    metrics=None,
    status="sealed",
    variant="v1",
    dataset="synthetic",
    split="val",
    n=80,
    complete=True,
    protocol="original",
    matches=False,
    events=True,
    plots=True,
    parents=(),
    seed=0,
    created="2026-01-02T03:04:05+00:00",
    hypothesis="A smaller student keeps the teacher's accuracy.",
    labels=(),
    recipe=None,
    tags=("baseline",),
    details=None,
    files=None,
):
    """Write a run of EXPERIMENT, sealed unless STATUS says interrupted or failed; return it.

    `metrics` maps a name to a value or is a list of Metric; `parents` lists runs (the first is
    the teacher); `matches` writes per-image match records (those given, or made-up ones);
    `recipe` maps dotted keys to values; `details` is what results.json says of each stage beside
    the metrics; `files` maps paths in the record to their bytes.
    """

    def one(name, value):
        on_data = name.startswith("widerface.")
        return Metric(
            name=name,
            value=value,
            unit=KINDS[name].unit if name in KINDS else "",
            dataset=dataset if on_data else "",
            split=split if on_data else "",
            n=n if on_data else 0,
            complete=complete if on_data else True,
            fingerprint="f" * 64 if on_data else "",
            source=run.id,
            conditions=from_text(protocol if on_data else SETTINGS.get(name.split(".")[0], "")),
        )

    run = Run(Store(workspace).allocate(experiment))
    folder = run.folder
    chosen = SYNTHETIC_METRICS if metrics is None else metrics
    if isinstance(chosen, dict):
        chosen = [one(name, value) for name, value in chosen.items()]
    done = status == "sealed"
    attempt = Attempt(
        started=created,
        host="laptop",
        pid=4242,
        argv=("thesis", "run", experiment),
        ended=created if done else "",
        outcome="finished" if done else status,
    )
    stage = Stage(status="done", started=created, ended=created, seconds=12.5)
    record = Record(
        experiment=experiment,
        version=run.version,
        status="finished" if done else status,
        title=f"The {experiment} experiment",
        hypothesis=hypothesis,
        tags=tuple(tags),
        seed=seed,
        created=created,
        finished=created if done else "",
        argv=attempt.argv,
        tool="0.1.0",
        git=Git(commit="0123456789abcdef0123456789abcdef01234567", branch="main"),
        parents=tuple(
            Parent(role="teacher" if not place else "weights", run=parent.id, seal=parent.seal)
            for place, parent in enumerate(parents)
        ),
        hardware={"cpu": "2 cores", "memory_gb": 8, "system": "Linux", "python": "3.11.7"},
        stages={name: stage if done else Stage() for name in STAGES},
        attempts=(attempt,),
    )
    (folder / RECIPE).write_text(
        write_yaml(resolved_recipe(experiment, variant, seed, parents, recipe or {})),
        encoding="utf-8",
    )
    record.write(folder)
    writer.write_json(
        folder / "data.json",
        {
            name: {"dataset": dataset, "files": n, "bytes": 1000 * n, "annotation": "a" * 64}
            for name in ("train", split)
        },
    )
    (folder / "environment.txt").write_text("numpy==2.0.0\ntorch==2.9.0\n", encoding="utf-8")
    (folder / "log.txt").write_text("epoch 1\n", encoding="utf-8")
    if events:
        for epoch in range(1, 6):
            share = 1 - 0.5**epoch
            parts = {"loss": 8 / epoch, "box": 1 / epoch, "face": 4 / epoch, "landmark": 2 / epoch}
            scores = {"mean_ap": 0.6 * share, "easy": 0.7 * share, "medium": 0.6 * share}
            place = {"event": 2 * epoch - 2, "epoch": epoch - 1, "step": 2 * epoch - 1}
            writer.append_event(folder, {"kind": "step", **place, "learning_rate": 1e-3, **parts})
            place = {"event": 2 * epoch - 1, "epoch": epoch, "step": 2 * epoch}
            speed = {"seconds": 2.5, "images": 16}
            writer.append_event(
                folder,
                {
                    "kind": "epoch",
                    **place,
                    "learning_rate": 1e-3,
                    **speed,
                    **parts,
                    **scores,
                    "hard": 0.5 * share,
                },
            )
    if matches:
        made = synthetic_matches(seed, n, stated_aps(chosen))
        kept = made if matches is True else matches
        kept.save(folder / "matches.npz")
    if plots:
        (folder / "plots").mkdir()
        for name in ("loss_curves", "precision_recall", "size_against_ap"):
            (folder / "plots" / f"{name}.png").write_bytes(ONE_PIXEL)
    write_files(folder, files or {})
    if done:
        writer.write_results(folder, chosen, details)
        writer.finish(folder, record)
    if labels:
        RunAnnotations(labels=tuple(labels)).write(folder)
    return Run(folder)


def write_files(folder, files):
    """Write FILES, path -> bytes, below FOLDER."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


ONE_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)


def resolved_recipe(experiment, variant, seed, parents, changes):
    """Return a recipe as recipe.yaml holds it, with dotted CHANGES."""
    content = {
        "name": experiment,
        "title": f"The {experiment} experiment",
        "seed": seed,
        "primary_metric": "widerface.mean_ap",
        "model": {"variant": variant},
        "data": {"root": "synthetic"},
        "train": {"epochs": 5, "batch_size": 8, "image_size": 160, "lr": 0.001},
        "distill": {"teacher": parents[0].id if parents else None},
        "evaluate": {"protocol": "original"},
    }
    for key, value in changes.items():
        *path, last = key.split(".")
        inner = content
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return content


def stated_aps(metrics):
    """Return subset -> AP of METRICS; what they don't say is such that their mean is right."""
    values = {metric.name: metric.value for metric in metrics}
    stated = {
        subset: values[name]
        for name, subset in AP_METRICS.items()
        if subset != "mean" and name in values
    }
    mean = values.get("widerface.mean_ap", sum(stated.values()) / len(stated) if stated else 0.5)
    missing = [subset for subset in ("easy", "medium", "hard") if subset not in stated]
    rest = (3 * mean - sum(stated.values())) / len(missing) if missing else 0.0
    return stated | dict.fromkeys(missing, rest)


def synthetic_matches(seed, images, aps=None):
    """Return match records of IMAGES pictures with these APS.

    The pictures are the same for all, some harder than others; what is found in each is drawn
    from SEED. Faces are counted by the ten thousand, so that a share of them is an AP to a
    millionth. False alarms come after the last face was found, where they don't count.
    """
    import numpy as np  # noqa: PLC0415 - most tests need no arrays

    from featherface.evaluation.matches import (  # noqa: PLC0415 - as above
        MatchRecords,
        SubsetMatches,
    )

    pictures, random = np.random.default_rng(0), np.random.default_rng(seed)
    names = tuple(f"0--Parade/{place:04d}" for place in range(images))
    reach = np.append(np.linspace(0.3, 1.0, 999), 1.0)
    subsets = {}
    for subset, ap in (aps or {"easy": 0.8, "medium": 0.7, "hard": 0.55}).items():
        faces = pictures.integers(10_000, 90_000, images)
        spread = min(0.2, 0.5 * (1 / ap - 1)) if ap else 0.0
        ease = pictures.uniform(-1, 1, images) + 0.2 * random.uniform(-1, 1, images)
        wanted = faces * ap * (1 + spread * ease)
        wanted *= ap * faces.sum() / max(wanted.sum(), 1)
        found = np.diff(np.rint(np.cumsum(wanted)), prepend=0).astype(np.int64)
        hits = np.floor(found[:, None] * reach).astype(np.int32)
        proposals = hits.copy()
        proposals[:, -1] += random.integers(0, 4, images).astype(np.int32)
        subsets[subset] = SubsetMatches(
            faces=faces.astype(np.int32), proposals=proposals, hits=hits
        )
    return MatchRecords(images=names, subsets=subsets)
