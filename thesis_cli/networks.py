"""What `eval` and `detect` share: the options that name a network, and loading it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featherface.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from featherface.networks.detector import Detector
    from featherface.variants import DetectorConfig
    from thesis_cli.session import Session

Command = Any

variant_option = click.option(
    "--variant", type=click.Choice(list(VARIANTS)), help="The network; see: thesis model list."
)
weights_option = click.option(
    "--weights", type=click.Path(path_type=Path), help="Its weights: safetensors or a checkpoint."
)
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps."
)


def network_options(command: Command) -> Command:
    """Add --variant, --weights and --device."""
    options: list[Callable[[Command], Command]] = [device_option, weights_option, variant_option]
    for option in options:
        command = option(command)
    return command


def load(
    session: Session, variant_name: str, weights: Path, device: str
) -> tuple[Detector, DetectorConfig]:
    """Build the network, load its weights strictly, and put it where it shall work."""
    from featherface.devices import choose

    from featherface.checkpoints import load_weights
    from featherface.networks import build
    from featherface.variants import variant

    config = variant(variant_name)
    model = build(config)
    cleaning = load_weights(model, weights, variant_name)
    for note in notes(cleaning):
        session.note(note)
    return model.eval().to(choose(device)), config


def notes(cleaning: Any) -> list[str]:
    """Word what was stripped from a checkpoint."""
    return [str(cleaning)] if str(cleaning) else []
