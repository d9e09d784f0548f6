"""Time what must stay fast as runs accumulate: listing, checking seals, the paired bootstrap.

python benchmarks/records.py [RUNS]
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from experiments.comparison.statistics import paired_bootstrap
from experiments.metrics import Metric
from experiments.records import writer
from experiments.records.record import Record, now
from experiments.records.run import Run
from experiments.records.seal import seal
from experiments.records.store import Store
from experiments.workspace.workspace import Workspace
from featherface.evaluation.matches import MatchRecords, SubsetMatches

IMAGES, THRESHOLDS = 3226, 1000


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder))
        fill(workspace, count)
        Store(workspace).summaries()
        told(f"runs list --json, {count} runs, a process of its own", lambda: listing(folder))
        told("summaries alone", Store(workspace).summaries)
        told("every seal, the first time", lambda: seals(workspace))
        told("every seal, again", lambda: seals(workspace))
    records = [matches(seed) for seed in (0, 1)]
    told("paired bootstrap, full val, 1,000 resamples", lambda: paired_bootstrap(records))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def told(what: str, work: object) -> None:
    """Print wall and processor seconds of WORK."""
    wall, spent = time.perf_counter(), time.process_time()
    work()  # type: ignore[operator]
    print(
        f"{what}: {time.perf_counter() - wall:.2f} s, of this process's CPU"
        f" {time.process_time() - spent:.2f} s"
    )


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
    metrics = [Metric(name="widerface.mean_ap", value=0.5, dataset="synthetic", split="val", n=80)]
    writer.write_results(first.folder, metrics)
    writer.finish(first.folder, Record(experiment="first", version=1, created=now()))
    for place in range(count - 1):
        folder = workspace.runs / f"copy{place % 20:02d}" / f"{place // 20 + 1:03d}"
        shutil.copytree(first.folder, folder)
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        record["experiment"], record["version"] = folder.parent.name, int(folder.name)
        (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
        (folder / "SEAL.json").unlink()
        seal(folder)


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
