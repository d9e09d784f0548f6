"""Train a tiny detector in a folder, to be killed at a random step: FOLDER DATA RESUME."""

import json
import sys
from pathlib import Path

import torch

from featherface.data.widerface import open_split
from featherface.networks.detector import build
from featherface.training.config.train import TrainConfig
from featherface.training.loop import train
from featherface.training.state import resume_point
from featherface.variants.table import variant

CONFIG = TrainConfig(
    epochs=4, batch_size=2, image_size=64, log_every=1, ema=0.9, device="cpu", warmup=0.1
)


def main(folder, data, resume):
    torch.set_num_threads(1)
    log = folder / "events.jsonl"
    place = resume_point(folder)
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    kept = lines[: place.events if place else 0]
    log.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def note(event):
        event.pop("seconds", None)
        event.pop("loading", None)
        event.pop("images", None)  # how many this process saw
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")
        print(event["step"], flush=True)  # noqa: T201 - the test waits for it

    model = build(variant("v2"), seed=3)
    train(model, open_split(data, "train"), CONFIG, folder=folder, on_event=note, resume=resume)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "resume")
