"""Options that name a network, shared by `eval` and `detect`, and loading it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from featherface.devices.names import CHOICES
from featherface.devices.precision import FULL, PRECISIONS
from featherface.errors import NotFoundError
from featherface.variants.table import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from featherface.networks.detector import Detector
    from featherface.variants.config import DetectorConfig
    from thesis_cli.session import Session

Command = Any

variant_option = click.option(
    "--variant", type=click.Choice(list(VARIANTS)), help="The network; see: thesis model list."
)
weights_option = click.option(
    "--weights", type=click.Path(path_type=Path), help="Its weights: safetensors or a checkpoint."
)
device_option = click.option(
    "--device", help=f"Where to compute: {CHOICES}; default: `device` of thesis.toml, else auto."
)

precision_option = click.option(
    "--precision",
    type=click.Choice(list(PRECISIONS)),
    default=FULL,
    show_default=True,
    help="In which precision the network computes.",
)


def network_options(command: Command) -> Command:
    """Add --variant, --weights and --device."""
    options: list[Callable[[Command], Command]] = [device_option, weights_option, variant_option]
    for option in options:
        command = option(command)
    return command


class Network(NamedTuple):
    """A detector that is ready to look at pictures."""

    model: Detector
    config: DetectorConfig


def settled_device(session: Session, name: str | None) -> str:
    """Return the device to compute on; say once why a card that is there isn't used.

    NAME is what --device says, None without it.
    """
    from featherface.devices.select import choose

    if name is None:
        try:
            name = str(session.workspace.settings["device"])
        except NotFoundError:
            name = "auto"
    return str(choose(name, session.warn))


def load(session: Session, variant_name: str, weights: Path, device: str | None) -> Network:
    """Build the network, load its weights strictly, and put it where it shall work."""
    from featherface.networks.detector import build
    from featherface.variants.table import variant
    from featherface.weights.checkpoints import load_weights

    config = variant(variant_name)
    model = build(config)
    cleaning = load_weights(model, weights, variant_name)
    for sentence in cleaning.sentences():
        session.note(f"{weights.name}: {sentence}")
    return Network(model.eval().to(settled_device(session, device)), config)
