"""`thesis serve`: faces found for whoever uploads a picture."""

from __future__ import annotations

import ipaddress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from featherface.errors import UnavailableError
from featherface.serving.limits import LOWEST_SCORE, ServingLimits
from thesis_cli.groups import Command, pass_session
from thesis_cli.networks.loading import load, settle
from thesis_cli.networks.options import Chosen, network_options, protocol_option

if TYPE_CHECKING:
    from featherface.engines.engine import Engine
    from featherface.serving.served_model import ServedModel
    from thesis_cli.session import Session

LIBRARIES = ("fastapi", "uvicorn", "prometheus_client", "python_multipart")
INSTALL = 'python -m pip install "thesis[serve]"'
USUAL = ServingLimits()
MANY = 1000
"""Pictures that a service will look at, as far as the choice of an engine is concerned."""
LIMITS = {
    "--max-megabytes": ("megabytes", "Of one picture's file, in millions of bytes."),
    "--max-megapixels": ("megapixels", "Of one picture, in millions."),
    "--max-pictures": ("pictures", "Of one batch."),
    "--max-held-megabytes": ("held_megabytes", "Of all uploads in memory at once."),
    "--max-requests": ("requests", "With pictures, at once; more are told to come back."),
    "--max-connections": ("connections", "Open at once."),
    "--concurrency": ("concurrency", "Requests worked on at once."),
    "--timeout": ("seconds", "Seconds from the end of an upload to its answer."),
    "--upload-timeout": ("upload_seconds", "Seconds in which an upload must come."),
}
"""Option -> the limit that it sets, and its help."""


def limit_options(command: Any) -> Any:
    """Add an option for each limit."""
    for option, (name, about) in reversed(LIMITS.items()):
        usual = getattr(USUAL, name)
        kind = click.IntRange(1) if isinstance(usual, int) else click.FloatRange(0, min_open=True)
        add = click.option(option, name, type=kind, default=usual, show_default=True, help=about)
        command = add(command)
    return command


@click.command(cls=Command)
@network_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--score",
    type=click.FloatRange(LOWEST_SCORE, 1, max_open=True),
    default=0.5,
    show_default=True,
    help="Lowest score that is told, where a request names none.",
)
@protocol_option
@limit_options
@click.option("--json-logs", is_flag=True, help="Log each request as a JSON object.")
@pass_session
def serve(
    session: Session,
    /,
    *,
    chosen: Chosen,
    host: str,
    port: int,
    score: float,
    protocol: str,
    json_logs: bool,
    **limits: Any,
) -> None:
    """Find faces for whoever uploads a picture, and show a page to try it.

    Answers over HTTP until Ctrl-C or SIGTERM, which lets it finish what was begun. Nothing that is
    uploaded is stored or logged. A file of a run is compared with the run's seal before it serves.
    """
    check_libraries()
    from featherface.serving.server import bound, serve

    if chosen.run is None and chosen.weights is None:
        raise click.UsageError("--weights FILE, or --run SELECTOR, say which network serves")
    bounds = ServingLimits(**limits)
    model = opened(session, chosen, protocol)
    model.warm_up()
    with bound(host, port) as listening:
        if not is_loopback(listening.getsockname()[0]):
            session.warn(
                f"whoever reaches {host} can upload pictures: there is no password and no"
                " encryption; put a proxy with both before it, or leave out --host"
            )
        serve(model, bounds, listening, score=score, say=session.note, as_json=json_logs)


def check_libraries() -> None:
    """Check that what serves is installed.

    Raises:
        UnavailableError: something is not; the hint installs it.
    """
    for name in LIBRARIES:
        try:
            import_module(name)
        except ImportError as error:
            raise UnavailableError(f"serving needs {name}, which is missing", INSTALL) from error


def opened(session: Session, chosen: Chosen, protocol: str) -> ServedModel:
    """Load what was CHOSEN, and compare its file with the seal or manifest that names it.

    Raises:
        ClaimFalseError: it is another file.
    """
    from experiments.proof.model_file import origin_of
    from featherface.serving.served_model import ServedModel, file_digest

    engine, variant = loaded(session, chosen)
    path = chosen.weights or settle(session, chosen).weights
    assert path is not None  # noqa: S101 - it was loaded
    digest = file_digest(path)
    origin = origin_of(path, digest)
    if not origin.checked_by:
        session.note(f"{path.name}: no seal or manifest says which file it has to be")
    return ServedModel(
        engine=engine,
        variant=variant,
        file=path.name,
        sha256=digest,
        checked_by=origin.checked_by,
        run=origin.run,
        seal=origin.seal,
        evidence=tuple(metric.to_json() for metric in origin.metrics),
        protocol=protocol,
    )


def loaded(session: Session, chosen: Chosen) -> tuple[Engine, str]:
    """Return what computes the network that was CHOSEN, and the network's name."""
    network = load(session, chosen, pictures=MANY)
    return network.engine, network.variant


def is_loopback(address: str) -> bool:
    """Whether ADDRESS is reached from this machine alone."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
