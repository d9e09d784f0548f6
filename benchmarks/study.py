"""A study: two students with a teacher, with its backbone alone, and without, on real pictures.

    python benchmarks/study.py prepare FOLDER --reference DATA
    python benchmarks/study.py train FOLDER [--only study/v2-distilled] [--set KEY=VALUE]
    python benchmarks/study.py report FOLDER

`prepare` makes a workspace in FOLDER with everything that the runs need: the train split,
composed from the reference data's scenes, brought back to their own shape, and face crops; the
test split, 34 photographs that are none of them; the published teacher, evaluated. `train` makes
the six runs, and goes on with those that were cut off; several may run side by side with
`--only`. `report` prints the tables of the study and draws its curves. DATA also comes from
THESIS_REFERENCE_DATA.

All is done through the command line, as a reader would, but for the intervals of the shares of the
teacher's AP. One student takes about an hour of one core, distilled about a half more.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from experiments.comparison.statistics import paired_bootstrap, percentiles
from experiments.records.store import Store
from experiments.workspace.workspace import Workspace
from featherface.data.annotation_files import read_widerface
from featherface.data.formats.writing import write_widerface
from featherface.data.images import open_picture
from featherface.data.widerface import open_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from experiments.comparison.statistics import Interval

COMPOSITES = 1600
TEACHER = "study/teacher"
STUDENTS = ("v2", "v2-ultra")
KINDS = ("-distilled", "-backbone", "")
RUNS = tuple(f"study/{name}{kind}" for name in STUDENTS for kind in KINDS)
SUBSETS = ("widerface.easy.ap", "widerface.medium.ap", "widerface.hard.ap")
MEAN = "widerface.mean_ap"
GOALS = {"study-v2-distilled": 0.90, "study-v2-ultra-distilled": 0.85}
"""Shares of the teacher's Hard AP that the study aims at."""
ANNOTATION = "wider_face_val_bbx_gt.txt"
WEIGHTS = "weights/featherface_v1_official.pth"
BACKBONE = "weights/mobilenetv1_025_imagenet.tar"


def main() -> None:
    options = parse()
    options.work(options)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = parser.add_subparsers(required=True)
    for work in (prepare, train, report):
        step = steps.add_parser(work.__name__, help=(work.__doc__ or "").splitlines()[0])
        step.add_argument("folder", type=Path)
        step.set_defaults(work=work)
        if work is prepare:
            known = os.environ.get("THESIS_REFERENCE_DATA")
            step.add_argument("--reference", type=Path, default=known, required=known is None)
        if work is train:
            step.add_argument("--only", choices=RUNS, action="append")
            step.add_argument("--set", action="append", default=[], dest="settings")
    return parser.parse_args()


def prepare(options: argparse.Namespace) -> None:
    """Make workspace, data and teacher."""
    folder, data = options.folder, Path(options.reference).resolve()
    thesis(folder.parent, "init", folder.resolve())
    root = folder.resolve() / "data" / "study"
    for name in (WEIGHTS, BACKBONE):
        shutil.copyfile(data / name, made(folder / name))
    scenes, faces = folder / "data" / "scenes", data / "faces" / "annotations.csv"
    unstretch(data / "widerface" / "stretched416", data / "widerface" / ANNOTATION, scenes)
    made_of = ("--split", "val", "--crops", faces, "--pictures", COMPOSITES, "--held-out", 0)
    thesis(folder, "data", "compose", scenes.resolve(), root, *made_of)
    test = ("data", "convert", data / "widerface" / "val34", root, "--to", "widerface")
    thesis(folder, *test, "--split", "val")
    shutil.copytree(data / "widerface" / "ground_truth", root / "ground_truth")
    thesis(folder, "data", "verify", root, "--leakage")
    thesis(folder, "run", TEACHER, "--set", f"model.weights={WEIGHTS}", "--no-sync")


def unstretch(source: Path, annotation: Path, out: Path) -> None:
    """Write the square pictures of SOURCE into OUT with the shape that they had once.

    ANNOTATION holds their faces as they were; how much smaller the faces of SOURCE are tells the
    width and height of the photographs. No picture becomes smaller, in width or in height. One
    without faces, or that lost one on its way to the square, is left out.
    """
    whole = {image.path: image for image in read_widerface(annotation).images}
    images = []
    for square in open_split(source, "val").images:
        image = whole[square.path]
        if not len(image.boxes) or len(image.boxes) != len(square.boxes):
            continue
        picture = open_picture(source / "WIDER_val" / "images" / square.path)
        size = np.array(picture.size) / shrunk(square.boxes, image.boxes)  # once
        factor = max(np.array(picture.size) / size)
        target = made(out / "WIDER_val" / "images" / image.path)
        width, height = np.rint(size * factor).astype(int).tolist()
        picture.resize((width, height), Image.Resampling.BICUBIC).save(target, quality=95)
        images.append(replace(image, boxes=image.boxes * np.float32(factor)))
    write_widerface(out / "wider_face_split" / ANNOTATION, images)


def shrunk(after: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return by what factor width and height shrank, from the same boxes (n, 4) then and now."""
    old, new = before.reshape(-1, 2).astype(np.float64), after.reshape(-1, 2)
    return (old * new).sum(0) / np.square(old).sum(0)


def train(options: argparse.Namespace) -> None:
    """Make the runs that are missing, or go on with them."""
    for name in options.only or RUNS:
        if named(name) in sealed(options.folder):  # asked anew: others may train beside
            continue
        settings = list(options.settings)
        if not name.endswith("-distilled"):
            backbone = WEIGHTS if name.endswith("-backbone") else BACKBONE
            settings.append(f"model.backbone_weights={backbone}")
        chosen = [part for one in settings for part in ("--set", one)]
        thesis(options.folder, "run", name, *chosen, "--no-sync")


def report(options: argparse.Namespace) -> None:
    """Print the tables in Markdown and draw the curves, of the runs that are finished."""
    folder, done = options.folder, sealed(options.folder)
    runs = [name for name in map(named, (TEACHER, *RUNS)) if name in done]
    found = compare(folder, *runs, "--plots", (folder / "plots").resolve())
    best, sure = found[SUBSETS[-1]][0]["value"], shares(folder, runs)
    row("run", "Easy", "Medium", "Hard", "of the teacher's Hard", "goal")
    row(*["---"] * 6)
    for place, name in enumerate(runs):
        shown = [found[subset][place] for subset in SUBSETS]
        cells = [f"{points(one)} [{points(one, 'low')}, {points(one, 'high')}]" for one in shown]
        share, ends = shown[-1]["value"] / best, sure[place]
        told = f"{share:.1%} [{100 * ends.low:.1f}, {100 * ends.high:.1f}]"
        row(name, *cells, told, judged(name, share))
    print()
    row("run", "against", "Easy", "Medium", "Hard", "mean")
    row(*["---"] * 6)
    for lesser, greater in pairs(runs):
        found = compare(folder, lesser, greater)
        gains = [found[metric][1]["delta"] for metric in (*SUBSETS, MEAN)]
        cells = [
            f"{points(one, sign='+')} ({points(one, 'low', '+')} to {points(one, 'high', '+')})"
            for one in gains
        ]
        row(greater, lesser, *cells)
    print()
    row("run", "seal")
    row(*["---"] * 2)
    store = Store(Workspace.open(folder))
    for name in runs:
        row(name, f"`{store.find(name).seal}`")


def shares(folder: Path, runs: list[str]) -> list[Interval]:
    """Return for each of RUNS the interval of its share of the first one's Hard AP."""
    store = Store(Workspace.open(folder))
    records = [record for name in runs if (record := store.find(name).matches())]
    hard = paired_bootstrap(records).values["hard"]
    return [percentiles(values / hard[0]) for values in hard]


def row(*cells: str) -> None:
    """Print a line of a table."""
    print("|", " | ".join(cells), "|")


def pairs(runs: list[str]) -> list[tuple[str, str]]:
    """Return those of RUNS that differ in one step: the teacher's backbone, or its answers."""
    students = [named(f"study/{name}") for name in STUDENTS]
    steps = [
        (f"{name}{before}", f"{name}{after}")
        for name in students
        for before, after in (("", "-backbone"), ("-backbone", "-distilled"), ("", "-distilled"))
    ]
    return [(before, after) for before, after in steps if before in runs and after in runs]


def judged(name: str, share: float) -> str:
    """Word whether the run NAME reached its goal, where it has one."""
    if name not in GOALS:
        return ""
    return f"{GOALS[name]:.0%}: {'reached' if share >= GOALS[name] else 'missed'}"


def compare(folder: Path, *words: object) -> dict[str, list[dict[str, Any]]]:
    """Return by metric what each of the runs has, in their order."""
    told = json.loads(thesis(folder, "compare", *words, "--json", told=False))
    return {row["metric"]: list(row["values"].values()) for row in told["data"]["rows"]}


def points(found: dict[str, float], key: str = "value", sign: str = "") -> str:
    """Write an AP, or with SIGN a difference of two, in percent or points."""
    return f"{found[key] * 100:{sign}.1f}"


def named(recipe: str) -> str:
    """Return the experiment that RECIPE makes."""
    return recipe.replace("/", "-")


def sealed(folder: Path) -> set[str]:
    """Return the experiments with a run that was made to its end."""
    listed = json.loads(thesis(folder, "runs", "list", "--json", told=False))
    return {one["experiment"] for one in listed["data"] if one["status"] == "sealed"}


def thesis(where: Path, *words: object, told: bool = True) -> str:
    """Run a command in WHERE; what it says of its progress goes to the terminal."""
    command = [sys.executable, "-m", "thesis_cli", *map(str, words)]
    if told:
        print("$ thesis", *words, flush=True)
    done = subprocess.run(
        command, cwd=where, check=False, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    if done.returncode:
        print(done.stdout)
        sys.exit(f"thesis {words[0]} failed with exit code {done.returncode}")
    return done.stdout


def made(path: Path) -> Path:
    """Return PATH, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    main()
