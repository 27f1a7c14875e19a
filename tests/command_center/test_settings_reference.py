"""The reference of settings is what the code says."""

from __future__ import annotations

import tomllib

from command_center.settings_reference import FILE, reference


def test_the_file_is_what_the_models_say() -> None:
    """`python -m command_center.settings_reference` was run after the last change."""
    assert FILE.read_text("utf-8") == reference()


def test_the_reference_is_valid_toml_with_a_sentence_for_each_setting() -> None:
    """An administrator reads it instead of the source."""
    found = tomllib.loads(reference())
    assert {"command_center", "consultation", "sip_gateway"} <= found.keys()
    lines = reference().splitlines()
    for number, line in enumerate(lines):
        if " =" in line and not line.startswith("# "):
            assert lines[number - 1].startswith("# "), line
