"""`thesis eval widerface`: the official protocol over predictions, or weights and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featherface.engines.table import ENGINES
from featherface.evaluation.config import EvaluateConfig
from thesis_cli.errors import ENVIRONMENT
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.networks.loading import Network, load
from thesis_cli.networks.options import (
    Chosen,
    max_megapixels_option,
    network_options,
    precision_option,
    protocol_option,
)
from thesis_cli.output import Block, emit, json_option
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from featherface.evaluation.ground_truth import GroundTruth
    from featherface.evaluation.predictions import Predictions
    from featherface.evaluation.protocol import Evaluation
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.option(
    "--predictions",
    type=click.Path(path_type=Path),
    help="Folder (or .tar.gz) of detections in the official text format.",
)
@network_options
@click.option("--images", type=click.Path(path_type=Path), help="Folder EVENT/*.jpg of pictures.")
@click.option(
    "--ground-truth",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder with the four official .mat lists, or with wider_face_val_bbx_gt.txt.",
)
@protocol_option
@click.option(
    "--flip", is_flag=True, help="Look at each picture mirrored too, and merge what was seen."
)
@click.option(
    "--voting", is_flag=True, help="Average each box with those it suppresses, weighted by score."
)
@precision_option
@max_megapixels_option
@click.option(
    "--save-predictions", type=click.Path(path_type=Path), help="Keep the detections here."
)
@json_option
@click.pass_context
@pass_session
def widerface(  # noqa: PLR0913 - one parameter per option
    session: Session,
    context: click.Context,
    *,
    predictions: Path | None,
    chosen: Chosen,
    images: Path | None,
    ground_truth: Path,
    protocol: str,
    flip: bool,
    voting: bool,
    precision: str,
    max_megapixels: float,
    save_predictions: Path | None,
    as_json: bool,
) -> None:
    """Compute the official WIDER FACE APs.

    Either of --predictions DIR, or of a network and --images DIR: --variant V --weights FILE,
    --weights EXPORTED.onnx, or --run SELECTOR. Pictures that are only a part of the set restrict
    the ground truth to them, and the answer says so. Exit code 4 where a picture was too large to
    be looked at.
    """
    del as_json
    from featherface.evaluation.ground_truth import read_ground_truth
    from featherface.evaluation.protocol import evaluate

    check_choice(predictions, chosen, images)
    settings = EvaluateConfig(
        protocol=protocol,
        flip=flip,
        voting=voting,
        precision=precision,
        max_megapixels=max_megapixels,
    )
    conditions = network = None
    truth = read_ground_truth(ground_truth)
    if predictions is not None:
        from featherface.evaluation.predictions import read_predictions

        detections = read_predictions(predictions)
    else:
        assert images is not None  # noqa: S101 - checked above
        from featherface.inference.pictures import pictures_of

        pictures = len(pictures_of(images))
        network = load(session, chosen, precision=precision, pictures=pictures)
        conditions = conditions_of(network, settings)
        tell_misfit(session, chosen, network, images)
        detections = infer(session, network, images, settings, save_predictions)
    evaluation = evaluate(detections, truth)
    for warning in evaluation.warnings:
        session.warn(warning)
    data = tell(evaluation, settings.identity, network) | {"conditions": conditions}
    data["dataset"] = dataset_of(ground_truth, truth.restrict(evaluation.matches.images))
    emit(session, "eval-widerface", data, view)
    if detections.passed_over:
        context.exit(ENVIRONMENT)


def check_choice(predictions: Path | None, chosen: Chosen, images: Path | None) -> None:
    """See that exactly one way of getting detections is given, and whole."""
    given = [*chosen.given, *(["--set"] if chosen.settings else [])]
    given += ["--engine"] if chosen.engine else []
    given += ["--images"] if images is not None else []
    if predictions is not None and given:
        raise click.UsageError(f"--predictions and {given[0]} exclude each other")
    wanted = ["--images"] if chosen.run is not None else ["--weights", "--images"]
    missing = [name for name in wanted if name not in given]
    if predictions is None and missing:
        raise click.UsageError(
            f"give --predictions DIR, or --images and a network: --variant and --weights, or --run;"
            f" missing: {', '.join(missing) if given else '--predictions'}"
        )


def tell_misfit(session: Session, chosen: Chosen, network: Network, images: Path) -> None:
    """Warn where other settings fit the weights better and nobody knows that these are theirs."""
    from featherface.engines.pytorch import PyTorchEngine
    from featherface.inference.pictures import pictures_of
    from featherface.inference.running_statistics import better_settings
    from featherface.weights.network_settings import known_to_fit

    if not isinstance(network.engine, PyTorchEngine):
        return  # a file knows its settings, and its statistics are folded into its weights
    known = chosen.weights is None or known_to_fit(chosen.weights, network.config)
    if known and not chosen.settings:
        return
    paths = list(pictures_of(images).values())
    if misfit := better_settings(network.engine.model, network.config, paths):
        session.warn(misfit)


def infer(
    session: Session,
    network: Network,
    images: Path,
    settings: EvaluateConfig,
    save_to: Path | None,
) -> Predictions:
    """Run the network over every picture below IMAGES."""
    from featherface.inference.detect import predict
    from thesis_cli.interrupts import stoppable
    from thesis_cli.progress import progress

    with progress(session) as reporter, stoppable() as should_stop:
        return predict(
            network.engine,
            network.config,
            images,
            settings,
            save_to=save_to,
            on_progress=reporter,
            should_stop=should_stop,
        )


def conditions_of(network: Network, settings: EvaluateConfig) -> dict[str, Any]:
    """Tell how pictures are looked at, and on what the network computes."""
    from experiments.conditions import Conditions
    from experiments.records import provenance

    on = provenance.conditions_of(network.engine, settings.precision)
    return {**Conditions.of_evaluation(settings).to_json(), **on.to_json()}


def tell(evaluation: Evaluation, protocol: str, network: Network | None) -> dict[str, Any]:
    """Reduce an evaluation to what the schema names."""
    return {
        "subsets": {
            name: {"ap": subset.ap, "faces": subset.faces}
            for name, subset in evaluation.subsets.items()
        },
        "mean_ap": evaluation.mean_ap,
        "images": evaluation.images,
        "detections": evaluation.detections,
        "complete": evaluation.complete,
        "ground_truth": evaluation.source,
        "protocol": protocol if network else None,
        "variant": network.variant if network else None,
        "settings": network.changed if network else None,
    }


def dataset_of(path: Path, truth: GroundTruth) -> str:
    """Return `synthetic` or `widerface` where the TRUTH at PATH is known to be so, else nothing."""
    from experiments.metrics import SYNTHETIC
    from experiments.running.inputs import is_synthetic
    from featherface.evaluation.known_sets import is_widerface_val

    if is_synthetic(path.resolve()):
        return SYNTHETIC
    return "widerface" if is_widerface_val(truth) else ""


OF = {
    "synthetic": "synthetic, not WIDER FACE",
    "widerface": "WIDER FACE, val",
    "": "not WIDER FACE by its annotation: no WIDER FACE result",
}
"""Data set -> what the answer says of it."""


def view(data: dict[str, Any]) -> list[Block]:
    """Tabulate the three subsets."""
    part = "" if data["complete"] else ", not a WIDER FACE result"
    facts = {"data": OF[data["dataset"]], "pictures": f"{data['images']:,}{part}"}
    facts["subsets"] = data["ground_truth"]
    if data["protocol"]:
        facts["protocol"] = data["protocol"]
    if on := data["conditions"]:
        facts["computed on"] = f"{on['hardware']}, {on['precision']}, {ENGINES[on['engine']].title}"
    rows = [
        [name, quantity(subset["ap"], "fraction"), f"{subset['faces']:,}"]
        for name, subset in data["subsets"].items()
    ]
    rows.append(["mean", quantity(data["mean_ap"], "fraction"), ""])
    return [Grid(["subset", ">AP", ">faces"], rows, facts=facts)]
