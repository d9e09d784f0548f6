"""A network as tables: components, blocks, layers, levels, innovations.

The tables serve the vault's block and every format of the command line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from experiments.wording.tables import NumberCell, Table
from featherface.variants.table import VARIANTS
from vault_sync.rendering.markdown import Safe, code, escape
from vault_sync.rendering.markdown import table as lay_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from experiments.wording.tables import Cell
    from featherface.model_summary.summary_types import Anatomy, Layer
    from featherface.variants.config import DetectorConfig
    from vault_sync.rendering.words import Words

    Shape = tuple[int, ...]

MILLIONS = ",.2M"
"""NumberCell format of FEW multiply-accumulates or more; fewer are written out."""
FEW = 10_000


class Code(str):
    """A cell that holds an identifier: inline code where its characters allow that."""

    __slots__ = ()


@dataclass(frozen=True)
class Subject:
    """The network that the tables describe: its configuration, its summary, its measured fields."""

    name: str
    """What the tables call it."""
    config: DetectorConfig
    anatomy: Anatomy
    variant: str = ""
    """The variant whose configuration it has; empty for one of the student's own."""
    effective: Mapping[int, int] | None = None
    """Pyramid level -> measured receptive field in pixels; None where it was not measured."""

    @property
    def size(self) -> str:
        """The picture's height and width in pixels."""
        return f"{self.anatomy.height}×{self.anatomy.width}"


def components(subject: Subject, words: Words) -> Table:
    """Give each component's share of parameters and operations."""
    whole = subject.anatomy
    rows: list[tuple[Cell, ...]] = [
        (
            str(words.name("component", part.component)),
            NumberCell(part.parameters, ","),
            NumberCell(part.parameters / whole.parameters, ".1%"),
            _millions(part.macs),
            NumberCell(part.macs / whole.macs, ".1%"),
        )
        for part in whole.parts
    ]
    full = (
        NumberCell(whole.parameters, ","),
        NumberCell(1, ".1%"),
        NumberCell(whole.macs, MILLIONS),
    )
    rows.append((str(words.say("network.total")), *full, NumberCell(1, ".1%")))
    return _table(
        words,
        "components",
        subject,
        ("component", "parameters", "share", "macs", "macs_share"),
        rows,
    )


def blocks(subject: Subject, words: Words) -> Table:
    """Give the output shapes, parameters and multiply-accumulates of each block."""
    rows = [
        (
            Code(block.name),
            format_shapes(block.shapes),
            NumberCell(block.parameters, ","),
            _millions(block.macs),
        )
        for block in subject.anatomy.blocks
    ]
    return _table(words, "blocks", subject, ("block", "output", "parameters", "macs"), rows)


def layers(subject: Subject, words: Words) -> Table:
    """Give the kind, output shapes, parameters and multiply-accumulates of every layer."""
    rows = [
        (
            Code(layer.name),
            _kind(layer, words),
            format_shapes(tuple(dict.fromkeys(layer.shapes))),
            NumberCell(layer.parameters, ","),
            _millions(layer.macs),
        )
        for layer in subject.anatomy.layers
    ]
    columns = ("layer", "kind", "output", "parameters", "macs")
    return _table(words, "layers", subject, columns, rows)


def levels(subject: Subject, words: Words) -> Table:
    """Give each level's map, anchors and receptive fields."""
    measured = subject.effective or {}
    columns = ["level", "stride", "map", "sizes", "ratios", "count"]
    columns += ["backbone_field", "prediction_field", *(["effective_field"] if measured else [])]
    rows: list[tuple[Cell, ...]] = []
    for field, anchors in zip(subject.anatomy.fields, subject.anatomy.anchors, strict=True):
        cells: list[Cell] = [
            str(words.say("network.numbered", n=field.level)),
            NumberCell(field.stride, ","),
            f"{field.height}×{field.width}×{field.channels}",
            _listed(anchors.sizes, words),
            _listed(anchors.ratios, words),
            NumberCell(anchors.count, ","),
            NumberCell(field.backbone, ","),
            NumberCell(field.prediction, ","),
        ]
        rows.append((*cells, *([NumberCell(measured[field.level], ",")] if measured else [])))
    return _table(words, "levels", subject, columns, rows)


def switches(
    subject: Subject, words: Words, describe: Callable[[DetectorConfig], Anatomy]
) -> Table | None:
    """Give each innovation, what turns it off, and what changes; None where there is none."""
    entry = VARIANTS.get(subject.variant)
    if entry is None or not entry.switches:
        return None
    rows: list[tuple[Cell, ...]] = []
    for key, off in entry.switches.items():
        without = describe(replace(subject.config, **{key: off}))
        rows.append(
            (
                str(words.name("design", key)),
                Code(key),
                _value(getattr(subject.config, key), words),
                _value(off, words),
                _change(without.parameters - subject.anatomy.parameters),
                _change(without.macs - subject.anatomy.macs, millions=True),
            )
        )
    columns = ("innovation", "key", "on", "off", "saved", "macs_saved")
    made = _table(words, "switches", subject, columns, rows)
    return replace(made, numeric=frozenset({4, 5}))


def markdown(table: Table, words: Words) -> Safe:
    """Lay TABLE out as a block shows it."""
    rows = [[_cell(cell, words) for cell in row] for row in table.rows]
    return lay_out([Safe(title) for title in table.columns], rows, sorted(table.right))


def format_shapes(shapes: Sequence[Shape]) -> str:
    """Write maps as channels @ height×width, those of equal channels together."""
    parted: dict[int, list[str]] = {}
    for shape in shapes:
        parted.setdefault(shape[0], []).append("×".join(map(str, shape[1:])))
    return "; ".join(
        f"{channels} @ {', '.join(sides)}" if any(sides) else str(channels)
        for channels, sides in parted.items()
    )


def _table(
    words: Words,
    name: str,
    subject: Subject,
    columns: Sequence[str],
    rows: Sequence[tuple[Cell, ...]],
) -> Table:
    title = words.say(f"network.{name}", name=Safe(subject.name), size=Safe(subject.size))
    return Table(
        title=str(title),
        columns=tuple(str(words.say(f"network.{column}")) for column in columns),
        rows=tuple(rows),
    )


def _kind(layer: Layer, words: Words) -> str:
    phrases = [words.say(f"layer.{layer.kind}", n=layer.kernel)] if layer.kernel else []
    phrases = phrases or [words.name("layer", layer.kind)]
    if layer.stride > 1:
        phrases.append(words.say("layer.stride", n=layer.stride))
    if layer.groups > 1:
        phrases.append(words.say("layer.groups", n=layer.groups))
    return ", ".join(phrases)


def _millions(number: int) -> NumberCell:
    return NumberCell(number, MILLIONS if number >= FEW else ",")


def _change(number: int, *, millions: bool = False) -> NumberCell:
    spec = MILLIONS if millions and abs(number) >= FEW else ","
    return NumberCell(number, f"+{spec}")


def _listed(numbers: Sequence[float], words: Words) -> str:
    return words.between.join(words.number(number, ".4g") for number in numbers)


def _value(value: object, words: Words) -> Cell:
    if isinstance(value, bool):
        return str(words.say("network.yes" if value else "network.no"))
    return NumberCell(value, ",") if isinstance(value, int) else Code(value)


def _cell(cell: Cell, words: Words) -> Safe:
    if cell is None:
        return words.say("none")
    if isinstance(cell, NumberCell):
        return words.number(cell.value, cell.spec)
    return code(cell) if isinstance(cell, Code) else escape(cell)
