"""Training steps of RetinaFace-0.25 at 640 x 640, against a loop that matches image by image.

    python benchmarks/training.py [--size 640] [--batch 4] [--pictures 24] [--faces 30]
                                  [--rounds 3] [--steps 6] [--threads N] [--data FOLDER]
                                  [--variant retinaface-mnet025]

A step is data, forward, loss and backward. Both loops see the same pictures, decoded, augmented
and made into numbers by the same code, and train the same network. What differs:

- ours, as `thesis run` trains: pictures decoded once and kept, the next batch made in a thread
  while this one is computed, pictures, maps and gradients channels-last, the loss for the whole
  batch at once, memory kept between the steps;
- image by image, as the official source trains without workers: pictures decoded each time, each
  batch made when it is needed, maps in the usual memory order, matching and encoding in a Python
  loop over the batch, hard negatives by sorting every prior twice, memory as the C library keeps
  it.

A third loop is the network alone: the same forward and backward pass as ours on a batch that is
ready, from gradients that are. What ours and the other take beyond it is their overhead.

Ours makes the next batch in a thread beside the network's where that thread has a core of its own
(`--threads` one less than the machine has), else between two steps; `--beside` also shows it made
beside them all the same.
The loops take turns, so that a busy moment of the machine hits both; the ratio of the images per
second in each round is what counts (budget: at least 1.5). On a machine that others use meanwhile
look at the processor's time too, with `--threads 1`: it holds the making of batches, and nothing of
who else was there.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.devices.kept_memory import kept_memory
from featherface.geometry.boxes import corners_of, encode, encode_landmarks
from featherface.geometry.priors import priors
from featherface.networks.detector import build
from featherface.training.config.train import TrainConfig
from featherface.training.loading.batches import TrainingPictures, collate
from featherface.training.loading.dataloader_wait import LoadingClock
from featherface.training.loading.workers import makes_beside, this_machine
from featherface.training.objective import Objective
from featherface.training.optimization.memory_format import lay_out, upload_centred
from featherface.variants.table import variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from featherface.losses.assignment import Targets
    from featherface.networks.detector import RawOutput
    from featherface.training.loading.batches import Batch

PARTS = ("data", "forward", "loss", "backward")
PROCESSOR = "processor"
"""Heading of the processor's time, of all threads."""
OURS, OTHER, BARE = "ours", "image by image", "network alone"
BESIDE = "ours, batches beside"


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    Loop.variant = options.variant
    with tempfile.TemporaryDirectory() as folder:
        root = options.data or drawn(Path(folder) / "set", options)
        split = open_split(root, options.split).limit(options.pictures)
        config = TrainConfig(batch_size=options.batch, image_size=options.size, device="cpu")
        ours, other = Ours(split, config), ImageByImage(split, replace(config, cache=False))
        agree(ours, other)
        loops = {OURS: ours, OTHER: other, BARE: Bare(split, config)}
        if options.beside:
            loops[BESIDE] = Beside(split, config)
        show(measure(loops, options.rounds, options.steps), options.batch)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--pictures", type=int, default=24, help="in the set; all are decoded")
    parser.add_argument("--faces", type=int, default=30, help="most in one drawn picture")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6, help="of each loop per round")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--data", type=Path, help="a set in WIDER FACE's layout instead")
    parser.add_argument("--split", default="train")
    parser.add_argument("--variant", default=Loop.variant)
    parser.add_argument("--beside", action="store_true", help="show batches made beside, too")
    return parser.parse_args()


def drawn(root: Path, options: argparse.Namespace) -> Path:
    size = min(2048, options.size + options.size // 4)
    config = SyntheticConfig(
        image_size=size, train_images=options.pictures, val_images=1, crowd=options.faces
    )
    draw(root, config)
    return root


class Loop:
    """One way to train; `steps` returns the seconds of each part."""

    channels_last = True
    keep_memory = True
    variant = "retinaface-mnet025"

    def __init__(self, split: object, config: TrainConfig) -> None:
        self.config = replace(config, channels_last=self.channels_last)
        self.detector = variant(self.variant)
        self.model = lay_out(build(self.detector, 0), self.config).train()
        self.pictures = TrainingPictures(split, self.config, self.detector.pixel_mean)
        self.mean = torch.tensor(self.detector.pixel_mean)
        self.priors = priors(self.detector, config.image_size, config.image_size)

    def batches(self, turn: int, count: int) -> Iterator[Batch]:
        size, every = self.config.batch_size, len(self.pictures)
        for number in range(turn * count, (turn + 1) * count):
            keys = [(number, (number * size + at) % every) for at in range(size)]
            yield collate([self.pictures[key] for key in keys])

    def loss(self, output: RawOutput, targets: Targets) -> torch.Tensor:
        raise NotImplementedError

    def steps(self, batches: Iterable[Batch]) -> list[float]:
        """Train on BATCHES; return the seconds spent in each of PARTS."""
        spent = [0.0] * len(PARTS)
        before = time.perf_counter()
        for batch in batches:
            times = [before, time.perf_counter()]
            output = self.model(upload_centred(batch.images, self.mean))
            times.append(time.perf_counter())
            loss = self.loss(output, batch.targets)
            times.append(time.perf_counter())
            loss.backward()
            self.model.zero_grad()
            before = time.perf_counter()
            parts = [later - sooner for sooner, later in itertools.pairwise([*times, before])]
            spent = [total + part for total, part in zip(spent, parts, strict=True)]
        return spent


class Ours(Loop):
    """As `featherface.training.loop` trains."""

    beside = False

    def __init__(self, split: object, config: TrainConfig) -> None:
        super().__init__(split, config)
        self.objective = Objective(self.detector, self.config, torch.device("cpu"))

    def batches(self, turn: int, count: int) -> Iterator[Batch]:
        made = super().batches(turn, count)
        if self.beside or makes_beside("cpu", torch.get_num_threads(), this_machine()):
            return LoadingClock().watch(made)
        return made

    def loss(self, output: RawOutput, targets: Targets) -> torch.Tensor:
        return self.objective(
            lambda _: output, torch.empty(1, 1, *[self.config.image_size] * 2), targets
        )[0]


class Beside(Ours):
    """As `Ours`, with each batch made while the network computes, whatever the machine."""

    beside = True


class ImageByImage(Loop):
    """As the official source trains."""

    channels_last = False
    keep_memory = False

    def loss(self, output: RawOutput, targets: Targets) -> torch.Tensor:
        count = len(self.priors)
        batch = len(output.boxes)
        boxes, points = torch.zeros(batch, count, 4), torch.zeros(batch, count, 10)
        labels = torch.zeros(batch, count, dtype=torch.long)
        for row in range(batch):
            self.match(row, targets, boxes, points, labels)
        marked, face = labels > 0, labels != 0
        landmark = functional.smooth_l1_loss(
            output.landmarks[marked], points[marked], reduction="sum"
        )
        box = functional.smooth_l1_loss(output.boxes[face], boxes[face], reduction="sum")
        logits = output.logits.view(-1, 2)
        cost = torch.logsumexp(logits, 1) - logits.gather(1, face.view(-1, 1).long())[:, 0]
        cost = cost.view(batch, -1).masked_fill(face, 0.0)
        _, order = cost.sort(1, descending=True)
        _, rank = order.sort(1)
        many = (7 * face.long().sum(1, keepdim=True)).clamp(max=count - 1)
        kept = face | (rank < many)
        entropy = functional.cross_entropy(
            output.logits[kept].view(-1, 2), face[kept].long(), reduction="sum"
        )
        faces, points_ = max(int(face.sum()), 1), max(int(marked.sum()), 1)
        return 2 * box / faces + entropy / faces + landmark / points_

    def match(
        self,
        row: int,
        targets: Targets,
        boxes: torch.Tensor,
        points: torch.Tensor,
        labels: torch.Tensor,
    ) -> None:
        """Fill one picture's targets, as the official `match` does."""
        count = int(targets.faces[row].sum())
        if not count:
            return
        truth, marks = targets.boxes[row, :count], targets.landmarks[row, :count]
        table = overlaps_of(truth, corners_of(self.priors))
        best, prior = table.max(1)
        valid = best >= 0.2
        if not valid.any():
            return
        value, face = table.max(0)
        value[prior[valid]] = 2
        for index in range(count):
            face[prior[index]] = index
        kinds = torch.where(targets.marked[row, :count], 1, -1)[face]
        kinds[value < self.config.overlap] = 0
        labels[row] = kinds
        boxes[row] = encode(truth[face], self.priors, self.detector.variances)
        points[row] = encode_landmarks(marks[face], self.priors, self.detector.variances)


class Bare(Loop):
    """The network alone, on a batch and from gradients that are ready."""

    def batches(self, turn: int, count: int) -> Iterator[Batch]:
        (batch,) = super().batches(turn, 1)
        return itertools.repeat(batch, count)

    def steps(self, batches: Iterable[Batch]) -> list[float]:
        """Pass through the network and back for each of BATCHES; return the seconds of PARTS."""
        spent = [0.0] * len(PARTS)
        ready = [upload_centred(batch.images, self.mean) for batch in batches]
        for images in ready:
            start = time.perf_counter()
            output = self.model(images)
            between = time.perf_counter()
            gradients = [torch.full_like(part, 1e-4) for part in output]
            began = time.perf_counter()
            torch.autograd.backward(list(output), gradients)
            self.model.zero_grad()
            spent[PARTS.index("forward")] += between - start
            spent[PARTS.index("backward")] += time.perf_counter() - began
        return spent


def overlaps_of(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the IoU (A, B) of FIRST (A, 4) with SECOND (B, 4), corners."""
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    common = (high - low).clamp_min(0).prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (first, second)]
    return common / (areas[0][:, None] + areas[1][None] - common)


def agree(ours: Loop, other: Loop) -> None:
    """Both must lower the same number."""
    (batch,) = list(other.batches(0, 1))
    with torch.no_grad():
        output = ours.model(upload_centred(batch.images, ours.mean))
        values = [loop.loss(output, batch.targets).item() for loop in (ours, other)]
    assert abs(values[0] - values[1]) < 1e-3 * abs(values[0]), values


def measure(loops: dict[str, Loop], rounds: int, steps: int) -> dict[str, list[list[float]]]:
    """Make STEPS steps of each loop per round, in turns: seconds a step of PARTS and PROCESSOR.

    Two steps before are not counted: what is kept from step to step is there after them.
    """
    times: dict[str, list[list[float]]] = {name: [] for name in loops}
    for turn in range(rounds):
        for name, loop in loops.items():
            with kept_memory(torch.device("cpu"), wanted=loop.keep_memory):
                loop.steps(loop.batches(turn, 2))
                before = time.process_time()
                spent = loop.steps(loop.batches(turn, steps))
                spent.append(time.process_time() - before)
            times[name].append([value / steps for value in spent])
    return times


def show(times: dict[str, list[list[float]]], batch: int) -> None:
    headings = (*PARTS, "step", PROCESSOR)
    print(f"{'milliseconds per picture':26}" + "".join(f"{heading:>10}" for heading in headings))
    for name, rows in times.items():
        *parts, processor = zip(*rows, strict=True)
        columns = [*parts, [sum(row) for row in zip(*parts, strict=True)], processor]
        shown = [1000 * statistics.median(column) / batch for column in columns]
        print(f"{name:26}" + "".join(f"{value:10.1f}" for value in shown))
    for what in ("wall", PROCESSOR):
        taken = {
            name: [row[-1] if what == PROCESSOR else sum(row[:-1]) for row in rows]
            for name, rows in times.items()
        }
        report(f"images per second, ratio ({what})", ratios(taken[OTHER], taken[OURS]))
        for name in (name for name in times if name != BARE):
            beyond = [100 * (ratio - 1) for ratio in ratios(taken[name], taken[BARE])]
            report(f"overhead of {name} over the network alone, % ({what})", beyond)


def ratios(above: list[float], below: list[float]) -> list[float]:
    return [first / second for first, second in zip(above, below, strict=True)]


def report(what: str, values: list[float]) -> None:
    middle, least, most = statistics.median(values), min(values), max(values)
    print(f"{what}: {middle:.2f} (rounds {least:.2f} to {most:.2f})")


if __name__ == "__main__":
    main()
