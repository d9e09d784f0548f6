"""What a run seals of a network in several formats, made up: one of each state of the matrix."""

from experiments.conditions import Conditions
from experiments.metrics import Metric

FILES = {
    "export": {
        "artifacts": [
            {
                "path": "exports/v2.onnx",
                "format": "onnx",
                "megabytes": 1.2,
                "parity": 4.5e-6,
                "sha256": "1" * 64,
            },
            {
                "path": "exports/v2.int8.onnx",
                "format": "made-up-int8",
                "megabytes": 0.4,
                "parity": 0.21,
                "sha256": "2" * 64,
                "engine": "onnxruntime",
                "validation": {
                    "subsets": {"hard": {"ap": 0.7, "loss": 0.01, "low": 0.002, "high": 0.018}}
                },
            },
            {"path": "exports/v2.mlpackage", "format": "made-up-phone", "sha256": "3" * 64},
        ],
        "not_made": {"made-up-watch": "no such operator"},
        "not_timed": {"made-up-int8": "it fell over", "made-up-phone": "nothing here opens it"},
    }
}


def matrix_metrics(marks=()):
    """Return the metrics of such a run: AP, size, and latencies of the network and one file."""

    def timed(by, what, value, engine):
        on = Conditions(
            sizes=((320, 320),),
            batch=1,
            threads=2,
            device="cpu",
            hardware="a processor",
            precision="fp32",
            engine=engine,
        )
        name = f"latency.cpu.{by}.320.b1.{what}"
        unit = "ms" if what.endswith("ms") else ""
        return Metric(name=name, value=value, unit=unit, n=20, conditions=on, marks=marks)

    return [
        Metric(
            name="widerface.hard.ap",
            value=0.71,
            unit="fraction",
            dataset="widerface",
            split="val",
            n=34,
            complete=False,
            conditions=Conditions(protocol="original"),
        ),
        Metric(name="size.fp32_mb", value=1.1, unit="MB"),
        timed("torch", "median_ms", 40.0, "torch"),
        timed("onnx", "median_ms", 20.0, "onnxruntime"),
        timed("onnx", "ratio", 0.5, "onnxruntime"),
    ]
