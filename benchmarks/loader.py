"""Pictures that the loader makes in a second, by the processes that make them.

    python benchmarks/loader.py [--workers 0,1,2,4] [--size 640] [--batch 8] [--pictures 48]
                                [--rounds 3] [--against CHECKOUT] [--data FOLDER --split val]

A round is one epoch of every setting, one after the other, so that a busy moment of the machine
hits all of them; the first, in which processes start and caches fill, is not counted (`--cold`
counts it alone). Pictures are decoded each time, unless `--cache`. With `--against`, a checkout of
another version takes its turn in every round, and the ratio of the two is what counts.

Where a picture's time goes is counted in seconds of the processor, which a busy machine changes
less. The pictures are drawn, with as many pixels as one of 1024 x 768; `--data` takes real ones,
whose decoding takes longer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).resolve().parents[1]
MEAN = (104.0, 117.0, 123.0)
SIDE = 896
"""Of a drawn picture: as many pixels as in one of 1024 x 768."""


def main() -> None:
    options = parse()
    if options.serve:
        Maker(options).serve()
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.data is None:
            options.data, options.split = drawn(Path(folder) / "set", options.pictures), "train"
        trees = {"here": HERE} | ({"there": options.against.resolve()} if options.against else {})
        with serving(trees, options) as ask:
            show_stages({name: ask(name, "stages") for name in trees})
            show_speeds(measure(ask, list(trees), options))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=whole, default=(0, 1, 2, 4))
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--pictures", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=Path, help="a checkout of another version")
    parser.add_argument("--data", type=Path, help="a set in WIDER FACE's layout")
    parser.add_argument("--split", default="train")
    parser.add_argument("--cache", action="store_true", help="keep decoded pictures")
    parser.add_argument("--cold", action="store_true", help="count the first epoch, with the start")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def whole(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in text.split(","))


def drawn(root: Path, pictures: int) -> Path:
    from featherface.data.config import SyntheticConfig  # noqa: PLC0415 - of this checkout
    from featherface.data.synthetic.dataset import draw  # noqa: PLC0415

    draw(root, SyntheticConfig(image_size=SIDE, train_images=pictures, val_images=1, crowd=20))
    return root


class Maker:
    """One checkout's loaders, which make an epoch when they are asked to."""

    def __init__(self, options: argparse.Namespace) -> None:
        from featherface.data.widerface import open_split  # noqa: PLC0415 - of either checkout
        from featherface.training.config.train import TrainConfig  # noqa: PLC0415
        from featherface.training.loading.batches import TrainingPictures, load, ordered  # noqa: PLC0415

        split = open_split(options.data, options.split).limit(options.pictures)
        self.pictures = len(split.images)
        self.loaders: dict[int, tuple[Any, Any]] = {}
        for workers in (0, *options.workers):
            config = TrainConfig(
                batch_size=min(options.batch, self.pictures),
                image_size=options.size,
                device="cpu",
                workers=workers,
                cache=options.cache,
            )
            order = ordered(split, config)
            self.loaders[workers] = order, load(split, config, MEAN, order)
        plain = TrainConfig(image_size=options.size, device="cpu", workers=0, cache=False)
        self.items = TrainingPictures(split, plain, MEAN)

    def serve(self) -> None:
        """Answer each line of stdin: `stages`, or how many processes make the next epoch."""
        for line in sys.stdin:
            asked = line.strip()
            found = self.stages() if asked == "stages" else self.epoch(int(asked))
            print(json.dumps(found), flush=True)
        os._exit(0)  # whatever processes there are end with this one

    def epoch(self, workers: int) -> float:
        """Return the pictures per second of one epoch."""
        order, loader = self.loaders[workers]
        began, made = time.perf_counter(), 0
        for batch in loader:
            made += len(batch.paths)
        order.epoch += 1
        return made / (time.perf_counter() - began)

    def stages(self) -> dict[str, float]:
        """Return the processor's milliseconds of each stage, per picture."""
        from featherface.training.loading import batches  # noqa: PLC0415 - of either checkout

        tables = vars(sys.modules["featherface.data.augmentation.transforms"])
        clock = Clock()
        with (
            clock.timing(tables["AUGMENTATIONS"], "crop", "crop"),
            clock.timing(tables["AUGMENTATIONS"], "distort", "colours"),
            clock.timing(vars(batches), "open_picture", "decode"),
            clock.timing(vars(batches), "lay_out_picture", "layout"),
            clock.resizing(),
        ):
            began = time.thread_time()
            for index in range(self.pictures):
                self.items[0, index]
            whole_time = time.thread_time() - began
        rest = {"rest": whole_time - sum(clock.spent.values()), "all": whole_time}
        return {key: 1000 * one / self.pictures for key, one in (clock.spent | rest).items()}


class Clock:
    """Seconds of this thread, by stage."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    def timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            began = time.thread_time()
            found = function(*given, **named)
            self.spent[stage] = self.spent.get(stage, 0.0) + time.thread_time() - began
            return found

        return run

    @contextmanager
    def timing(self, table: dict[str, Any], name: str, stage: str) -> Iterator[None]:
        before = table[name]
        table[name] = self.timed(before, stage)
        yield
        table[name] = before

    @contextmanager
    def resizing(self) -> Iterator[None]:
        from PIL import Image  # noqa: PLC0415 - where the work is done

        before = Image.Image.resize
        Image.Image.resize = self.timed(before, "resize")  # type: ignore[method-assign]
        yield
        Image.Image.resize = before  # type: ignore[method-assign]


Ask = "Callable[[str, object], Any]"


@contextmanager
def serving(trees: dict[str, Path], options: argparse.Namespace) -> Iterator[Ask]:
    """Start a process for each of TREES; yield what asks one of them."""
    given = ["--size", options.size, "--batch", options.batch, "--pictures", options.pictures]
    given += ["--workers", ",".join(map(str, options.workers)), "--split", options.split]
    given += ["--data", options.data.resolve(), *(["--cache"] if options.cache else [])]
    command = [sys.executable, str(Path(__file__).resolve()), "--serve", *map(str, given)]
    makers = {
        name: subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(root)},
        )
        for name, root in trees.items()
    }

    def ask(name: str, what: object) -> Any:
        maker = makers[name]
        print(what, file=maker.stdin, flush=True)
        answer = maker.stdout.readline()  # type: ignore[union-attr]
        if not answer:
            raise SystemExit(f"the process of {trees[name]} has ended: see above")
        return json.loads(answer)

    yield ask
    for maker in makers.values():
        maker.stdin.close()  # type: ignore[union-attr]
        maker.wait()


def measure(
    ask: Ask, names: list[str], options: argparse.Namespace
) -> dict[int, dict[str, list[float]]]:
    """Return pictures per second by processes and checkout, one for each round."""
    found = {workers: {name: [] for name in names} for workers in options.workers}
    for turn in range(1 if options.cold else options.rounds + 1):
        for workers, rows in found.items():
            for name in names[:: 1 if turn % 2 else -1]:
                speed = ask(name, workers)
                if turn or options.cold:
                    rows[name].append(speed)
    return found


def show_stages(stages: dict[str, dict[str, float]]) -> None:
    names = list(stages)
    print(f"{'processor, ms per picture':28}" + "".join(f"{name:>16}" for name in names))
    for stage in ("decode", "crop", "colours", "resize", "layout", "rest", "all"):
        cells = [(one.get(stage, 0.0), one["all"]) for one in stages.values()]
        row = "".join(f"{value:9.2f} {value / total:6.0%}" for value, total in cells)
        print(f"{stage:28}{row}")


def show_speeds(speeds: dict[int, dict[str, list[float]]]) -> None:
    names = list(next(iter(speeds.values())))
    print(f"\n{'pictures per second':28}" + "".join(f"{name:>16}" for name in names))
    for workers, rows in speeds.items():
        row = "".join(f"{statistics.median(one):16.1f}" for one in rows.values())
        ratios = (
            [one / other for one, other in zip(*rows.values(), strict=True)] if names[1:] else []
        )
        told = f"   ratio {statistics.median(ratios):.2f}" if ratios else ""
        told += f" ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else ""
        print(f"{f'workers {workers}':28}{row}{told}")


if __name__ == "__main__":
    main()
