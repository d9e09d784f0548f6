"""`thesis export files`, or `thesis export` alone: a network in files for other programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featherface.engines.table import OPSETS
from featherface.errors import ThesisError
from featherface.evaluation.config import PROTOCOLS, EvaluateConfig
from featherface.export.formats import FORMATS, ExportConfig
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.networks.loading import build, settle
from thesis_cli.networks.options import Chosen, source_options
from thesis_cli.output import Block, emit, json_option
from thesis_cli.progress import progress
from thesis_cli.wording import difference, quantity

if TYPE_CHECKING:
    from experiments.exporting.accuracy_loss import Validation
    from featherface.export.formats import WriterSettings
    from featherface.networks.detector import Detector
    from thesis_cli.networks.loading import NamedNetwork
    from thesis_cli.session import Session

ALL = "all"


@click.command("files", cls=Command)
@source_options
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice([*FORMATS, ALL]),
    default=["onnx"],
    show_default=True,
    help="What to write; repeat it. `all`: what can be written here, and what the rest needs.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="The folder of the files."
)
@click.option(
    "--opset",
    type=click.Choice([str(number) for number in OPSETS]),
    default=str(ExportConfig.opset),
    show_default=True,
    help="ONNX operator set.",
)
@click.option(
    "--calibrate",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Pictures on which INT8 measures ranges, not those of --validate; default: drawn ones.",
)
@click.option(
    "--validate",
    "--images",
    "images",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Pictures with ground truth: each file's AP there, and its loss against the network.",
)
@click.option(
    "--ground-truth",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Their ground truth, as `eval widerface` takes it; default: the folder of --validate.",
)
@click.option(
    "--image-size",
    type=click.IntRange(32),
    default=ExportConfig.image_size,
    show_default=True,
    help="Side in pixels, a multiple of 32, of files that take one size (TFLite, Core ML, ...).",
)
@click.option(
    "--make-environment",
    is_flag=True,
    help="First make the environment of a converter that needs one of its own (TFLite).",
)
@json_option
@pass_session
def export_files(  # noqa: PLR0913 - one parameter per option
    session: Session,
    *,
    chosen: Chosen,
    formats: tuple[str, ...],
    output: Path,
    opset: str,
    calibrate: Path | None,
    images: Path | None,
    ground_truth: Path | None,
    image_size: int,
    make_environment: bool,
    as_json: bool,
) -> None:
    """Write a network to files for other programs.

    Each file that an engine runs here is compared with the network; with --validate its AP is
    measured too, and what it loses with the interval of the loss. Others are converted, not run.
    manifest.json beside them tells all that, with digests.
    """
    del as_json
    from experiments.exporting.manifest_content import tools
    from featherface.export.manifest import input_contract, write_manifest

    if ground_truth is not None and images is None:
        raise click.UsageError("--ground-truth goes with --validate FOLDER, the pictures")
    if make_environment:
        make_environments(session, formats)
    wanted, left_out = possible(formats)
    subject = settle(session, chosen)
    if subject.weights is None:
        raise click.UsageError("no weights: name them by --weights FILE, or a run by --run")
    run, seal = origin(session, chosen)
    settings = writer_settings(run, calibrate)
    model = build(session, subject).eval()
    judged = judge(session, model, images, ground_truth) if images else None
    config = ExportConfig(opset=int(opset), image_size=image_size)
    written = Written(session, model, subject, output, settings, config)
    artifacts = []
    for name in wanted:
        try:
            artifacts.append(written.write(name, judged))
        except ThesisError as error:
            if ALL not in formats:
                raise
            left_out.append(not_made(name, error.message, error.hint or ""))
            session.warn(error.message)
    for each in artifacts:
        if "not_validated" in each:
            session.warn(each["not_validated"])
    data = {
        "run": run,
        "seal": seal,
        "variant": subject.variant,
        "settings": subject.changed,
        "weights": subject.weights.name,
        "input": input_contract(model),
        "tools": tools(),
        "artifacts": artifacts,
        "not_made": left_out,
    }
    manifest = write_manifest(output, data)
    emit(session, "export", data | {"output": output, "manifest": manifest}, view)


def make_environments(session: Session, formats: tuple[str, ...]) -> None:
    """Make the environments of converters that FORMATS need and that have one of their own."""
    from featherface.export.conversion_tools import TOOLS
    from featherface.export.environments import make_environment

    names = FORMATS if ALL in formats else formats
    tools = dict.fromkeys(FORMATS[name].converter for name in names)
    for tool in (TOOLS[name] for name in tools if name):
        if tool.environment and tool.python() is None:
            make_environment(tool, session.note)


def possible(formats: tuple[str, ...]) -> tuple[list[str], list[dict[str, str]]]:
    """Return which of FORMATS to write; of `all` those whose tools are here, and the others.

    Raises:
        UnavailableError: one that was named needs a tool that is not installed.
    """
    if ALL not in formats:
        for name in formats:
            FORMATS[name].require_tools()
        return list(dict.fromkeys(formats)), []
    lacking = {name: form.missing() for name, form in FORMATS.items()}
    left_out = [
        not_made(name, f"needs {' and '.join(missing)}", FORMATS[name].install)
        for name, missing in lacking.items()
        if missing
    ]
    return [name for name, missing in lacking.items() if not missing], left_out


def not_made(name: str, reason: str, command: str) -> dict[str, str]:
    """Describe a format that was asked for and not written, with what to type next."""
    return {"format": name, "title": FORMATS[name].title, "reason": reason, "command": command}


def origin(session: Session, chosen: Chosen) -> tuple[str, str]:
    """Return id and seal of the run that was CHOSEN; empty for a file."""
    if chosen.run is None:
        return "", ""
    from experiments.records.store import Store

    run = Store(session.workspace).find(chosen.run)
    return run.id, run.seal


def writer_settings(run: str, calibrate: Path | None) -> WriterSettings:
    """Gather what the writers are told."""
    from functools import partial

    from featherface.export.calibration import pictures_in
    from featherface.export.formats import WriterSettings

    if calibrate is None:
        return WriterSettings(run=run)
    return WriterSettings(run=run, pictures=partial(pictures_in, calibrate))


def judge(session: Session, model: Detector, images: Path, ground_truth: Path | None) -> Validation:
    """Let the network itself look at the pictures of --validate."""
    from experiments.exporting.accuracy_loss import validation
    from featherface.evaluation.ground_truth import read_ground_truth
    from thesis_cli.commands.evaluation.widerface import dataset_of

    folder = ground_truth or images
    truth = read_ground_truth(folder)
    with progress(session) as reporter:
        judged = validation(model, images, truth, on_progress=reporter)
    return judged.of(dataset_of(folder, truth.restrict(judged.reference.images)))


class Written:
    """Files of one network in one folder, as they are written, compared and judged."""

    def __init__(
        self,
        session: Session,
        model: Detector,
        subject: NamedNetwork,
        folder: Path,
        settings: WriterSettings,
        config: ExportConfig,
    ) -> None:
        self.session, self.model, self.subject = session, model, subject
        self.folder, self.settings, self.config = folder, settings, config
        run = settings.run.partition("@")[0]
        self.name = run or subject.variant

    def write(self, name: str, judged: Validation | None) -> dict[str, Any]:
        """Write the file of format NAME, and return its entry of the manifest."""
        from experiments.exporting.manifest_content import artifact_entry
        from featherface.export.writing import export

        config = replace(self.config, formats=(name,))
        self.folder.mkdir(parents=True, exist_ok=True)
        with progress(self.session) as reporter:
            (artifact,) = export(
                *(self.model, config, self.folder, self.name, self.subject.variant),
                self.settings,
            )
            return artifact_entry(artifact, self.folder, config, judged, reporter)


def view(data: dict[str, Any]) -> list[Block]:
    """Tabulate the files, then what is left alone in 8 bits, then what can't be written here."""
    columns = ["file", "format", ">MB", ">largest difference", ">AP Hard", ">loss", "95% interval"]
    rows = [[*about(each), *loss_cells(each)] for each in data["artifacts"]]
    facts = {"network": data["variant"], "manifest": data["manifest"].as_posix()}
    if data["run"]:
        facts["run"] = f"{data['run']}, seal {data['seal'][:12]}"
    blocks: list[Block] = [Grid(columns, rows, facts=facts)]
    blocks += [
        text
        for each in data["artifacts"]
        for text in (smaller_pictures(each), left_alone(each))
        if text
    ]
    if data["not_made"]:
        cells = [[each["title"], each["reason"], each["command"]] for each in data["not_made"]]
        blocks += ["", Grid(["not written", "~because", "~to get it"], cells)]
    return blocks


def about(entry: dict[str, Any]) -> list[str]:
    """Return the cells that every file has."""
    parity = entry["parity"]
    shown = entry["status"] if parity is None else quantity(parity, "", ".1e")
    return [entry["path"], entry["format"], quantity(entry["megabytes"], "", ".2f"), shown]


def loss_cells(entry: dict[str, Any]) -> list[str]:
    """Return AP on Hard (or the mean, where nothing counts as hard) and what is lost there."""
    subsets = (entry.get("validation") or {}).get("subsets", {})
    lost = subsets.get("hard") or subsets.get("mean")
    if lost is None:
        return ["", "", ""]
    ends = " to ".join(difference(lost[end], "fraction") for end in ("low", "high"))
    return [quantity(lost["ap"], "fraction"), difference(lost["loss"], "fraction"), ends]


def smaller_pictures(entry: dict[str, Any]) -> str:
    """Say where a file's AP is of smaller pictures than the others'; else empty."""
    judged = entry.get("validation") or {}
    name = judged.get("pictures", EvaluateConfig.protocol)
    if name == EvaluateConfig.protocol:
        return ""
    return (
        f"{entry['format']}: AP and loss by the protocol {name} ({PROTOCOLS[name].about}), since"
        " the file takes no larger pictures"
    )


def left_alone(entry: dict[str, Any]) -> str:
    """Name the blocks that 8 bits would spoil; empty where nothing is known to be left alone."""
    details = entry.get("details") or {}
    sensitive = details.get("sensitive_blocks")
    if not sensitive:
        return ""
    names = ", ".join(sensitive)
    return (
        f"{entry['format']}: {len(sensitive)} of {details['blocks']} blocks stay in single"
        f" precision, as 8 bits spoil them most: {names}"
    )
