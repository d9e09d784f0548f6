"""What `thesis benchmark` prints: facts of one network, and tables of several and of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.disturbances import marks_text
from thesis_cli.grid import Grid
from thesis_cli.language import TERMINAL
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from thesis_cli.output import Block

MEMORY = {
    "tensors": "tensors alive at once",
    "allocator": "given by CUDA's allocator",
    "process": "by which a process grew",
}
"""How memory was counted, in words."""


def view(data: dict[str, Any]) -> list[Block]:
    """Show the whole, then networks and cases, the layers by time, and what training would choose.

    The whole is of the first network in the first case.
    """
    blocks: list[Block] = [Grid([], [], facts=facts(data))]
    if data["beside"]:
        blocks += ["", ratio_grid(data)]
    if len(data["cases"]) > 1:
        blocks += ["", case_grid(data["cases"])]
    if data["layers"]:
        blocks += ["", layer_grid(data["layers"])]
    if data["training"]:
        blocks += ["", *data["training"]["said"]]
    return blocks


def facts(data: dict[str, Any]) -> dict[str, str]:
    """Word what was measured of the first network."""
    side, count = data["image_size"], data["batch_size"]
    where = (
        f"{data['engine']} on {data['device']} ({data['hardware']}), {data['precision']},"
        f" {data['threads']} threads"
    )
    marks = _marks(data)
    spread = f" ± {quantity(data['std_ms'], '', '.2f')}" if data["std_ms"] is not None else ""
    file = f", file {quantity(data['file_mb'], 'MB', '.2f')}" if data["file_mb"] else ""
    told = {
        "network": f"{data['name']}, {data['parameters']:,} parameters",
        "setting": f"{side}×{side}, batch {count}, {where}",
        "time": f"{quantity(data['median_ms'], 'ms', '.2f')} median, "
        f"{quantity(data['p90_ms'], 'ms', '.2f')} p90"
        f" of {len(data['runs_ms'])} passes{marks}",
        "passes": f"{quantity(data['mean_ms'], '', '.2f')}{spread} ms mean,"
        f" {quantity(data['min_ms'], '', '.2f')} to {quantity(data['max_ms'], 'ms', '.2f')},"
        f" {quantity(data['p95_ms'], 'ms', '.2f')} p95,"
        f" {quantity(data['p99_ms'], 'ms', '.2f')} p99",
        "throughput": _rate(data["pictures_per_second"], " pictures per second"),
        "memory": f"{_peak(data)}weights {quantity(data['size_fp32_mb'], 'MB', '.2f')}{file}",
        "MACs": quantity(data["macs"], "MACs"),
        "energy": _energy(data["energy"]),
    }
    return {name: text for name, text in told.items() if text}


def ratio_grid(data: dict[str, Any]) -> Grid:
    """Tabulate the networks that were timed in turns, and how many times as long each takes."""
    columns = ["network", "engine", ">parameters", ">median ms", ">p90 ms", ">memory MB"]
    columns += [f">times {data['name']}", "95% interval"]
    rows = []
    for each in (data, *data["beside"]):
        ratio = each.get("ratio")
        rows.append(
            [
                each["name"],
                each["engine"],
                quantity(each["parameters"], "parameters"),
                quantity(each["median_ms"], "", ".2f"),
                quantity(each["p90_ms"], "", ".2f"),
                _number(each["peak_mb"], ".1f"),
                *_ratio(ratio),
            ]
        )
    return Grid(columns, rows)


def case_grid(cases: list[dict[str, Any]]) -> Grid:
    """Tabulate every network in every case."""
    columns = ["work", ">size", ">batch", "network", "engine", ">median ms", ">mean ms", ">std ms"]
    columns += [">min ms", ">max ms", ">p90 ms", ">p95 ms", ">p99 ms", ">pictures/s"]
    columns += [">memory MB, mean", ">max", ">J/picture", ">times first", "95% interval", "marks"]
    names = ("median", "mean", "std", "min", "max", "p90", "p95", "p99")
    rows = []
    for case in cases:
        for each in case["networks"]:
            memory, energy = each["memory"] or {}, each["energy"] or {}
            rows.append(
                [
                    case["work"],
                    f"{case['image_size']}",
                    f"{case['batch_size']}",
                    each["name"],
                    each["engine"],
                    *(_number(each[f"{name}_ms"], ".2f") for name in names),
                    _number(each["pictures_per_second"], ".1f"),
                    _number(memory.get("mean"), ".1f"),
                    _number(memory.get("max"), ".1f"),
                    _number(energy.get("joules_per_picture"), ".3g"),
                    *_ratio(each["ratio"]),
                    marks_text(tuple(each["marks"]), TERMINAL),
                ]
            )
    return Grid(columns, rows)


def layer_grid(layers: list[dict[str, Any]]) -> Grid:
    """Tabulate the layers, slowest first; each has what it does itself."""
    columns = ["layer", "kind", ">calls", ">ms", ">share", ">output MB", ">peak MB"]
    rows = [
        [
            each["name"] or "(the network)",
            each["kind"],
            f"{each['calls']}",
            quantity(each["ms"], "", ".3f"),
            quantity(each["share"], "fraction"),
            quantity(each["output_mb"], "", ".2f"),
            quantity(each["peak_mb"], "", ".2f"),
        ]
        for each in sorted(layers, key=lambda each: -each["ms"])
    ]
    return Grid(columns, rows)


def _marks(data: dict[str, Any]) -> str:
    said = marks_text(tuple(data["marks"]), TERMINAL)
    return f" ({said})" if said else ""


def _number(value: float | None, spec: str) -> str:
    return "" if value is None else quantity(value, "", spec)


def _peak(data: dict[str, Any]) -> str:
    if data["memory"] is None:
        return ""
    counted = MEMORY[data["memory"]["counted"]]
    return f"{quantity(data['peak_mb'], 'MB', '.1f')} at most ({counted}), "


def _rate(value: float | None, unit: str) -> str:
    return "" if value is None else f"{quantity(value, '', '.1f')}{unit}"


def _ratio(ratio: dict[str, Any] | None) -> tuple[str, str]:
    if not ratio:
        return "", ""
    low, high = (quantity(ratio[end], "", ".3f") for end in ("low", "high"))
    return quantity(ratio["value"], "", ".3f"), f"{low} to {high}, {ratio['pairs']} pairs"


def _energy(energy: dict[str, Any] | None) -> str:
    if energy is None:
        return ""
    return (
        f"{quantity(energy['joules_per_picture'], 'J per picture', '.3g')},"
        f" {quantity(energy['watts'], 'W', '.1f')} ({', '.join(energy['meters'])}){_marks(energy)}"
    )
