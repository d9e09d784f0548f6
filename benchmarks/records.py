"""Time what must stay fast as runs accumulate: lists, seals, claims, the paired bootstrap.

Claims are checked by programs of their own, on the source as it is and on copies in which a line
was changed: one that changes no number, and one that changes every AP. They keep bytecode, as a
user's Python does: of a copy only the changed file is compiled again.

python benchmarks/records.py [RUNS]
"""

from __future__ import annotations

import compileall
import dataclasses
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from experiments.comparison.statistics import paired_bootstrap
from experiments.conditions import Conditions
from experiments.metrics import Metric
from experiments.names import STAGES
from experiments.recipe.resolve import resolve
from experiments.records import writer
from experiments.records.record import Record, Stage, now
from experiments.records.run import RECIPE, Run
from experiments.records.seal import seal
from experiments.records.store import Store
from experiments.staleness.probes import write_probes
from experiments.staleness.source_digest import code_digest, write_code
from experiments.workspace.workspace import Workspace
from featherface.evaluation.matches import MatchRecords, SubsetMatches
from featherface.variants.table import VARIANTS

IMAGES, THRESHOLDS = 3226, 1000
HOME = Path(__file__).parents[1]
PACKAGES = ("thesis_cli", "vault_sync", "experiments", "featherface", "templates")
EXPERIMENTS = {
    f"{name}-{place}": f"extends: smoke\nmodel: {{variant: {name}}}\n{more}"
    for name in VARIANTS
    for place, more in enumerate(("", "train: {lr: 0.01}\n", "evaluate: {nms_threshold: 0.3}\n"))
}
"""Name -> recipe: three of each variant."""
CHANGED_LINES = {
    "another docstring": ("featherface/errors.py", '"""', '""" '),
    "another matching": ("featherface/evaluation/overlaps.py", "IOU = 0.5\n", "IOU = 0.6\n"),
}
"""What was changed -> file, what stood there, and what does."""
ACCURACY = Metric(
    name="widerface.mean_ap",
    value=0.5,
    dataset="synthetic",
    split="val",
    conditions=Conditions(protocol="original"),
    n=80,
)
"""What every record holds."""


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder))
        fill(workspace, count)
        Store(workspace).summaries()
        print_seconds(
            f"runs list --json, {count} runs, a process of its own", lambda: listing(folder)
        )
        print_seconds("summaries alone", Store(workspace).summaries)
        print_seconds("every seal, the first time", lambda: seals(workspace))
        print_seconds("every seal, again", lambda: seals(workspace))
        claims(Path(folder) / "claims", count)
    records = [matches(seed) for seed in (0, 1)]
    print_seconds("paired bootstrap, full val, 1,000 resamples", lambda: paired_bootstrap(records))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def print_seconds(what: str, work: object) -> None:
    """Print wall and processor seconds of WORK, those of the programs that it starts too."""
    wall, spent = time.perf_counter(), processor()
    work()  # type: ignore[operator]
    print(
        f"{what}: {time.perf_counter() - wall:.2f} s, of the CPU {processor() - spent:.2f} s",
        flush=True,
    )


def processor() -> float:
    """Return the seconds of CPU that this process and its children have had."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def listing(folder: str) -> None:
    """List the runs as a user does."""
    command = [sys.executable, "-m", "thesis_cli", "--workspace", folder, "runs", "list", "--json"]
    subprocess.run(command, check=True, capture_output=True)


def seals(workspace: Workspace) -> None:
    """Check every record."""
    store = Store(workspace)
    assert not [problem for run in store.runs() for problem in store.problems(run)]


def fill(workspace: Workspace, count: int) -> None:
    """Write one sealed record and copies of it under other names."""
    first = Run(Store(workspace).allocate("first"))
    writer.write_results(first.folder, [ACCURACY])
    writer.finish(first.folder, Record(experiment="first", version=1, created=now()))
    for place in range(count - 1):
        folder = workspace.runs / f"copy{place % 20:02d}" / f"{place // 20 + 1:03d}"
        shutil.copytree(first.folder, folder)
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        record["experiment"], record["version"] = folder.parent.name, int(folder.name)
        (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
        (folder / "SEAL.json").unlink()
        seal(folder)


def claims(root: Path, count: int) -> None:
    """Time `thesis milestone check` over COUNT records of EXPERIMENTS, which it all looks at."""
    workspace = Workspace.create(root)
    fill_experiments(workspace, count)
    with (root / "thesis.toml").open("a", encoding="utf-8") as file:
        file.writelines(
            f'[milestones.of-{name}]\ndataset = "synthetic"\n'
            f'predicate = "{name} widerface.mean_ap > 0.1 and {name} params.total > 0"\n'
            for name in EXPERIMENTS
        )
    what = f"milestone check, {count} records, {len(EXPERIMENTS)} recipes"
    print_seconds(f"{what}, the first time", lambda: checked(root, HOME))
    print_seconds(f"{what}, again", lambda: checked(root, HOME))
    for line, change in CHANGED_LINES.items():
        copy = root / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        for package in PACKAGES:
            shutil.copytree(HOME / package, copy / package)
        compileall.compile_dir(copy, quiet=1)
        file, old, new = change
        text = (copy / file).read_text(encoding="utf-8")
        (copy / file).write_text(text.replace(old, new), encoding="utf-8", newline="\n")
        print_seconds(f"{what}, first after {line}", lambda copy=copy: checked(root, copy))
        print_seconds(f"{what}, again after {line}", lambda copy=copy: checked(root, copy))


def checked(root: Path, source: Path) -> None:
    """Check the claims as a user does, with the packages in SOURCE."""
    command = [sys.executable, "-m", "thesis_cli", "--workspace", str(root), "milestone", "check"]
    settings = {**os.environ, "PYTHONPATH": str(source)}
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    answer = subprocess.run(
        [*command, "--json"], check=False, capture_output=True, text=True, env=settings, cwd=root
    )
    states = Counter(milestone["state"] for milestone in json.loads(answer.stdout)["data"])
    print("  ", dict(states))


def fill_experiments(workspace: Workspace, count: int) -> None:
    """Write one record of each of EXPERIMENTS, its probes computed, and copies as its versions."""
    for name, recipe in EXPERIMENTS.items():
        (workspace.recipes / f"{name}.yaml").write_text(recipe, encoding="utf-8")
        resolved = resolve(name, workspace)
        first = Run(Store(workspace).allocate(name))
        (first.folder / RECIPE).write_text(resolved.to_yaml(), encoding="utf-8")
        write_code(first.folder)
        for stage in STAGES:
            write_probes(first.folder, stage, resolved.recipe)
        writer.write_results(first.folder, [ACCURACY, Metric(name="params.total", value=1e6)])
        record = Record(
            experiment=name,
            version=1,
            created=now(),
            recipe=resolved.recipe.digest,
            recipe_name=name,
            code=code_digest(),
            stages=dict.fromkeys(STAGES, Stage(status="done")),
        )
        writer.finish(first.folder, record)
        for version in range(2, count // len(EXPERIMENTS) + 1):
            folder = first.folder.with_name(f"{version:03d}")
            shutil.copytree(first.folder, folder)
            (folder / "SEAL.json").unlink()
            writer.finish(folder, dataclasses.replace(record, version=version))


def matches(seed: int) -> MatchRecords:
    """Return match records of the size of WIDER FACE's validation split."""
    random = np.random.default_rng(seed)
    subsets = {}
    for name in ("easy", "medium", "hard"):
        faces = random.integers(1, 20, IMAGES).astype(np.int32)
        hits = np.floor(faces[:, None] * np.linspace(0, 0.9, THRESHOLDS)).astype(np.int32)
        subsets[name] = SubsetMatches(faces=faces, proposals=hits + 1, hits=hits)
    return MatchRecords(images=tuple(f"e/{at}" for at in range(IMAGES)), subsets=subsets)


if __name__ == "__main__":
    main()
