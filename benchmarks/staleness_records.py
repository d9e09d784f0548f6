"""What `staleness.py` runs with each changed copy of the packages.

python benchmarks/staleness_records.py make|ask|draw FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from experiments.names import STAGES as ALL_STAGES
from experiments.recipe.resolve import resolve
from experiments.records import writer
from experiments.records.record import Parent, Record, Stage, now
from experiments.records.run import RECIPE, Run
from experiments.records.store import Store
from experiments.staleness.changes import changes
from experiments.staleness.probes import STAGES as FAMILIES
from experiments.staleness.probes import write_probes
from experiments.staleness.source_digest import code_digest, write_code
from experiments.wording.catalogue import phrases
from experiments.workspace.workspace import Workspace
from vault_sync.reports.code_digests import drawing_digests, summary_digests

RECIPES = {
    "v1": "extends: smoke\nmodel: {variant: v1}\n",
    "taught": (
        "extends: smoke\nmodel: {variant: v2}\ntrain: {ema: 0.99}\n"
        "distill: {teacher: v1, feature_weight: 0.5}\n"
    ),
    "evaluated": (
        "extends: smoke\nmodel: {variant: v1}\ndata: {root: widerface}\n"
        "evaluate: {protocol: vga, flip: true}\n"
    ),
}
"""Experiment -> its recipe; `smoke` is on the synthetic set."""
STAGES = {
    "v1": ("train", "evaluate", "benchmark", "export"),
    "taught": ("train", "evaluate", "benchmark", "export"),
    "evaluated": ("evaluate",),
}
LETTERS = {
    "network": "N",
    "training": "T",
    "accuracy": "A",
    "speed": "S",
    "export": "E",
}


def make_records(root: Path) -> None:
    """Write the records into a new workspace at ROOT."""

    workspace = Workspace.create(root)
    parents: tuple[Parent, ...] = ()
    for name, text in RECIPES.items():
        (workspace.recipes / f"{name}.yaml").write_text(text, encoding="utf-8")
        resolved = resolve(name, workspace)
        run = Run(Store(workspace).allocate(name))
        (run.folder / RECIPE).write_text(resolved.to_yaml(), encoding="utf-8")
        write_code(run.folder)
        for stage in STAGES[name]:
            write_probes(run.folder, stage, resolved.recipe)
        done = {
            stage: Stage(status="done" if stage in STAGES[name] else "skipped")
            for stage in ALL_STAGES
        }
        record = Record(
            experiment=name,
            version=1,
            created=now(),
            recipe=resolved.recipe.digest,
            recipe_name=name,
            code=code_digest(),
            stages=done,
            parents=parents if name == "taught" else (),
        )
        writer.finish(run.folder, record)
        parents = (Parent(role="teacher", run=run.id, seal=Run(run.folder).seal),)


def ask(root: Path) -> None:
    """Write which families of each record in ROOT are stale, by its own code and recipe alone."""

    store = Store(Workspace.open(root))
    stale: dict[str, str] = {}
    for name in RECIPES:
        run = store.find(name)
        families = [family for stage in STAGES[name] for family in FAMILIES[stage]]
        families.sort(key=list(LETTERS).index)
        stale[name] = "".join(
            LETTERS[family]
            for family in families
            if any(
                change.run == run.id
                for change in changes(run, store, [family])
                if change.kind != "parent"
            )
        )
    (root / "stale.json").write_text(json.dumps(stale), encoding="utf-8")


def draw(root: Path) -> None:
    """Write to ROOT what each picture, cached summary and phrase is made of."""
    texts = {f"phrase {key}": text for key, text in phrases("en").items()}
    made = {**drawing_digests(), **summary_digests(), **texts}
    (root / "drawn.json").write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    {"make": make_records, "ask": ask, "draw": draw}[sys.argv[1]](Path(sys.argv[2]))
