"""Make english.tar.xz and french.tar.xz beside this file: workspaces of commit e3d33a0.

git worktree add PLACE e3d33a0
PYTHONPATH=PLACE python tests/thesis_cli/earlier/make.py /tmp/thesis

Everything is done by that version's own command line, in a folder that must not exist yet. The
records tell of the machine its processor, Python and the versions of libraries; its name is HOST.
The index, which is made anew where it is wrong, holds the folder's path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
HOST = "a-computer"
LANGUAGES = {"english": "en", "french": "fr"}
RECIPE = """\
extends: {variant}
title: {title}
hypothesis: {hypothesis}
data: {{root: set, ground_truth: set}}
evaluate: {{predictions: {found}}}
stages: [evaluate]
"""
TRAINED = """\
extends: v3-nano
title: {title}
model: {{variant: v3-nano, weights: zeros.safetensors}}
data: {{root: set}}
train: {{epochs: 1, batch_size: 1, image_size: 96, augmentations: [mirror], amp: 'no'}}
distill: {{teacher: null}}
benchmark: {{image_size: 32, runs: 1, warmup: 0, threads: 1}}
stages: [train, benchmark]
"""
ZEROS = """
from pathlib import Path
from featherface.checkpoints import save_weights
from featherface.networks.detector import build
from featherface.variants import variant
network = build(variant("v3-nano"), 0)
for value in network.state_dict().values():
    value.zero_()
save_weights(Path("zeros.safetensors"), network)
"""
"""Weights of zeros learn almost nothing, so that checkpoints pack into a few kilobytes."""
MILESTONES = """
[milestones.better]
title = "The student is better"
predicate = "student widerface.mean_ap > teacher widerface.mean_ap"

[milestones.small]
title = "The network is small"
predicate = "trained params.total < 200_000"
"""
TEXTS = {
    "en": ("The teacher finds more faces.", "Small faces are lost first."),
    "fr": ("Le maître trouve plus de visages.", "On perd d'abord les « petits » visages."),
}
STUDENT = {
    "en": ("My own first words.\n", "And my last ones, 3.5 of them.\n"),
    "fr": ("Mes premiers mots à moi.\n", "Et mes derniers, au nombre de 3,5.\n"),
}
"""What stands above and below the blocks of chapters and a run's note."""
ELSEWHERE = f"""
import platform, socket, sys
from matplotlib.figure import Figure
save = Figure.savefig
Figure.savefig = lambda self, *places, **options: save(self, *places, **options | {{"dpi": 9}})
socket.gethostname = lambda: {HOST!r}
platform.release = lambda: "6.1"
sys.argv[0] = "thesis"
from thesis_cli.main import main
main()
"""
"""The command line on a computer of another name; figures of few pixels keep archives small."""
KEPT_OUT = ("set", "found-teacher", "found-student", "zeros.safetensors", ".thesis/cache")
"""What the records were made from, and what any version can compute again."""


def thesis(folder: Path, *words: str) -> None:
    """Run the command line with WORDS in FOLDER."""
    settings = {**os.environ, "HOSTNAME": HOST, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", ELSEWHERE, *words], cwd=folder, env=settings, check=True)


def write_detections(folder: Path, found: str, left_out: int, score: float) -> None:
    """Write as found all labelled faces but every one whose number LEFT_OUT divides."""
    lines = (folder / "set/wider_face_split/wider_face_val_bbx_gt.txt").read_text().splitlines()
    faces: dict[str, list[str]] = {}
    for line in lines:
        if line.endswith(".jpg"):
            boxes = faces.setdefault(line.removesuffix(".jpg"), [])
        elif len(line.split()) > 1:
            boxes.append(" ".join(line.split()[:4]))
    for picture, boxes in faces.items():
        rows = [
            f"{box} {score - number / 100:.2f}"
            for number, box in enumerate(boxes)
            if (number + 1) % left_out
        ]
        rows.append("0 0 6 6 0.5")  # a false alarm
        path = folder / found / f"{picture}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([path.stem, str(len(rows)), *rows, ""]), encoding="utf-8")


def make(folder: Path, language: str) -> None:
    """Make a workspace in FOLDER, with two evaluations, a benchmark and a written vault."""
    thesis(folder.parent, "init", folder.name, "--language", language, "--title", "A thesis")
    with (folder / "thesis.toml").open("a", encoding="utf-8") as stream:
        stream.write(MILESTONES)
    thesis(folder, "data", "synth", "set", "--train-images", "1", "--val-images", "6")
    write_detections(folder, "found-teacher", left_out=4, score=0.9)
    write_detections(folder, "found-student", left_out=3, score=0.8)
    title, hypothesis = TEXTS[language]
    for name, variant in (("teacher", "v1"), ("student", "v2")):
        text = RECIPE.format(
            variant=variant, title=title, hypothesis=hypothesis, found=f"found-{name}"
        )
        (folder / "experiments" / f"{name}.yaml").write_text(text, encoding="utf-8")
        thesis(folder, "run", name)
    subprocess.run([sys.executable, "-c", ZEROS], cwd=folder, check=True)
    text = TRAINED.format(title=title)
    (folder / "experiments" / "trained.yaml").write_text(text, encoding="utf-8")
    thesis(folder, "run", "trained")
    thesis(folder, "runs", "label", "student@1", "first")
    thesis(folder, "report", "sync")
    write(folder / "vault", language)
    thesis(folder, "report", "sync")


def write(vault: Path, language: str) -> None:
    """Write as a student does: around blocks, between answers' marks, and in the properties."""
    above, below = STUDENT[language]
    for note in sorted(vault.rglob("*.md")):
        text = note.read_text(encoding="utf-8")
        if "thesis:begin" not in text:
            continue
        first = text.index("<!-- thesis:begin")
        note.write_text(f"{text[:first]}{above}\n{text[first:]}\n{below}", "utf-8", newline="\n")


def pack(folder: Path, archive: Path) -> None:
    """Write the files of FOLDER into ARCHIVE, whatever their times and owners."""
    with tarfile.open(archive, "w:xz", preset=9) as written:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and not any(f"{name}/".startswith(f"{out}/") for out in KEPT_OUT):
                entry = tarfile.TarInfo(name)
                entry.size = path.stat().st_size
                with path.open("rb") as content:
                    written.addfile(entry, content)


def main() -> None:
    """Make both, with the packages that PYTHONPATH names."""
    root = Path(sys.argv[1])
    root.mkdir(parents=True)
    for name, language in LANGUAGES.items():
        make(root / name, language)
        pack(root / name, HERE / f"{name}.tar.xz")
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
