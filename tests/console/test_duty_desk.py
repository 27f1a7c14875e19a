"""值班台, log-in and the frame around every page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Served
from tests.console.stand_in import PASSWORD, StandIn


def test_wrong_password_is_told_and_the_right_one_leads_to_the_wanted_page(
    page: Page, server: Served
) -> None:
    """A link opened before logging in is not lost by the log-in."""
    server.state.logged_in = False
    page.goto(f"{server.url}/hazards")
    page.get_by_label("账号").fill("chenshiyi")
    page.get_by_label("密码", exact=True).fill("wrong")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("账号或密码不正确")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(f"{server.url}/hazards")


def test_most_urgent_deadline_stands_first(page: Page, server: Served) -> None:
    """The duty officer reads from the top: the step that is late comes before all others."""
    page.goto(f"{server.url}/desk")
    first = page.locator("ol li").first
    expect(first).to_contain_text("翁源演示精细化工有限公司液氯泄漏")
    expect(first.locator(".chip")).to_contain_text("超时")


def test_keys_choose_and_open_an_incident(page: Page, server: Served) -> None:
    """Speed: from the inbox to the incident without the mouse."""
    page.goto(f"{server.url}/desk")
    expect(page.locator("ol li")).to_have_count(3)
    page.keyboard.press("j")
    expect(page.locator("ol li.chosen")).to_contain_text("演示仓库火灾 2")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("演示仓库火灾 2")
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{server.url}/desk")


def test_drill_stripes_the_bar_while_a_drill_is_chosen(page: Page, server: Served) -> None:
    """Nobody may take an exercise for the real thing, or the real thing for an exercise."""
    page.goto(f"{server.url}/desk")
    expect(page.locator("ol li")).to_have_count(3)
    expect(page.locator("header.top")).not_to_contain_text("演练")
    page.keyboard.press("j")
    expect(page.locator("header.top.drill")).to_contain_text("演练")


def test_new_incident_appears_without_a_reload(page: Page, server: Served) -> None:
    """Live: what another desk reported is here at once."""
    page.goto(f"{server.url}/desk")
    expect(page.locator("ol li")).to_have_count(3)
    fresh = StandIn(1)
    (made,) = fresh.incidents.values()
    server.state.incidents[made["id"]] = {**made, "title": "演示新事件"}
    server.state.orders[made["id"]] = []
    server.emit("incident.created", incident_id=made["id"])
    expect(page.locator("ol li", has_text="演示新事件")).to_be_visible()


def test_lost_server_is_told_and_the_page_recovers_by_itself(page: Page, server: Served) -> None:
    """Old figures must not look fresh; when the server is back the page reads them anew."""
    page.goto(f"{server.url}/desk")
    expect(page.locator("ol li")).to_have_count(3)
    server.stop()
    expect(page.get_by_text("与服务器的连接中断")).to_be_visible()
    server.state.incidents[server.state.first]["title"] = "演示改名后的事件"
    server.start()
    expect(page.get_by_text("与服务器的连接中断")).to_be_hidden()
    expect(page.locator("ol li", has_text="演示改名后的事件")).to_be_visible()


def test_role_without_a_permission_sees_no_button_for_it(page: Page, server: Served) -> None:
    """No dead buttons: a duty officer may not close an incident, the duty leader may."""
    page.goto(f"{server.url}/incidents/{server.state.first}")
    expect(page.get_by_role("button", name="终止事件")).to_be_visible()
    server.state.user["permissions"].remove("incident.close")
    page.reload()
    expect(page.get_by_role("button", name="一键会商")).to_be_visible()
    expect(page.get_by_role("button", name="终止事件")).to_have_count(0)


def test_english_and_light_theme_are_kept(page: Page, server: Served) -> None:
    """The office works in the light theme; the choice is not asked for every morning."""
    page.goto(f"{server.url}/desk")
    page.get_by_role("button", name="EN", exact=True).click()
    page.get_by_role("button", name="Theme").click()
    page.reload()
    expect(page.get_by_text("Reports and incidents")).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1920, 1080)])
def test_nothing_overflows_sideways_with_three_hundred_incidents(
    page: Page, server: Served, width: int, height: int
) -> None:
    """A province on a typhoon day: many rows, one screen."""
    many = StandIn(300)
    server.state.incidents.update(many.incidents)
    server.state.orders.update(many.orders)
    page.set_viewport_size({"width": width, "height": height})
    for path in ("/desk", "/incidents"):
        page.goto(server.url + path)
        expect(page.get_by_text("演示仓库火灾 300").first).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_next_person_sees_nothing_of_the_one_before(page: Page, server: Served) -> None:
    """An administrator who logs in at the same desk must not find the duty officer's alarms."""
    page.goto(f"{server.url}/desk")
    expect(page.locator(".bell")).to_contain_text("1")
    page.locator(".who").click()
    page.get_by_text("退出登录").click()
    expect(page).to_have_url(f"{server.url}/login")
    server.state.user |= {"id": "another", "display_name": "姚示系", "permissions": []}
    page.get_by_label("账号").fill("yaoshixi")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_text("您的账号还没有角色")).to_be_visible()
    expect(page.locator(".bell")).to_have_count(0)
    expect(page.locator("nav a")).to_have_count(0)
