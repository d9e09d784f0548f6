"""What a network costs: parameters, multiply-accumulates, time, memory, size on disk."""

from featherface.profiling.counting import (
    COUNTED,
    count_macs,
    layer_macs,
    macs,
    paper_counted,
    parameters,
    weights_megabytes,
)
from featherface.profiling.layers import LayerCost, layer_costs
from featherface.profiling.memory import peak_memory
from featherface.profiling.timing import Latency, latency

__all__ = [
    "COUNTED",
    "Latency",
    "LayerCost",
    "count_macs",
    "latency",
    "layer_costs",
    "layer_macs",
    "macs",
    "paper_counted",
    "parameters",
    "peak_memory",
    "weights_megabytes",
]
