"""From the options that name a network to that network.

A network is variant, weights and settings. A run's record and a file that this program wrote hold
all three, published files are known by their digest; what is set by hand wins, aloud. An exported
file is a network by itself, whose settings are as they were written.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from featherface.devices.precision import FULL
from featherface.engines.table import TORCH, check_engine
from featherface.errors import NotFoundError, UsageError, unknown

if TYPE_CHECKING:
    from featherface.engines.engine import Engine
    from featherface.networks.detector import Detector
    from featherface.variants.config import DetectorConfig
    from featherface.weights.network_settings import NetworkSettings
    from thesis_cli.networks.options import Chosen
    from thesis_cli.session import Session


class NamedNetwork(NamedTuple):
    """A network that was named, before its tensors are read."""

    variant: str
    config: DetectorConfig
    weights: Path | None
    changed: dict[str, Any]
    """Settings that differ from the variant's."""


class Network(NamedTuple):
    """A network that is ready to look at pictures."""

    engine: Engine
    """What computes it."""
    config: DetectorConfig
    variant: str
    changed: dict[str, Any]
    """Settings that differ from the variant's."""


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


def read_settings(texts: tuple[str, ...]) -> dict[str, Any]:
    """Return key -> value of `model.KEY=VALUE` TEXTS; `model.` may be left out.

    Raises:
        UsageError: one is not written so, or its key is unknown.
    """
    from experiments.yaml_io import parse_yaml
    from featherface.variants.config import DetectorConfig

    known = [field.name for field in fields(DetectorConfig)]
    changes: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.removeprefix("model.").partition("=")
        if not equals:
            raise UsageError(f"--set {text}: write it like model.channels=48")
        if key not in known:
            raise UsageError(unknown("model key", key, known), "thesis model show NETWORK")
        changes[key] = parse_yaml(f"value: {value}", "--set")["value"]
    return changes


def settle(session: Session, chosen: Chosen) -> NamedNetwork:
    """Find out which network was CHOSEN, with all its settings; tell what --set overrules.

    Raises:
        UsageError: it is not named, or named twice.
        NotFoundError: there is no such run or file.
        ClaimFalseError: the run's record was changed since it was sealed.
    """
    from featherface.engines.opening import engine_of
    from featherface.variants.idle_keys import check_set
    from featherface.variants.table import variant

    weights, source = chosen.weights, ""
    if weights is not None and engine_of(weights) is not None:
        raise UsageError(
            f"{weights.name} is an exported network, and this takes the weights that it was written"
            " from",
            "name them, or their run: --run SELECTOR",
        )
    if chosen.run is not None:
        name, config, weights, source = _of_run(session, chosen)
    else:
        known = _of_file(session, chosen.weights)
        name = chosen.variant or (known.variant if known else "") or _nameless(chosen.weights)
        config = variant(name)
        if known is not None and weights is not None and known.variant in ("", name):
            config, source = known.config, weights.name
    explicit = read_settings(chosen.settings)
    changed = replace(config, **explicit)
    check_set(changed, config, explicit)
    from featherface.weights.network_settings import conflicts, shown

    for key, (before, after) in conflicts(config, changed).items() if source else ():
        session.warn(
            f"--set model.{key}={shown(after)} wins over {shown(before)}, which {source} needs"
        )
    differing = conflicts(changed, variant(name))
    return NamedNetwork(name, changed, weights, {key: pair[0] for key, pair in differing.items()})


def load(session: Session, chosen: Chosen, *, precision: str = FULL, pictures: int = 1) -> Network:
    """Build the network, load its weights strictly, and give it to the engine that was chosen.

    PICTURES are those that it shall look at, which decides whether `auto` measures.

    Raises:
        UsageError: it is not named, or the engine can't compute it, in PRECISION or on the device.
        WeightsError: the file is damaged, or another network than it says.
    """
    from featherface.engine_choice.wanted_engine import Wish, engine_for, exported, is_exported

    check_engine(chosen.engine or TORCH, precision, "--engine")
    wish = Wish(
        chosen.engine,
        chosen.device,
        lambda: settled_device(session, chosen.device),
        precision,
        pictures,
        _engine_folder(session),
        session.note,
        session.warn,
    )
    if chosen.weights is not None and is_exported(chosen.weights):
        if chosen.run is not None:
            raise click.UsageError("--run and --weights exclude each other")
        settings = read_settings(chosen.settings)
        engine, name, changed = exported(wish, chosen.weights, chosen.variant, settings)
        tell_changed(session, name, changed)
        return Network(engine, engine.config, name, changed)
    subject = settle(session, chosen)
    if subject.weights is None:
        raise UsageError("no weights: name them by --weights FILE, or a run by --run SELECTOR")
    model = build(session, subject).eval()
    engine = engine_for(wish, model, subject.variant)
    return Network(engine, subject.config, subject.variant, subject.changed)


def _engine_folder(session: Session) -> Path | None:
    """Return where converted networks are kept; None outside of a workspace."""
    from featherface.engine_choice.conversion import KEPT

    try:
        return Path(session.workspace.state) / "cache" / KEPT
    except NotFoundError:
        return None


def build(session: Session, subject: NamedNetwork) -> Detector:
    """Build the network, with its weights where it has some; tell what was taken off them."""
    from featherface.networks import detector
    from featherface.weights.checkpoints import load_weights

    model = detector.build(subject.config, seed=0)
    if subject.weights is not None:
        cleaning = load_weights(model, subject.weights, subject.variant)
        for sentence in cleaning.sentences():
            session.note(f"{subject.weights.name}: {sentence}")
    tell_changed(session, subject.variant, subject.changed)
    return model


def tell_changed(session: Session, variant_name: str, changed: dict[str, Any]) -> None:
    """Tell which settings of a network are not its variant's."""
    if changed:
        from featherface.weights.network_settings import shown

        settings = ", ".join(f"{key} {shown(value)}" for key, value in changed.items())
        session.note(f"settings other than those of {variant_name}: {settings}")


def _of_run(session: Session, chosen: Chosen) -> tuple[str, DetectorConfig, Path, str]:
    """Return variant, settings, weights and name of the sealed run that was CHOSEN."""
    from experiments.records.store import Store
    from experiments.running.inputs import run_parent

    if others := [option for option in chosen.given if option != "--run"]:
        raise click.UsageError(f"--run and {others[0]} exclude each other: a run knows its network")
    store = Store(session.workspace)
    run = store.find(str(chosen.run))
    run_parent(store, run, "run")
    if run.weights is None:
        raise NotFoundError(
            f"run {run.id} has no weights: it only evaluated predictions or counted",
            "name a run that trained or took weights in: thesis runs list",
        )
    model = run.resolved().recipe.model
    return model.variant, model.detector(), run.weights, run.id


def _of_file(session: Session, weights: Path | None) -> NetworkSettings | None:
    """Return what the file of weights says of its network; note where an earlier run made it."""
    if weights is None:
        return None
    from featherface.weights.network_settings import network_settings, read_metadata

    known = network_settings(weights)
    if known is None and (run := read_metadata(weights).get("run")):
        session.note(
            f"{weights.name} is of {run} and of a version that kept no settings in it:"
            f" --run {run} takes them from the record"
        )
    return known


def _nameless(weights: Path | None) -> str:
    """Raise that the weights don't say which network they are of; name those that they fit."""
    if weights is None:
        raise UsageError("no network: name it by --variant V, or a run by --run SELECTOR")
    from featherface.weights.checkpoints import fitting_variants, read_state

    fitting = fitting_variants(read_state(weights)[0])
    known = f"it fits {' or '.join(fitting)}" if fitting else "it fits no known variant"
    raise UsageError(
        f"{weights} doesn't say which network it is of; {known}",
        f"name it: --variant {fitting[0] if fitting else 'V'}",
    )
