"""The dial plan of a centre: read and tried at the desk, changed by administrators."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.console.conftest import Served

RULES: list[dict[str, Any]] = [
    {"direction": "in", "match": "119", "is_whole": True, "strip": 0, "add": "9001"},
    {"direction": "out", "match": "00", "is_whole": False, "strip": 0, "add": ""},
]


def test_rules_are_changed_and_a_number_is_tried_without_a_call(page: Page, server: Served) -> None:
    """What is saved is what stands in the table; the trial says in words where a number leads."""
    rules = [
        {**RULES[0], "way": "inside", "note": "火警"},
        {**RULES[1], "way": "barred", "note": ""},
    ]
    saved: list[Any] = []

    def answer(route: Route) -> None:
        if route.request.method == "PUT":
            saved.append(route.request.post_data_json["rules"])
        kept = saved[-1] if saved else rules
        route.fulfill(json={"region_code": "440000", "rules": kept})

    def tried(route: Route) -> None:
        barred = {"kind": "number_barred", "number": "0085", "match": "00", "name": ""}
        found = {"kind": "consultation", "number": "9001", "match": "", "name": "液氯泄漏会商"}
        route.fulfill(json=barred if "direction=out" in route.request.url else found)

    page.route("**/api/v1/dial-plan", answer)
    page.route("**/api/v1/dial-plan/trial*", tried)
    server.state.user["permissions"].append("account.manage")
    page.goto(f"{server.url}/contacts")
    page.get_by_role("button", name="拨号规则").click()
    drawer = page.get_by_role("dialog", name="拨号规则")
    rows = drawer.locator("tbody tr")
    expect(rows).to_have_count(2)
    drawer.get_by_label("试一个号码").fill("119")
    drawer.get_by_role("button", name="试拨").click()
    expect(drawer.get_by_role("status")).to_have_text("9001 通向会商“液氯泄漏会商”")
    rows.nth(1).get_by_role("button", name="删去此规则").click()
    drawer.get_by_role("button", name="添加规则").click()
    expect(rows).to_have_count(2)
    added = rows.nth(1)
    added.get_by_label("号码", exact=True).fill("韶关")
    added.get_by_label("加拨／换成").fill("440200")
    drawer.get_by_role("button", name="保存").click()
    expect(page.get_by_text("拨号规则已保存")).to_be_visible()
    first, second = saved[-1]
    assert (first["match"], first["way"], second["match"]) == ("119", "inside", "韶关")
    assert (second["direction"], second["is_whole"], second["add"]) == ("in", True, "440200")
