"""`python -m command_center.settings_reference` writes `config/reference.toml` from the models.

Every setting with its sentence and its default; a test holds the file against the models.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from sip_gateway import GatewaySettings

from .consultation.settings import ConsultationSettings
from .settings import Settings

FILE = Path(__file__).parents[1] / "config" / "reference.toml"
SECTIONS: tuple[tuple[str, str, type[BaseModel]], ...] = (
    (
        "command_center",
        "The installation. Set them by COMMAND_CENTER_<NAME> in the environment or by `serve`.",
        Settings,
    ),
    (
        "consultation",
        "What the consultation desk proposes: built in, shown for reference.",
        ConsultationSettings,
    ),
    (
        "sip_gateway",
        "The SIP and H.323 edge: built in; addresses and ports follow the installation.",
        GatewaySettings,
    ),
)


def _value(value: object) -> str:
    """A TOML value; what is not set is shown as a comment by the caller."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _lines(name: str, model: type[BaseModel]) -> list[str]:
    lines = [f"[{name}]"]
    tables: list[str] = []
    for key, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, BaseModel):
            tables += ["", *_lines(f"{name}.{key}", type(default))]
            continue
        if field.description:
            lines.append(f"# {field.description}")
        is_unset = default is None or default is PydanticUndefined
        lines.append(f"# {key} =" if is_unset else f"{key} = {_value(default)}")
    return lines + tables


def reference() -> str:
    """The whole file."""
    parts = ["# Every setting with its default. Generated from the code: do not edit."]
    for name, sentence, model in SECTIONS:
        parts += ["", f"# {sentence}", *_lines(name, model)]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(reference(), encoding="utf-8")
