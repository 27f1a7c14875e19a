"""The demonstration's digital plans, read from their files."""

from __future__ import annotations

from importlib import resources

from plans import Plan, read_plan

from .minting import Mint


def demo_plans(seed: int) -> list[Plan]:
    """Six plans in the order of their file names."""
    mint = Mint(seed, "plans")
    folder = resources.files(__package__).joinpath("plans")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return [read_plan(file.read_text("utf-8"), mint.id()) for file in files]
