"""How long `thesis --help` and a list of 1,000 runs take, as whole processes.

python benchmarks/startup.py [REPEATS]

Budgets: help 0.15 s, list 0.3 s, on two cores.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments.metrics import Metric
from experiments.records import writer
from experiments.records.record import Attempt, Record
from experiments.records.store import Store
from experiments.workspace.workspace import Workspace

RUNS = 1000


def timed(*arguments: str, repeats: int) -> list[float]:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "thesis_cli", *arguments], check=True, stdout=subprocess.DEVNULL
        )
        seconds.append(time.perf_counter() - began)
    return seconds


def fill(root: Path) -> None:
    """Write a workspace with sealed records, as small as they can be."""
    store = Store(Workspace.create(root))
    moment = "2026-01-02T03:04:05+00:00"
    for number in range(RUNS):
        experiment = f"v{number % 10}"
        folder = store.allocate(experiment)
        attempt = Attempt(started=moment, host="h", pid=1, outcome="finished")
        version = number // 10 + 1
        record = Record(experiment=experiment, version=version, created=moment, attempts=(attempt,))
        (folder / "recipe.yaml").write_text("model: {variant: v1}\n", encoding="utf-8")
        metric = Metric(name="widerface.mean_ap", value=0.5, unit="fraction", dataset="synthetic")
        writer.write_results(folder, [metric])
        writer.finish(folder, record)


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    report = {"help": timed("--help", repeats=repeats)}
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder))
        place = ("--workspace", folder)
        report["list, no index yet"] = timed(*place, "runs", "list", "--json", repeats=1)
        report["list --json"] = timed(*place, "runs", "list", "--json", repeats=repeats)
        report["list"] = timed(*place, "runs", "list", repeats=repeats)
    print(json.dumps({name: round(statistics.median(all_), 3) for name, all_ in report.items()}))


if __name__ == "__main__":
    main()
