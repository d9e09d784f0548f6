"""Change a scratch copy of the source in many ways, and see which numbers each makes stale.

python benchmarks/staleness.py [--fork] [NAME…]

Three records are made from the unchanged copy by their probes alone: `v1`, a `v2` that v1
taught, and one that only evaluated. Each change is then made on its own, and a fresh interpreter
that imports the changed copy says which families of each record are stale, and which pictures and
cached summaries of a vault are made of other code or phrases than before. Exit code 1 where that
is not what was expected. `--fork` (not on Windows) loads PyTorch once for all of these
interpreters, and nothing of ours.
"""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[Path, str, Path], None]
    """Does something with the packages of a copy, for a workspace: `started` or `forked`."""

HOME = Path(__file__).parents[1]
PACKAGES = ("thesis_cli", "vault_sync", "experiments", "featherface", "templates")
RECORDS = ("v1", "taught", "evaluated")
SCRIPT = Path(__file__).with_name("staleness_records.py")
"""What is run with the packages of a copy."""
Edit = tuple[str, str, str]
"""File, what stands there, and what is to."""


@dataclass(frozen=True)
class SourceChange:
    """One change of the source, and the families that it is to make stale."""

    name: str
    edits: tuple[Edit, ...] = ()
    make: Callable[[Path], None] | None = None
    """Changes the copy where exchanging text can't."""
    stale: tuple[str, str, str] = ("", "", "")
    """Letters: network, training, accuracy, speed, export; for each of RECORDS."""
    redraws: tuple[str, ...] = ()
    """Pictures and cached summaries that are to be made anew, and phrases that read otherwise."""


def renamed(copy: Path) -> None:
    """Give a module another name, and say so wherever it is imported."""
    folder = copy / "featherface" / "geometry"
    (folder / "suppression.py").rename(folder / "duplicates.py")
    for path in copy.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        moved = text.replace("featherface.geometry.suppression", "featherface.geometry.duplicates")
        if moved != text:
            path.write_text(moved, encoding="utf-8", newline="\n")


def reformatted(copy: Path) -> None:
    """Write a module as Python itself does, without its comments."""
    unparse(copy / "featherface" / "losses" / "multibox.py")


def reformatted_plot(copy: Path) -> None:
    """Write a module that draws in the same way."""
    unparse(copy / "experiments" / "plotting" / "pareto.py")


def unparse(path: Path) -> None:
    """Let Python write the module at PATH; what it computes stays."""
    text = ast.unparse(ast.parse(path.read_text(encoding="utf-8")))
    path.write_text(f"{text}\n", encoding="utf-8", newline="\n")


def renamed_variable(copy: Path) -> None:
    """Give a variable another name throughout a module."""
    path = copy / "featherface" / "evaluation" / "curves.py"
    text = re.sub(r"\benvelope\b", "highest", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8", newline="\n")


CONFIG = "featherface/variants/config.py"
TRAIN = "featherface/training"
ALL = ("NTASE", "NTASE", "A")
JUDGED = ("states",)
"""What milestones came to: it rests on all that measures, by a wide net that costs time alone."""
NETWORK = ("comparisons", "states")
"""Tables of comparisons name the networks, and with them what a configuration is."""
DEFAULTS = ("comparisons", "epochs", "recipes", "states")
"""Whatever reads a recipe."""
MATCHED = ("galleries", "heights", "states")
"""What tells a face that was found from one that was missed."""
CURVES = (
    *("epochs", "galleries", "heights", "intervals", "precision-recall", "recipes", "resamples"),
    *NETWORK,
)
"""Whatever reads match records, which compute an AP."""
CHANGES = (
    SourceChange("a module gets another name", make=renamed),
    SourceChange(
        "a variant is added",
        (
            (
                "featherface/variants/table.py",
                "VARIANTS: dict[str, Variant] = {\n",
                (
                    "VARIANTS: dict[str, Variant] = {\n"
                    '    "v9": Variant(config=DetectorConfig(channels=16), summary="a new one"),\n'
                ),
            ),
        ),
        redraws=NETWORK,
    ),
    SourceChange(
        "an augmentation is added",
        (
            (
                "featherface/data/augmentation/transforms.py",
                '    "auto": auto,\n}',
                '    "auto": auto,\n    "twice": mirror,\n}',
            ),
            (f"{TRAIN}/config/train.py", '    "auto",\n)', '    "auto",\n    "twice",\n)'),
        ),
        redraws=DEFAULTS,
    ),
    SourceChange("a module is reformatted", make=reformatted),
    SourceChange("a variable gets another name", make=renamed_variable, redraws=CURVES),
    SourceChange(
        "a docstring is reworded",
        (("featherface/inference/detect.py", "Find the faces in IMAGE ", "Look for IMAGE's "),),
    ),
    SourceChange(
        "a help text is reworded",
        (("thesis_cli/commands/milestone.py", "Check the thesis's claims.", "Judge the claims."),),
    ),
    SourceChange(
        "an error is reworded",
        (("featherface/inference/detect.py", "numbers that are not finite:", "no numbers:"),),
        redraws=JUDGED,
    ),
    SourceChange(
        "a plot's marker",
        (("experiments/plotting/pareto.py", '"marker": "x"', '"marker": "+"'),),
        redraws=("size-against-ap",),
    ),
    SourceChange("a plot's module is reformatted", make=reformatted_plot),
    SourceChange(
        "a phrase in a picture",
        (("templates/en/words/plots.toml", 'epoch = "epoch"', 'epoch = "pass over the data"'),),
        redraws=("phrase plot.epoch",),
    ),
    SourceChange(
        "a resampling",
        (
            (
                "experiments/comparison/statistics.py",
                "np.random.PCG64(seed)",
                "np.random.PCG64(seed + 1)",
            ),
        ),
        redraws=("comparisons", "intervals", "resamples", "states"),
    ),
    SourceChange(
        "a layer",
        (
            (
                "featherface/networks/attention/cbam.py",
                "torch.sigmoid(score)",
                "torch.sigmoid(2 * score)",
            ),
        ),
        stale=ALL,
        redraws=("networks", "states"),
    ),
    SourceChange(
        "a table's column",
        (("thesis_cli/commands/runs/records.py", '"split", "protocol"', '"part", "protocol"'),),
    ),
    SourceChange(
        "a loss that no recipe names",
        (("featherface/losses/overlap.py", "differ = 4 / math.pi**2", "differ = 3 / math.pi**2"),),
        redraws=JUDGED,
    ),
    SourceChange(
        "an augmentation that no recipe names",
        (
            (
                "featherface/data/augmentation/mixing.py",
                "rng.uniform(0.35, 0.65)",
                "rng.uniform(0.4, 0.6)",
            ),
        ),
        redraws=JUDGED,
    ),
    SourceChange(
        "a block of another variant",
        (
            (
                "featherface/networks/heads/towers.py",
                "import annotations\n",
                "import annotations\n\nOTHER = 1\n",
            ),
        ),
    ),
    SourceChange(
        "suppression by >= for >",
        (("featherface/geometry/suppression.py", "> threshold\n", ">= threshold\n"),),
        stale=("A", "A", "A"),
        redraws=JUDGED,
    ),
    SourceChange(
        "IoU without the pixel more",
        (
            (
                "featherface/evaluation/overlaps.py",
                "areas = (right - left + 1) * (bottom - top + 1)",
                "areas = (right - left) * (bottom - top)",
            ),
        ),
        stale=("A", "A", "A"),
        redraws=MATCHED,
    ),
    SourceChange(
        "a matching threshold",
        (("featherface/evaluation/overlaps.py", "IOU = 0.5\n", "IOU = 0.55\n"),),
        stale=("A", "A", "A"),
        redraws=MATCHED,
    ),
    SourceChange(
        "AP without the monotone envelope",
        (("featherface/evaluation/curves.py", "(steps * envelope)", "(steps * precision)"),),
        stale=("A", "A", "A"),
        redraws=CURVES,
    ),
    SourceChange(
        "the definition of localisation",
        (("experiments/accuracy.py", 'WIDEST = "hard"', 'WIDEST = "medium"'),),
        stale=("A", "A", "A"),
        redraws=MATCHED,
    ),
    SourceChange(
        "scores that equal the threshold",
        (("featherface/inference/detect.py", "(scores > threshold)", "(scores >= threshold)"),),
        stale=("A", "A", "A"),
        redraws=JUDGED,
    ),
    SourceChange(
        "a mirrored view put back by a pixel less",
        (
            (
                "featherface/inference/tta.py",
                "boxes[:, [0, 2]] = self.width - boxes",
                "boxes[:, [0, 2]] = self.width - 1 - boxes",
            ),
        ),
        stale=("", "", "A"),
        redraws=JUDGED,
    ),
    SourceChange(
        "prior sizes",
        ((CONFIG, "((16, 32), (64, 128)", "((16, 36), (64, 128)"),),
        stale=("NTA", "NTA", "A"),
        redraws=NETWORK,
    ),
    SourceChange(
        "variances",
        ((CONFIG, "= (0.1, 0.2)\n", "= (0.1, 0.25)\n"),),
        stale=("NTA", "NTA", "A"),
        redraws=NETWORK,
    ),
    SourceChange(
        "an activation's slope",
        ((CONFIG, "leak: float = 0.1", "leak: float = 0.11"),),
        stale=ALL,
        redraws=NETWORK,
    ),
    SourceChange(
        "the pixel mean",
        ((CONFIG, "= (104.0, 117.0, 123.0)", "= (103.0, 117.0, 123.0)"),),
        stale=("TA", "TA", "A"),
        redraws=NETWORK,
    ),
    SourceChange(
        "the initialisation",
        ((CONFIG, "prior_probability: float = 0.01", "prior_probability: float = 0.02"),),
        stale=("T", "T", ""),
        redraws=NETWORK,
    ),
    SourceChange(
        "what is left of running statistics",
        ((CONFIG, "norm_momentum: float = 0.1", "norm_momentum: float = 0.2"),),
        stale=("T", "T", ""),
        redraws=NETWORK,
    ),
    SourceChange(
        "a loss weight's default",
        ((f"{TRAIN}/config/train.py", "box_weight: float = 2.0", "box_weight: float = 1.5"),),
        stale=("T", "T", ""),
        redraws=DEFAULTS,
    ),
    SourceChange(
        "the ratio of hard negatives",
        (
            (
                "featherface/losses/multibox.py",
                "masked_fill(positive, 0.0), counts * negatives)",
                "masked_fill(positive, 0.0), counts * 3)",
            ),
        ),
        stale=("T", "T", ""),
        redraws=JUDGED,
    ),
    SourceChange(
        "a schedule",
        ((f"{TRAIN}/optimization/schedules.py", "1 / 250_000", "1 / 10_000"),),
        stale=("T", "T", ""),
        redraws=JUDGED,
    ),
    SourceChange(
        "a rate that is set a step late",
        (
            (
                f"{TRAIN}/session.py",
                "self.config, self.place.step, ",
                "self.config, self.place.step + 1, ",
            ),
        ),
        stale=("T", "T", ""),
        redraws=JUDGED,
    ),
    SourceChange(
        "the moving average's warm-up",
        ((f"{TRAIN}/optimization/moving_average.py", "(1 + step)", "(2 + step)"),),
        stale=("", "T", ""),
        redraws=JUDGED,
    ),
    SourceChange(
        "which parameters decay",
        (
            (
                f"{TRAIN}/optimization/optimizers.py",
                "value.requires_grad and value.ndim > 1]",
                "value.requires_grad and value.ndim > 2]",
            ),
        ),
        stale=("T", "T", ""),
        redraws=JUDGED,
    ),
    SourceChange(
        "no clipping",
        ((f"{TRAIN}/session.py", "self.config.clip or math.inf", "math.inf"),),
        stale=("T", "T", ""),
        redraws=JUDGED,
    ),
    SourceChange(
        "T in place of its square",
        ((f"{TRAIN}/distillation/terms.py", "total * temperature**2 /", "total * temperature /"),),
        stale=("", "T", ""),
        redraws=JUDGED,
    ),
    SourceChange(
        "how the synthetic set is drawn",
        (("featherface/data/synthetic/dataset.py", "& (blur < 2) &", "& (blur < 1) &"),),
        stale=("TA", "TA", ""),
        redraws=JUDGED,
    ),
    SourceChange(
        "the median of times",
        (("featherface/profiling/timing.py", "statistics.median(runs)", "statistics.mean(runs)"),),
        stale=("S", "S", ""),
        redraws=JUDGED,
    ),
    SourceChange(
        "what multiply-accumulates are",
        (("featherface/profiling/counting.py", "moves = 3 * TAPS", "moves = 2 * TAPS"),),
        stale=("N", "", ""),
        redraws=("networks", "states"),
    ),
    SourceChange(
        "the wrapper that is exported",
        (("featherface/export/onnx_file.py", "raw.logits.softmax(-1)", "raw.logits.sigmoid()"),),
        stale=("E", "E", ""),
        redraws=JUDGED,
    ),
    SourceChange(
        "what counts as parity",
        (
            (
                "featherface/export/writing.py",
                'case["boxes"], case["scores"])',
                'case["boxes"], case["landmarks"])',
            ),
        ),
        stale=("E", "E", ""),
        redraws=JUDGED,
    ),
)


def redrawn(run: Run, copy: Path, folder: Path) -> dict[str, str]:
    """Return picture, cached summary or phrase -> digest of what the packages of COPY make it of.

    A picture is drawn anew where its digest changes, or a phrase that was in it when it was drawn.
    """
    run(copy, "draw", folder)
    found: dict[str, str] = json.loads((folder / "drawn.json").read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Try every change, or those called on the command line."""
    names = [word for word in sys.argv[1:] if word != "--fork"]
    chosen = [change for change in CHANGES if not names or change.name in names]
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(try_all(Path(folder), chosen, forking="--fork" in sys.argv))


def try_all(folder: Path, chosen: list[SourceChange], *, forking: bool) -> int:
    """Print a line for each change; return 1 where one did not do what was expected."""
    original, wrong = folder / "original", 0
    run = run_forked if forking else run_started
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(HOME / package, original / package, ignore=ignored)
    (folder / "thesis").mkdir()
    run(original, "make", folder / "thesis")
    drawn = redrawn(run, original, folder / "thesis")
    print(f"{'change':44} {'  '.join(f'{name:>14}' for name in RECORDS)}  redrawn")
    for change in (SourceChange("nothing"), *chosen):
        copy = folder / "copy"
        shutil.copytree(original, copy)
        apply(change, copy)
        run(copy, "ask", folder / "thesis")
        anew = redrawn(run, copy, folder / "thesis")
        changed = sorted(name for name in drawn if drawn[name] != anew.get(name))
        stale = json.loads((folder / "thesis" / "stale.json").read_text(encoding="utf-8"))
        shutil.rmtree(copy)
        expected = dict(zip(RECORDS, change.stale, strict=True))
        right = all(set(stale[name]) == set(expected[name]) for name in RECORDS)
        right = right and changed == sorted(change.redraws)
        wrong += not right
        cells = [_cell(stale[name], expected[name]) for name in RECORDS]
        cells += [", ".join(changed) or "-", "" if right else "WRONG"]
        print(f"{change.name:44} {'  '.join(cells)}", flush=True)
    print(f"{len(chosen)} changes, {wrong} not as expected")
    return int(wrong > 0)


def _cell(stale: str, expected: str) -> str:
    text = stale or "-"
    if set(stale) != set(expected):
        text += f" not {expected or '-'}"
    return f"{text:>14}"


def apply(change: SourceChange, copy: Path) -> None:
    """Make CHANGE in COPY; what is to be exchanged must stand there."""
    if change.make is not None:
        change.make(copy)
    for file, old, new in change.edits:
        path = copy / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) < 1:
            sys.exit(f"{change.name}: {file} does not hold {old!r}")
        path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


def run_started(copy: Path, what: str, thesis: Path) -> None:
    """Do WHAT with the packages of COPY in an interpreter of its own."""
    settings = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(SCRIPT), what, str(thesis)]
    if subprocess.run(command, env=settings, check=False).returncode:
        sys.exit(f"{copy}: could not {what}")


def run_forked(copy: Path, what: str, thesis: Path) -> None:
    """Do the same in a child of this process, which has PyTorch and nothing of ours."""
    __import__("torch")
    child = os.fork()
    if child == 0:
        sys.path[:0] = [str(copy)]
        sys.argv = [str(SCRIPT), what, str(thesis)]
        sys.dont_write_bytecode = True
        try:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        except BaseException:  # noqa: BLE001 - the child must not go on as its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{copy}: could not {what}")


if __name__ == "__main__":
    main()
