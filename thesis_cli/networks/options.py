"""Options that name a network, shared by the commands that run one."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from featherface.devices.names import CHOICES
from featherface.devices.precision import FULL, PRECISIONS
from featherface.engines.table import CHOICES as ENGINE_CHOICES
from featherface.evaluation.config import PROTOCOLS, EvaluateConfig
from featherface.variants.table import VARIANTS
from thesis_cli.completion import complete_run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Command = Any

variant_option = click.option(
    "--variant",
    type=click.Choice(list(VARIANTS)),
    help="The network; may be left out where the weights say it. See: thesis model list.",
)
weights_option = click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Its weights: safetensors or a checkpoint; or an exported file, such as .onnx.",
)
run_option = click.option(
    "--run",
    metavar="SELECTOR",
    shell_complete=complete_run,
    help="The network of a sealed run instead, such as v2@3: its variant, weights and settings.",
)
settings_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="model.K=V",
    help="Change a setting of the network: model.leak=0.1. Repeat it.",
)
device_option = click.option(
    "--device", help=f"Where to compute: {CHOICES}; default: `device` of thesis.toml, else auto."
)
engine_option = click.option(
    "--engine",
    type=click.Choice(ENGINE_CHOICES),
    help="What computes; auto measures which is fastest here. Default: torch, or what an exported"
    " file is for.",
)
precision_option = click.option(
    "--precision",
    type=click.Choice(list(PRECISIONS)),
    default=FULL,
    show_default=True,
    help="In which precision the network computes.",
)
protocol_option = click.option(
    "--protocol",
    type=click.Choice(list(PROTOCOLS)),
    default=EvaluateConfig.protocol,
    show_default=True,
    help="At which size to look at a picture.",
)
max_megapixels_option = click.option(
    "--max-megapixels",
    type=click.FloatRange(0),
    default=EvaluateConfig.max_megapixels,
    show_default=True,
    help="Pass over pictures that are larger as they are looked at; 0 has no limit.",
)


class Chosen(NamedTuple):
    """What the options say of a network."""

    variant: str | None = None
    weights: Path | None = None
    run: str | None = None
    settings: tuple[str, ...] = ()
    device: str | None = None
    engine: str | None = None

    @property
    def given(self) -> list[str]:
        """The options that name a network."""
        named = {"--variant": self.variant, "--weights": self.weights, "--run": self.run}
        return [option for option, value in named.items() if value is not None]


def source_options(command: Command) -> Command:
    """Add --variant, --weights, --run, --set and --device; COMMAND gets them as `chosen`."""
    options = {
        "variant": variant_option,
        "weights": weights_option,
        "run": run_option,
        "settings": settings_option,
        "device": device_option,
    }
    return _gathered(command, options)


def network_options(command: Command) -> Command:
    """Add the `source_options` and --engine; COMMAND gets all of them as `chosen`."""
    return source_options(_gathered(command, {"engine": engine_option}))


def _gathered(command: Command, options: Mapping[str, Callable[[Command], Command]]) -> Command:
    """Add OPTIONS, by the name that Click gives them, to what COMMAND gets as `chosen`."""

    @functools.wraps(command)
    def gather(*arguments: Any, chosen: Chosen | None = None, **others: Any) -> Any:
        given = {name: others.pop(name) for name in options}
        return command(*arguments, chosen=(chosen or Chosen())._replace(**given), **others)

    decorated: Command = gather
    for option in reversed(list(options.values())):
        decorated = option(decorated)
    return decorated
