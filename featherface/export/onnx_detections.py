"""Decoding and suppression inside the ONNX file, for programs that want boxes and no arithmetic.

The file answers what every other does, and one output more: `detections` (B,K,15), best first, each
left, top, right, bottom in pixels, the score, and x, y of five points; a picture with fewer than K
ends in rows of zeros. ONNX's suppression counts no pixel more than the difference of the corners,
the program's counts one: so it is given boxes that are a pixel wider and higher, and decides alike.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from featherface.engines.onnx_runtime import OnnxSession
from featherface.evaluation.config import EvaluateConfig
from featherface.export.onnx_file import network_graph, save
from featherface.export.onnx_metadata import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from featherface.export.formats import WriterSettings
    from featherface.networks.detector import Detector
    from featherface.variants.config import DetectorConfig

OUTPUT = "detections"
COLUMNS = 15
FORMAT = "onnx-nms"
USUAL = EvaluateConfig()

_PICTURE = """
    height = Shape <start = 2, end = 3> (images)
    width = Shape <start = 3, end = 4> (images)
    size_pixels = Concat <axis = 0> (width, height)
    size_double = Cast <to = 11> (size_pixels)
    size = Cast <to = 1> (size_pixels)
    size_twice = Concat <axis = 0> (size, size)
    zero = Constant <value_int = 0> ()
    one = Constant <value_int = 1> ()
    first_axis = Constant <value_ints = [0]> ()
    second_axis = Constant <value_ints = [1]> ()
    last_axis = Constant <value_ints = [-1]> ()
    third_axis = Constant <value_ints = [2]> ()
    half = Constant <value = double {0.5}> ()
    rows_of_four = Constant <value_ints = [-1, 4]> ()
"""
_LEVEL = """
    step_L = Constant <value_ints = [STEP]> ()
    rest_L = Constant <value_ints = [REST]> ()
    shapes_L = Constant <value = double[ANCHORS, 2] {SHAPES}> ()
    each_L = Constant <value_ints = [ANCHORS, 2]> ()
    double_L = Cast <to = 11> (step_L)
    padded_height_L = Add (height, rest_L)
    rows_L = Div (padded_height_L, step_L)
    padded_width_L = Add (width, rest_L)
    columns_L = Div (padded_width_L, step_L)
    row_count_L = Squeeze (rows_L)
    column_count_L = Squeeze (columns_L)
    row_numbers_L = Range (zero, row_count_L, one)
    column_numbers_L = Range (zero, column_count_L, one)
    row_doubles_L = Cast <to = 11> (row_numbers_L)
    column_doubles_L = Cast <to = 11> (column_numbers_L)
    row_middles_L = Add (row_doubles_L, half)
    column_middles_L = Add (column_doubles_L, half)
    y_L = Mul (row_middles_L, double_L)
    x_L = Mul (column_middles_L, double_L)
    y_column_L = Unsqueeze (y_L, second_axis)
    x_row_L = Unsqueeze (x_L, first_axis)
    grid_L = Concat <axis = 0> (rows_L, columns_L)
    y_grid_L = Expand (y_column_L, grid_L)
    x_grid_L = Expand (x_row_L, grid_L)
    y_last_L = Unsqueeze (y_grid_L, last_axis)
    x_last_L = Unsqueeze (x_grid_L, last_axis)
    middles_L = Concat <axis = -1> (x_last_L, y_last_L)
    shares_L = Div (middles_L, size_double)
    shares_of_each_L = Unsqueeze (shares_L, third_axis)
    full_L = Concat <axis = 0> (grid_L, each_L)
    centres_L = Expand (shares_of_each_L, full_L)
    sides_L = Div (shapes_L, size_double)
    sides_of_each_L = Expand (sides_L, full_L)
    priors_double_L = Concat <axis = -1> (centres_L, sides_of_each_L)
    priors_L = Reshape (priors_double_L, rows_of_four)
"""
_DECODING = """
    priors_double = Concat <axis = 0> (LEVELS)
    priors = Cast <to = 1> (priors_double)
    prior_centre, prior_size = Split <axis = 1, num_outputs = 2> (priors)
    delta_centre, delta_size = Split <axis = 2, num_outputs = 2> (boxes)
    variance_centre = Constant <value_float = VARIANCE0> ()
    variance_size = Constant <value_float = VARIANCE1> ()
    two = Constant <value_float = 2.0> ()
    scaled_centre = Mul (delta_centre, variance_centre)
    shift = Mul (scaled_centre, prior_size)
    centre = Add (prior_centre, shift)
    scaled_size = Mul (delta_size, variance_size)
    growth = Exp (scaled_size)
    box_size = Mul (prior_size, growth)
    half_size = Div (box_size, two)
    first_corner = Sub (centre, half_size)
    last_corner = Add (first_corner, box_size)
    corner_shares = Concat <axis = 2> (first_corner, last_corner)
    corners = Mul (corner_shares, size_twice)
    pairs = Constant <value_ints = [0, 0, 5, 2]> ()
    tens = Constant <value_ints = [0, 0, 10]> ()
    point_deltas = Reshape (landmarks, pairs)
    scaled_points = Mul (point_deltas, variance_centre)
    prior_size_of_each = Unsqueeze (prior_size, second_axis)
    prior_centre_of_each = Unsqueeze (prior_centre, second_axis)
    point_shifts = Mul (scaled_points, prior_size_of_each)
    point_shares = Add (prior_centre_of_each, point_shifts)
    point_pixels = Mul (point_shares, size)
    points = Reshape (point_pixels, tens)
    background, face = Split <axis = 2, num_outputs = 2> (scores)
"""
_SUPPRESSION = """
    wider = Constant <value = float[4] {0.0, 0.0, 1.0, 1.0}> ()
    counted = Add (corners, wider)
    face_rows = Transpose <perm = [0, 2, 1]> (face)
    most = Constant <value_ints = [2147483647]> ()
    overlap = Constant <value_floats = [OVERLAP]> ()
    least_score = Constant <value_floats = [SCORE]> ()
    chosen = NonMaxSuppression (counted, face_rows, most, overlap, least_score)
    picture_column = Constant <value_ints = [0]> ()
    prior_column = Constant <value_ints = [2]> ()
    picture = Gather <axis = 1> (chosen, picture_column)
    prior = Gather <axis = 1> (chosen, prior_column)
    where = Concat <axis = 1> (picture, prior)
    described = Concat <axis = 2> (corners, face, points)
    found_rows = GatherND (described, where)
    pictures = Shape <start = 0, end = 1> (images)
    picture_number = Squeeze (picture, second_axis)
    off_and_on = Constant <value_ints = [0, 1]> ()
    belongs = OneHot (picture_number, pictures, off_and_on)
    counts = ReduceSum <keepdims = 0> (belongs, first_axis)
    starts = CumSum <exclusive = 1> (counts, zero)
    found_count = Shape <start = 0, end = 1> (chosen)
    found_scalar = Squeeze (found_count)
    found_numbers = Range (zero, found_scalar, one)
    start_of_each = Gather (starts, picture_number)
    rank = Sub (found_numbers, start_of_each)
    rank_column = Unsqueeze (rank, second_axis)
    target = Concat <axis = 1> (picture, rank_column)
    longest = ReduceMax (counts, first_axis)
    columns = Constant <value_ints = [15]> ()
    table = Concat <axis = 0> (pictures, longest, columns)
    nothing = Constant <value_float = 0.0> ()
    empty = Expand (nothing, table)
    detections = ScatterND (empty, target, found_rows)
"""


def write_with_detections(
    model: Detector, path: Path, settings: WriterSettings, variant_name: str
) -> dict[str, Any]:
    """Write MODEL to PATH with the output `detections`, decoded and suppressed in the file."""
    graph = network_graph(model, settings)
    append(graph, model.config, settings.opset)
    about = {
        "score_threshold": f"{USUAL.score_threshold:g}",
        "nms_threshold": f"{USUAL.nms_threshold:g}",
        "detections": "(B,K,15): left, top, right, bottom in pixels, score, x and y of landmarks;"
        " rows of zeros fill up",
    }
    save(graph, path, metadata(model, settings, variant_name, FORMAT) | about)
    return {
        "score_threshold": USUAL.score_threshold,
        "nms_threshold": USUAL.nms_threshold,
    }


def read_detections(path: Path) -> Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Open a file of this format: it gives (n,15) for each of the pictures (B,3,H,W).

    Raises:
        WeightsError: it is no file that ONNX Runtime can run.
    """
    session = OnnxSession(path)

    def give(pictures: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        (table,) = session.run((OUTPUT,), pictures)
        return [rows[rows[:, 4] > 0] for rows in table]

    return give


def append(graph: Any, config: DetectorConfig, opset: int) -> None:
    """Add the output `detections` to the ONNX model GRAPH of CONFIG's network, in place."""
    from onnx import TensorProto, helper, parser  # noqa: PLC0415 - only an export needs it

    text = "".join((_PICTURE, *_levels(config), _decoding(config), _suppression()))
    inputs = "float[B,3,H,W] images, float[B,N,4] boxes, float[B,N,2] scores,"
    source = (
        f'<ir_version: {graph.ir_version}, opset_import: ["" : {opset}]>\n'
        f"decoding ({inputs} float[B,N,10] landmarks) => (float[B,K,{COLUMNS}] {OUTPUT})"
        f" {{{text}}}"
    )
    renamed = {"images", "boxes", "scores", "landmarks", OUTPUT}
    for node in parser.parse_model(source).graph.node:
        for names in (node.input, node.output):
            names[:] = [name if name in renamed else f"decoding_{name}" for name in names]
        node.name = f"decoding/{node.output[0]}"
        graph.graph.node.append(node)
    shape = ("batch", "faces", COLUMNS)
    graph.graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape))


def _levels(config: DetectorConfig) -> Iterator[str]:
    """Yield the nodes that lay out the priors of each level, in double precision as ours are."""
    pairs = zip(config.prior_sizes, config.prior_steps, strict=True)
    for number, (sizes, step) in enumerate(pairs):
        shapes = [
            (size / ratio**0.5, size * ratio**0.5)
            for size, ratio in itertools.product(sizes, config.prior_ratios)
        ]
        values = ", ".join(repr(float(side)) for shape in shapes for side in shape)
        text = _LEVEL.replace("_L", f"_{number}").replace("SHAPES", values)
        text = text.replace("STEP", str(step)).replace("REST", str(step - 1))
        yield text.replace("ANCHORS", str(len(shapes)))


def _decoding(config: DetectorConfig) -> str:
    levels = ", ".join(f"priors_{number}" for number in range(len(config.prior_steps)))
    text = _DECODING.replace("LEVELS", levels)
    for number, variance in enumerate(config.variances):
        text = text.replace(f"VARIANCE{number}", repr(float(variance)))
    return text


def _suppression() -> str:
    text = _SUPPRESSION.replace("OVERLAP", repr(USUAL.nms_threshold))
    return text.replace("SCORE", repr(USUAL.score_threshold))
