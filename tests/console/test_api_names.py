"""The console's types and paths against the API's own description, so that neither drifts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from command_center.web.app import gather_rooms
from command_center.web.openapi import describe

SERVER = Path(__file__).resolve().parents[2] / "command_center"
API = SERVER / "console" / "src" / "api"
SHAPES = {
    "User": "UserOut",
    "Report": "ReportIn",
    "Grade": "GradeOut",
    "Clock": "ClockOut",
    "ActiveResponse": "ResponseOut",
    "Incident": "IncidentOut",
    "TimelineEntry": "TimelineEntryOut",
    "Task": "TaskOut",
    "DispatchProposal": "DispatchProposalOut",
    "DispatchLine": "LineOut",
    "DispatchMaterial": "LoadOut",
    "Order": "OrderOut",
    "Member": "ProposedMemberOut",
    "Participant": "ParticipantOut",
    "Consultation": "ConsultationOut",
    "Control": "ControlOut",
    "Alarm": "AlarmOut",
    "OwnDesk": "OwnDeskOut",
    "Template": "TemplateOut",
    "Reservation": "ReservationOut",
    "JoinToken": "JoinTokenOut",
    "JoinPage": "JoinPageOut",
    "LiveEvent": "EventOut",
    "Site": "SiteOut",
    "SelfTest": "SelfTestOut",
    "SourceBan": "SourceBanOut",
    "Account": "AccountOut",
    "FirstPassword": "FirstPasswordOut",
    "TotpProposal": "TotpProposalOut",
    "AuditRow": "AuditEntryOut",
    "Installation": "InstallationOut",
    "ProcessGroup": "ProcessGroupOut",
}
PATH = re.compile(r"\b(get|post|put|patch|remove)(?:<[^(]*>)?\(\s*[`'](/[^`']+)[`']")
FIELD = re.compile(r"^  (\w+)(\??):", re.MULTILINE)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    rooms = gather_rooms()
    return describe(rooms.routes, rooms.problems)


def interface(name: str) -> list[tuple[str, bool]]:
    """(field, must be there) of a TypeScript interface."""
    text = (API / "types.ts").read_text("utf-8")
    body = re.search(rf"export interface {name} {{\n(.*?)\n}}", text, re.DOTALL)
    assert body, name
    return [(field, not optional) for field, optional in FIELD.findall(body[1])]


@pytest.mark.parametrize("name", SHAPES)
def test_every_field_that_a_page_relies_on_is_in_the_api(
    described: dict[str, Any], name: str
) -> None:
    """A renamed field would show an empty cell in an emergency, and nobody would be told."""
    known = set(described["components"]["schemas"][SHAPES[name]]["properties"])
    wanted = {field for field, must in interface(name) if must}
    assert wanted
    assert wanted <= known


def test_every_audited_action_has_its_words_in_the_console() -> None:
    """An auditor reads what was done, not what a programmer called it."""
    text = (API.parent / "locales" / "zh-CN" / "audit_actions.ts").read_text("utf-8")
    named = {
        f"{room}.{step}"
        for room, steps in re.findall(r"^  (\w+): \{ (.*) \},$", text, re.MULTILINE)
        for step in re.findall(r"(\w+): '", steps)
    }
    source = "\n".join(file.read_text("utf-8") for file in sorted(SERVER.rglob("*.py")))
    audited = set(re.findall(r'\baudit="([a-z_.]+)"', source))
    assert len(audited) > 100
    assert audited <= named, audited - named


def test_every_path_that_the_console_calls_exists(described: dict[str, Any]) -> None:
    """A button whose path is gone is a dead button."""
    known = {
        (method, re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1")))
        for path, methods in described["paths"].items()
        for method in methods
    }
    called = set()
    for file in sorted(API.glob("*.ts")):
        for verb, template in PATH.findall(file.read_text("utf-8")):
            path = re.sub(r"\$\{query\(.*$", "", template)
            called.add(("delete" if verb == "remove" else verb, re.sub(r"\$\{[^}]*\}", "{}", path)))
    assert len(called) > 25
    libraries = {("get", "/{}")}  # the seven libraries share one call
    steps = {(verb, path) for verb, path in called if path.endswith("/{}/{}") and "post" in verb}
    missing = called - known - libraries - steps
    assert not missing, missing
    for verb, path in steps:
        assert any(v == verb and p.startswith(path[:-2]) for v, p in known), path
