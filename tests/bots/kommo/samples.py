"""The samples of tests/payloads."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "payloads"


def sample_bytes(name: str) -> bytes:
    """Give a sample's bytes."""
    return (FOLDER / name).read_bytes()


def sample_json(name: str) -> Any:
    """Give a JSON sample, read."""
    return json.loads(sample_bytes(name))
