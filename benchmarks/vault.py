"""Time the second sync of a large vault, which writes nothing, and suggestions for long notes.

python benchmarks/vault.py [NOTES] [RUNS] [REPEATS]
"""

from __future__ import annotations

import json
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments.conditions import Conditions
from experiments.metrics import Metric
from experiments.records import writer
from experiments.records.record import Record, now
from experiments.records.run import Run
from experiments.records.seal import seal
from experiments.records.store import Store
from experiments.workspace.workspace import Workspace
from experiments.yaml_io import write_yaml
from vault_sync.commands.sync import sync

BUDGET = 1.0
"""Seconds of DESIGN: second sync of a 5,000-note vault, 0 writes."""
PROSE = """the detector finds small faces where anchors of sixteen pixels meet a dense prior and
distillation from the teacher keeps recall at high overlap while attention reweights channels"""
WORDS = PROSE.split()


def main() -> None:
    """Measure and print."""
    notes, runs, repeats = (
        int(sys.argv[place]) if len(sys.argv) > place else default
        for place, default in ((1, 5000), (2, 120), (3, 7))
    )
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "thesis", title="A large thesis")
        write_notes(workspace.vault, notes)
        write_runs(workspace, runs)
        first = timed(lambda: sync(workspace))
        size = sum(path.stat().st_size for path in workspace.vault.rglob("*.md"))
        count = sum(1 for _ in workspace.vault.rglob("*.md"))
        print(f"{count} notes, {size / 2**20:.1f} MiB, {runs} runs; first sync {first[0]:.2f} s")
        before = stamps(workspace.vault)
        inside = [timed(lambda: sync(workspace)) for _ in range(repeats)]
        outside = [timed(lambda: command(workspace)) for _ in range(repeats)]
        writes = sum(stamp != before.get(path) for path, stamp in stamps(workspace.vault).items())
        told("second sync, in this process", [wall for wall, _ in inside])
        told("the same, CPU seconds", [spent for _, spent in inside])
        told("thesis report sync, a process of its own", [wall for wall, _ in outside])
        print(f"files touched: {writes} (budget {BUDGET} s, 0 writes)")
        measure_numbers(workspace)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def measure_numbers(workspace: Workspace) -> None:
    """Time `check numbers --suggest` of one note of 299 kB and one of 2.3 MB: linear it must be."""
    seconds = []
    for size in (299_000, 2_300_000):
        path = workspace.vault / "Log.md"
        for kind, text in (("notes", prose_of(size)), ("log", log_of(size))):
            path.write_text(text, encoding="utf-8", newline="\n")
            line = [sys.executable, "-m", "thesis_cli", "--workspace", str(workspace.root)]
            wall, _ = timed(
                lambda line=line: subprocess.run(
                    [*line, "check", "numbers", "--suggest", "--json", "Log.md"],
                    check=False,
                    capture_output=True,
                )
            )
            seconds.append(wall)
            print(f"check numbers --suggest, {kind} of {size / 1e6:.1f} MB: {wall:.2f} s")
        path.unlink()
    ratios = [large / small for small, large in zip(seconds[:2], seconds[2:], strict=True)]
    print(
        f"7.7 times the text takes {ratios[0]:.1f} (notes) and {ratios[1]:.1f} (log) times as long"
    )


def prose_of(size: int) -> str:
    """Write sentences with a result now and then, in paragraphs."""
    chance = random.Random(1)
    paragraphs: list[str] = []
    for _ in range(size // 400 + 1):
        words = [chance.choice(WORDS) for _ in range(90)]
        words[chance.randrange(90)] = f"recall of {chance.random() * 100:.1f} %,"
        paragraphs.append(" ".join(words))
    return "\n\n".join(paragraphs)[:size]


def log_of(size: int) -> str:
    """Write the log of a training as somebody pastes it, without a blank line."""
    chance = random.Random(2)
    line = (
        "2026-01-02 12:00:{:02d} epoch {} loss {:.4f} ap {:.4f} {:.1f} % lr 1e-3 {:.1f} ms [ok]\n"
    )
    count = size // 80 + 1
    return "".join(
        line.format(n % 60, n, *(chance.random() * 50 for _ in range(4))) for n in range(count)
    )[:size]


def told(what: str, seconds: list[float]) -> None:
    """Print the median and the spread."""
    middle, low, high = statistics.median(seconds), min(seconds), max(seconds)
    print(f"{what}: median {middle:.2f} s ({low:.2f} to {high:.2f} over {len(seconds)})")


def timed(work: object) -> tuple[float, float]:
    """Return wall and processor seconds of WORK."""
    wall, spent = time.perf_counter(), time.process_time()
    work()  # type: ignore[operator]
    return time.perf_counter() - wall, time.process_time() - spent


def command(workspace: Workspace) -> None:
    """Sync as a student does; nothing may be written."""
    line = [sys.executable, "-m", "thesis_cli", "--workspace", str(workspace.root)]
    done = subprocess.run(
        [*line, "report", "sync", "--json"], check=True, capture_output=True, encoding="utf-8"
    )
    assert json.loads(done.stdout)["data"]["written"] == []


def stamps(vault: Path) -> dict[Path, tuple[int, int]]:
    """Return what changes when a file is written."""
    files = (path for path in vault.rglob("*") if path.is_file())
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in files}


def write_notes(vault: Path, count: int) -> None:
    """Write notes as a student's vault holds them: properties, links, tables, code, prose."""
    chance = random.Random(0)
    for number in range(count):
        path = vault / f"{number % 40:02d}-Topic" / f"Note {number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(note(chance, number), encoding="utf-8", newline="\n")


def note(chance: random.Random, number: int) -> str:
    """Write one note, of half a page to three pages."""
    parts = [f"---\ntags: [faces, topic-{number % 7}]\ncreated: 2026-01-{number % 28 + 1:02d}\n---"]
    parts += [f"# Note {number}", f"See [[Note {chance.randrange(5000)}]] and [[v1@1]]."]
    for section in range(chance.randint(1, 6)):
        words = (chance.choice(WORDS) for _ in range(chance.randint(30, 160)))
        parts += [f"## Section {section}", " ".join(words)]
    if number % 5 == 0:
        parts.append("| run | AP |\n|:--|--:|\n" + "| a | 0.812 |\n" * chance.randint(2, 20))
    if number % 9 == 0:
        parts.append("```python\nprint('<!-- thesis:begin id=shown -->')\n```")
    if number % 250 == 0:
        begin = f"<!-- thesis:begin id=results.own{number} template=performance runs=v1 -->"
        parts.append(f"{begin}\n<!-- thesis:end id=results.own{number} -->")
    return "\n\n".join(parts) + "\n"


def write_runs(workspace: Workspace, count: int) -> None:
    """Write one sealed record and copies of it under other names."""
    first = Run(Store(workspace).allocate("v1"))
    metrics = [
        Metric(
            name=f"widerface.{part}", value=0.5, dataset="synthetic", split="val", n=80,
            conditions=Conditions(protocol="original"),
        )
        for part in ("easy.ap", "medium.ap", "hard.ap", "mean_ap")
    ]  # fmt: skip
    recipe = {"name": "v1", "model": {"variant": "v1"}, "train": {"epochs": 5, "lr": 0.001}}
    (first.folder / "recipe.yaml").write_text(write_yaml(recipe), encoding="utf-8")
    writer.write_results(first.folder, metrics)
    writer.finish(first.folder, Record(experiment="v1", version=1, created=now()))
    for place in range(1, count):
        folder = workspace.runs / f"v{place % 12 + 1}" / f"{place // 12 + 2:03d}"
        shutil.copytree(first.folder, folder)
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        record["experiment"], record["version"] = folder.parent.name, int(folder.name)
        (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
        (folder / "SEAL.json").unlink()
        seal(folder)


if __name__ == "__main__":
    main()
