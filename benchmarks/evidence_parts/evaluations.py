"""Numbers that ordinary commands make, and that mean something else than they seem to."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import experiments
from evidence_parts.cases import NUMBERS, Attack
from evidence_parts.places import student
from evidence_parts.verbs import call

if TYPE_CHECKING:
    from collections.abc import Callable

    Box = Callable[[float, float, float, float, float], tuple[float, float, float, float]]
    """x, y, width and height, and the picture's side -> what another program writes."""

FACTS = Path(experiments.__file__ or "").parent / "facts"
SIDE = 64.0
"""Pixels of the pictures' sides."""
BOXES: dict[str, Box] = {
    "normalised": lambda x, y, w, h, side: (x / side, y / side, w / side, h / side),
    "centred": lambda x, y, w, h, _: (x + w / 2, y + h / 2, w, h),
    "as corners": lambda x, y, w, h, _: (x, y, x + w, y + h),
    "of a resized picture": lambda x, y, w, h, _: (x * 10, y * 10, w * 10, h * 10),
}
"""Wrong way to write a box -> how."""


def run(root: Path, *words: str) -> dict[str, Any] | None:
    """Run v2 anew with WORDS; return its results and warnings, None where it was refused."""
    before = set((root / "runs" / "v2").iterdir())
    answer = call(root, "run", "v2", "--new", "--no-sync", *words)
    made = [path for path in set((root / "runs" / "v2").iterdir()) - before if path.is_dir()]
    sealed = [path for path in made if (path / "SEAL.json").is_file()]
    if answer.code or not sealed:
        return None
    record = json.loads((sealed[0] / "record.json").read_text(encoding="utf-8"))
    results = json.loads((sealed[0] / "results.json").read_text(encoding="utf-8"))
    return {"warnings": record["warnings"], "metrics": results["metrics"], "said": answer.said}


def replaced(root: Path) -> str | None:
    """Say where bound numbers of v2 mean another run than before."""
    data = call(root, "check", "numbers").data or {}
    states = [row["state"] for row in data.get("numbers", []) if row["reference"][:3] == "v2 "]
    other = [state for state in states if state != "fresh"]
    return f"bound numbers of v2 became {', '.join(other)}" if other else None


def told(made: dict[str, Any] | None, *words: str) -> str | None:
    """Say that a run MADE was sealed without a warning that has one of WORDS."""
    if made is None or any(word in text for text in made["warnings"] for word in words):
        return None
    return "sealed without a warning"


def predictions(root: Path, box: Box | None = None, *, empty: bool = False) -> Path:
    """Write v1's predictions to a folder as another program may; EMPTY files, or BOX's format."""
    folder = root / "other-program"
    for path in (root / "runs" / "v1" / "001" / "predictions").glob("*/*.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [line.split() for line in lines[2:]]
        if box:
            rows = [[*_written(box, row[:4]), row[4]] for row in rows]
        rows = [] if empty else rows
        text = "\n".join([lines[0], str(len(rows)), *(" ".join(row) for row in rows)])
        target = folder / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{text}\n", encoding="utf-8")
    return folder


def _written(box: Box, values: list[str]) -> list[str]:
    x, y, width, height = map(float, values)
    return [f"{value:.4f}" for value in box(x, y, width, height, SIDE)]


def evaluated(root: Path, folder: Path, *words: str) -> dict[str, Any] | None:
    return run(root, "--stage", "evaluate", "--set", f"evaluate.predictions={folder}", *words)


def foreign(root: Path) -> str | None:
    """Evaluate another program's detections as v2's."""
    made = evaluated(root, predictions(root))
    if made is None:
        return replaced(root)
    kinds = {metric["evidence"] for metric in made["metrics"] if "widerface" in metric["name"]}
    return replaced(root) or ("sealed as measured" if kinds == {"measured"} else None)


def foreign_beside_size(root: Path) -> str | None:
    """Evaluate another program's detections and measure v2's size in one record."""
    words = ("--stage", "evaluate", "--stage", "benchmark", *weights(root))
    made = run(root, *words, "--set", f"evaluate.predictions={predictions(root)}")
    names = {metric["name"] for metric in made["metrics"]} if made else set()
    mixed = {"params.total", "widerface.mean_ap"} <= names
    return "one record holds its size and another's detections" if mixed else None


def wrong_boxes(root: Path, box: Box) -> str | None:
    made = evaluated(root, predictions(root, box))
    return replaced(root) or told(made, "format", "normal", "corner", "cent", "scale", "resize")


def empty_predictions(root: Path) -> str | None:
    made = evaluated(root, predictions(root, empty=True))
    return replaced(root) or told(made, "empty", "no detection", "nothing", "0 detections")


def weights(root: Path) -> tuple[str, str]:
    path = student(root) / "checkpoints" / "best.safetensors"
    return "--set", f"model.weights={path.as_posix()}"


def with_settings(root: Path, *settings: str) -> str | None:
    """Evaluate v2's own weights as SETTINGS say, which narrow the evaluation or the data."""
    words = [word for setting in settings for word in ("--set", setting)]
    run(root, "--stage", "evaluate", *weights(root), *words)
    return replaced(root)


def other_settings(root: Path, *settings: str) -> str | None:
    """Evaluate known weights as another network reads them."""
    words = [word for setting in settings for word in ("--set", setting)]
    made = run(root, "--stage", "evaluate", *weights(root), *words)
    return told(made, "setting", "prior", "mean", "slope", "weights", "threshold", "cut-off")


def trained_on_test(root: Path) -> str | None:
    made = run(root, "--set", "data.train_split=val", "--set", "train.epochs=1", "--skip=benchmark")
    return told(made, "train_split", "trained on", "same split")


def missing_pictures(root: Path, split: str) -> str | None:
    """Take a tenth of the pictures away, as an unfinished unzip does, and train."""
    pictures = sorted((root / "pictures").glob(f"**/WIDER_{split}/**/*.jpg"))
    pictures += sorted((root / "pictures").glob(f"**/WIDER_{split}/**/*.png"))
    if not pictures:
        return "no pictures were found to take away"
    for path in pictures[::10]:
        path.unlink()
    made = run(root, "--set", "train.epochs=1", "--skip", "benchmark")
    return "more than 1 % of the pictures were missing, and it was sealed" if made else None


def tagged_smoke(root: Path) -> str | None:
    return with_settings(root, "tags=[smoke]", "data.val_limit=4")


def busy_machine(root: Path) -> str | None:
    """Benchmark while every core has two other things to do."""
    stop = multiprocessing.Event()
    count = 2 * (os.cpu_count() or 1)
    others = [multiprocessing.Process(target=_work, args=(stop,)) for _ in range(count)]
    for other in others:
        other.start()
    time.sleep(1)
    try:
        made = run(root, "--stage", "benchmark", *weights(root))
    finally:
        stop.set()
        for other in others:
            other.join()
    rows = made["metrics"] if made else []
    times = [metric for metric in rows if metric["name"].startswith("latency")]
    marked = all("disturbed" in metric.get("marks", ()) for metric in times)
    return replaced(root) or (None if marked else "measured on a busy machine, and not marked")


def _work(stop: Any) -> None:
    numbers = np.random.default_rng(0).random((200, 200))
    while not stop.is_set():
        numbers = numbers @ numbers / numbers.size


def ratio_of_apart(root: Path) -> str | None:
    """Compare two times that were not measured together: no interval may stand beside them."""
    rows = call(root, "compare", "v1", "v2").data["rows"]
    times = [row for row in rows if row["metric"].startswith("latency")]
    sure = [row for row in times if (row["values"].get("v2@1") or {}).get("low") is not None]
    return "a ratio of times measured apart has an interval" if sure else None


def latency_claim(_: Path) -> str | None:
    """`mobile-ready` may not pass on any latency above 0."""
    text = (FACTS / "milestones.toml").read_text(encoding="utf-8")
    start = text.index("[milestones.mobile-ready]")
    claim = text[start : text.find("[milestones.", start + 5)]
    return "mobile-ready passes with any latency above 0" if "_ms > 0" in claim else None


def teacher_gone(root: Path) -> None:
    shutil.rmtree(root / "runs" / "v1" / "001")


EVALUATIONS = (
    Attack("made: another program's detections", foreign, ()),
    Attack("made: another's detections, own size", foreign_beside_size, ()),
    *(
        Attack(f"made: boxes {name}", partial(wrong_boxes, box=box), ())
        for name, box in BOXES.items()
    ),
    Attack("made: empty predictions", empty_predictions, ()),
    Attack(
        "made: half of the test pictures", lambda root: with_settings(root, "data.val_limit=8"), ()
    ),
    Attack("made: a smoke test", tagged_smoke, ()),
    Attack(
        "made: a cut-off of 0.6",
        lambda root: other_settings(root, "evaluate.score_threshold=0.6"),
        (),
    ),
    Attack(
        "made: other prior sizes",
        lambda root: other_settings(root, "model.prior_sizes=[[64,96],[128,192],[256,512]]"),
        (),
    ),
    Attack(
        "made: another pixel mean",
        lambda root: other_settings(root, "model.pixel_mean=[0.0,0.0,0.0]"),
        (),
    ),
    Attack("made: trained on the test split", trained_on_test, ()),
    Attack("made: training pictures missing", partial(missing_pictures, split="train"), ()),
    Attack("made: test pictures missing", partial(missing_pictures, split="val"), ()),
    Attack("made: on a busy machine", busy_machine, ()),
    Attack("made: times measured apart", ratio_of_apart, ()),
    Attack("made: any latency for mobile-ready", latency_claim, ()),
    Attack("made: the teacher's record is gone", teacher_gone, ("compare", NUMBERS)),
)
