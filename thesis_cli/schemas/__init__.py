"""JSON Schemas of the answers of --json, one file per verb."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def schemas() -> dict[str, dict[str, Any]]:
    """Read every schema; the key is the verb, such as `runs-list`."""
    files = resources.files(__name__).iterdir()
    return {
        file.name.removesuffix(".json"): json.loads(file.read_text(encoding="utf-8"))
        for file in files
        if file.name.endswith(".json")
    }
