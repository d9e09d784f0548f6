"""`thesis model show`: a network taken apart, as a student pastes it into a chapter."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from featherface.errors import UsageError
from featherface.filesystem.atomic import write_atomic
from featherface.variants.table import VARIANTS
from thesis_cli.completion import complete_network
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.language import TERMINAL
from thesis_cli.output import Block, emit, json_option, write
from thesis_cli.session import Session
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from experiments.wording.tables import Cell, Table
    from featherface.model_summary.summary_types import Anatomy
    from featherface.variants.config import DetectorConfig
    from vault_sync.rendering.network_tables import Subject
    from vault_sync.rendering.words import Words

FORMATS = ("table", "md", "latex", "mermaid", "json")
PICTURES = (".png", ".svg", ".pdf")
TEXTS = (".md", ".tex", ".txt", ".mmd", ".json")
SQUARE = "640"


class Asked(NamedTuple):
    """What was asked about which network."""

    subject: Subject
    describe: Callable[[DetectorConfig], Anatomy]
    words: Words
    layers: bool
    untrained: bool


def picture_or_text(context: click.Context, _: click.Parameter, value: Path | None) -> Path | None:
    """Keep the name of a picture; one of a text is where the answer goes."""
    if value is None or value.suffix.lower() in PICTURES:
        return value
    if value.suffix.lower() not in TEXTS:
        kinds, others = ", ".join(PICTURES), ", ".join(TEXTS)
        raise UsageError(f"--output {value}: a drawing ends in one of {kinds}; text in {others}")
    context.ensure_object(Session).output = value
    return None


@click.command(cls=Command)
@click.argument("network", metavar="NETWORK", shell_complete=complete_network)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print it."
)
@click.option("--set", "overrides", multiple=True, metavar="K=V", help="Change it: channels=48.")
@click.option("--size", default=SQUARE, show_default=True, help="The picture: 640 or 480x640.")
@click.option("--layers", is_flag=True, help="Add the table of all layers.")
@click.option("--effective", is_flag=True, help="Measure how far it really looks, by gradients.")
@click.option("--weights", type=click.Path(path_type=Path), help="Trained weights for that.")
@click.option(
    "--language",
    type=click.Choice(["en", "fr"]),
    help="Default: the workspace's; tables in the terminal: English.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    callback=picture_or_text,
    help="Draw it: a .png, .svg or .pdf file; any other holds the text.",
)
@json_option
@pass_session
def show(  # noqa: PLR0913 - one argument per option
    session: Session,
    *,
    network: str,
    form: str,
    overrides: tuple[str, ...],
    size: str,
    layers: bool,
    effective: bool,
    weights: Path | None,
    language: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Show what a network is made of.

    NETWORK is a variant, or a recipe or run of the workspace. Components with their shares,
    blocks, levels with their anchors and receptive fields, and what turns each innovation off;
    `md` and `latex` are made to be pasted, `mermaid` is the diagram alone.
    """
    if weights is not None and not effective:
        raise UsageError("--weights goes with --effective", "add --effective")
    asked = prepare(session, network, overrides, size, language, layers=layers, trained=weights)
    if effective:
        asked = asked._replace(subject=measured(session, asked.subject, weights))
    if output is not None:
        write_atomic(output, drawing(asked, output.suffix[1:].lower()))
        session.note(f"drawn: {output}")
    if as_json or form == "json":
        session.as_json = True
        emit(session, "model-show", to_json(asked.subject), lambda _: [])
    elif form == "table":
        emit(session, "model-show", asked if language else in_english(asked), view)
    else:
        write(session, text(asked, form, output).rstrip())


def prepare(
    session: Session,
    name: str,
    overrides: tuple[str, ...],
    size: str,
    language: str | None,
    *,
    layers: bool,
    trained: Path | None,
) -> Asked:
    """Find the network and take it apart."""
    from featherface.model_summary.summary_cache import anatomy
    from thesis_cli.commands.model.listing import known_counts
    from thesis_cli.commands.model.subjects import network
    from vault_sync.rendering.network_tables import Subject
    from vault_sync.rendering.words import Words

    variant, config = network(session, name, overrides)
    height, width = sides(size)
    describe = partial(anatomy, folder=known_counts(session), height=height, width=width)
    words = Words(language or session.document_language)
    changes = f" ({', '.join(overrides)})" if overrides else ""
    subject = Subject(f"{name}{changes}", config, describe(config), variant)
    return Asked(subject, describe, words, layers, trained is None)


def sides(size: str) -> tuple[int, int]:
    """Read a picture's size: one side, or height and width joined by an x."""
    parts = size.lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(part.isdigit() for part in parts):
        raise UsageError(f"--size {size}: write it like 640 or 480x640 (height, width)")
    return int(parts[0]), int(parts[-1])


def measured(session: Session, subject: Subject, weights: Path | None) -> Subject:
    """Measure how far each level looks, with trained weights or as it is first drawn."""
    from dataclasses import replace

    from featherface.model_summary.effective import effective_fields
    from featherface.networks.detector import build
    from featherface.weights.checkpoints import load_weights
    from featherface.weights.network_settings import overruled

    model = build(subject.config, seed=0)
    if weights is not None:
        load_weights(model, weights, subject.variant or subject.name)
        for sentence in overruled(weights, subject.config):
            session.warn(sentence)
    levels = effective_fields(model, min(subject.anatomy.height, subject.anatomy.width))
    return replace(subject, effective={level.level: level.side for level in levels})


def drawing(asked: Asked, form: str) -> bytes:
    """Draw the network; the bytes of a file."""
    from experiments.plotting.network_drawing import draw_network
    from vault_sync.reports.network import drawing_names

    words = asked.words
    return draw_network(asked.subject.anatomy, drawing_names(words), words.language, form)


def to_json(subject: Subject) -> dict[str, Any]:
    """Return everything in plain values."""
    entry = VARIANTS.get(subject.variant)
    summary = subject.anatomy
    return {
        "name": subject.name,
        "variant": subject.variant or None,
        "parameters": summary.parameters,
        "paper_counted": summary.paper_counted,
        "macs": summary.macs,
        "macs_640": summary.macs if (summary.height, summary.width) == (640, 640) else None,
        "summary": entry.summary if entry else "",
        "source": entry.source if entry else "",
        "components": {
            component.component: component.parameters
            for component in summary.parts
            if component.parameters
        },
        "switches": dict(entry.switches) if entry else {},
        "config": subject.config,
        "effective": dict(subject.effective) if subject.effective else None,
        "anatomy": summary.to_json(),
    }


def view(asked: Asked) -> Iterator[Block]:
    """Show the totals, then each table under its title."""
    summary = asked.subject.anatomy
    entry = VARIANTS.get(asked.subject.variant)
    counted = summary.paper_counted
    sizes = summary.storage
    facts = {
        "network": f"{asked.subject.name}: {entry.summary}" if entry else asked.subject.name,
        **({"source": entry.source} if entry else {}),
        "parameters": f"{summary.parameters:,}"
        + (f" ({counted:,} counted as in the paper)" if counted else ""),
        f"MACs at {asked.subject.size}": quantity(summary.macs, "MACs"),
        "weights": f"{_megabytes(sizes.fp32)} fp32, {_megabytes(sizes.fp16)} fp16, "
        f"{_megabytes(sizes.int8)} int8 ({sizes.single:,} numbers stay in fp32)",
    }
    yield Grid([], [], facts=facts)
    for table in tables(asked):
        yield f"\n{table.title}\n"
        yield Grid(headings(table), [line(row, asked.words.language) for row in table.rows])
    yield "\n" + field_note(asked.subject)


def _megabytes(size: int) -> str:
    """Word SIZE, in bytes."""
    return quantity(size / 1e6, "MB", ".2f")


def in_english(asked: Asked) -> Asked:
    """Let the tables speak as the rest of the terminal does."""
    from vault_sync.rendering.words import Words

    return asked._replace(words=Words(TERMINAL))


def tables(asked: Asked) -> list[Table]:
    """Return the tables in the order of a chapter."""
    from vault_sync.rendering import network_tables as made

    subject, words = asked.subject, asked.words
    tables = [made.components(subject, words), made.blocks(subject, words)]
    tables.append(made.levels(subject, words))
    switches = made.switches(subject, words, asked.describe)
    tables += [switches] if switches else []
    return tables + ([made.layers(subject, words)] if asked.layers else [])


def field_note(subject: Subject) -> str:
    """Say what the receptive fields leave out."""
    fields = subject.anatomy.fields
    said = ["fields: pixels of the square's side, through convolutions and poolings"]
    if any(field.whole for field in fields):
        said.append("global pooling or attention lets a prediction depend on the whole picture")
    if any(field.learnt for field in fields):
        said.append("deformable convolutions can reach further: that is learnt")
    return "; ".join(said)


def headings(table: Table) -> list[str]:
    """Mark the columns of numbers."""
    return [f">{name}" if at in table.right else name for at, name in enumerate(table.columns)]


def line(row: tuple[Cell, ...], language: str) -> list[str]:
    """Write the cells of one row."""
    return [
        "" if cell is None else cell if isinstance(cell, str) else cell.text(language)
        for cell in row
    ]


def text(asked: Asked, form: str, output: Path | None) -> str:
    """Write the network for a chapter: Markdown, LaTeX, or the diagram alone."""
    from vault_sync.rendering.flowchart import flowchart

    subject, words = asked.subject, asked.words
    if form == "mermaid":
        return flowchart(subject, words)
    if form == "latex":
        from experiments.wording.latex import latex

        return "\n".join(latex(table, words.language) for table in tables(asked))
    from vault_sync.rendering.jinja import render
    from vault_sync.rendering.markdown import Safe, escape
    from vault_sync.reports.network import values

    caption = words.say("network.figure", name=subject.name, size=Safe(subject.size))
    picture = Safe(f"![{caption}]({escape(output.as_posix())})\n\n*{caption}*") if output else ""
    shown = values(
        subject,
        words,
        asked.describe,
        picture=Safe(picture),
        mermaid=Safe("") if output else flowchart(subject, words),
        layers=asked.layers,
        untrained=asked.untrained,
    )
    return render(words.language, "network", shown)
