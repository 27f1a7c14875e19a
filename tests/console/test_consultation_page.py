"""会控台: the words of the conference desk and what each button does."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.conftest import Served
from tests.harness.processes import wait_until


@pytest.fixture
def desk(page: Page, server: Served) -> Page:
    found = server.state.open_consultation()
    page.goto(f"{server.url}/consultations/{found['id']}")
    expect(page.locator("h1")).to_contain_text("翁源液氯泄漏 会商")
    return page


def row(page: Page, name: str) -> Locator:
    """The roster's line of this member."""
    return page.locator("li.member", has_text=name)


def test_every_state_has_its_own_word_and_its_reason(desk: Page) -> None:
    """未入会, 离线, 入会失败 and 未注册 ask for different actions, so they are never mixed."""
    expected = {
        "省应急管理厅指挥大厅": "已入会",
        "韶关市应急管理局": "振铃",
        "省生态环境厅": "未入会",
    }
    for name, word in expected.items():
        expect(row(desk, name)).to_contain_text(word)
    expect(row(desk, "清远市应急管理局")).to_contain_text("未注册")
    expect(row(desk, "英德市应急管理局")).to_contain_text("入会失败")
    expect(row(desk, "英德市应急管理局")).to_contain_text("无人应答（30 秒）")
    expect(row(desk, "省卫生健康委")).to_contain_text("离线")


def test_microphone_and_speaker_are_two_buttons(desk: Page, server: Served) -> None:
    """Makers swap 闭音 and 静音: each must act on its own device."""
    hall = row(desk, "省应急管理厅指挥大厅")
    hall.get_by_role("button", name="闭音", exact=True).click()
    expect(hall).to_contain_text("会控闭音")
    hall.get_by_role("button", name="静音", exact=True).click()
    expect(hall).to_contain_text("扬声器静音")
    assert len(server.state.sent("POST", "/mute")) == 1
    assert len(server.state.sent("POST", "/speaker-mute")) == 1


def test_hanging_up_says_its_consequence_and_needs_a_second_step(
    desk: Page, server: Served
) -> None:
    """One wrong click must not throw a hall out of the meeting."""
    hall = row(desk, "省应急管理厅指挥大厅")
    hall.get_by_role("button", name="挂断").click()
    box = desk.locator(".el-message-box")
    expect(box).to_contain_text("将挂断“省应急管理厅指挥大厅”")
    box.get_by_role("button", name="取消").click()
    expect(box).to_have_count(0)
    assert server.state.sent("POST", "/hang-up") == []
    hall.get_by_role("button", name="挂断").click()
    desk.locator(".el-message-box").get_by_role("button", name="挂断").click()
    expect(hall).to_contain_text("已退会")


def test_filters_find_the_absent_and_the_lossy(desk: Page) -> None:
    """At 144 sites the desk looks for trouble, not for names."""
    desk.get_by_text("丢包高", exact=True).click()
    expect(desk.locator("li.member")).to_have_count(1)
    expect(desk.locator("li.member")).to_contain_text("9.7%")
    desk.get_by_text("未到", exact=True).click()
    expect(desk.locator("li.member")).to_have_count(6)


def test_layout_changes_only_when_it_is_taken(desk: Page, server: Served) -> None:
    """Preview before take: the halls must not see the operator's trying."""
    desk.get_by_title("1+5", exact=True).click()
    assert server.state.sent("PUT", "/layout") == []
    desk.get_by_role("button", name="切换", exact=True).click()
    expect(desk.get_by_text("已执行：切换")).to_be_visible()
    (sent,) = server.state.sent("PUT", "/layout")
    assert (sent["view"], sent["arrangement"]) == ("hall", "1+5")
    assert len(sent["seats"]) == 6
    seated = [seat for seat in sent["seats"] if seat]
    assert len(seated) == len(set(seated))


def test_call_all_absent_names_how_many_it_calls(desk: Page, server: Served) -> None:
    """Phones cannot be dialled, so they are not counted."""
    desk.get_by_role("button", name="呼叫全部未入会 5").click()
    expect(desk.get_by_text("正在呼叫 5 个未入会成员")).to_be_visible()
    assert len(server.state.sent("POST", "/call-absent")) == 1


def test_what_needs_a_site_waits_until_one_is_chosen(desk: Page, server: Served) -> None:
    """广播会场 and 点名 take the site chosen on the list; the strip says what is in force."""
    toolbar = desk.get_by_role("navigation", name="会控")
    button = toolbar.get_by_role("button", name="广播会场")
    expect(button).to_be_disabled()
    row(desk, "省应急管理厅指挥大厅").get_by_role("checkbox").check()
    button.click()
    strip = desk.get_by_role("status", name="当前")
    expect(strip).to_contain_text("广播：省应急管理厅指挥大厅")
    desk.keyboard.press("b")
    expect(strip).to_contain_text("自由观看")
    assert len(server.state.sent("DELETE", "/broadcast")) == 1


def test_a_site_is_dragged_from_the_list_into_a_pane(desk: Page, server: Served) -> None:
    """Seats by drag or by pick; two who change places need one drag."""
    desk.get_by_title("4 画面", exact=True).click()
    panes = desk.locator(".pane")
    expect(panes).to_have_count(4)
    row(desk, "韶关市应急管理局").drag_to(panes.nth(2))
    (found,) = server.state.consultations.values()
    city = next(one for one in found["participants"] if one["name"] == "韶关市应急管理局")
    expect(panes.nth(2).locator("select")).to_have_value(city["id"])
    desk.get_by_role("button", name="切换", exact=True).click()
    expect(desk.get_by_text("已执行：切换")).to_be_visible()
    (sent,) = server.state.sent("PUT", "/layout")
    assert sent["seats"][2] == city["id"]


def test_muting_all_says_how_many_it_silences(desk: Page, server: Served) -> None:
    """The one order of the bar that hurts asks first; its undoing does not."""
    desk.keyboard.press("m")
    box = desk.locator(".el-message-box")
    expect(box).to_contain_text("会场自己不能打开")
    assert server.state.sent("POST", "/mute-all") == []
    box.get_by_role("button", name="全体闭音").click()
    expect(desk.get_by_text("已执行：全体闭音")).to_be_visible()
    assert len(server.state.sent("POST", "/mute-all")) == 1


def test_join_link_shows_a_code_and_warns_when_it_is_not_https(desk: Page) -> None:
    """A phone gets no camera on plain http: better told here than found out at the scene."""
    row(desk, "演示翁城专职消防站").get_by_role("button", name="入会链接").click()
    dialog = desk.get_by_role("dialog")
    expect(dialog.locator("img")).to_be_visible()
    expect(dialog).to_contain_text("不是 https")


def test_refused_picture_keeps_trying_and_says_so(desk: Page, server: Served) -> None:
    """A media node that restarts must not need the operator's hand."""
    expect(desk.get_by_text("画面中断，正在自动重连")).to_be_visible()
    wait_until(lambda: len(server.state.sent("POST", "/session")) >= 2)


def test_change_from_elsewhere_is_shown_at_once(desk: Page, server: Served) -> None:
    """The roster is live."""
    (found,) = server.state.consultations.values()
    hall = next(one for one in found["participants"] if one["name"] == "省生态环境厅")
    hall["state"] = "joined"
    server.emit("participant.updated", consultation_id=found["id"])
    expect(row(desk, "省生态环境厅")).to_contain_text("已入会")


def test_second_window_takes_the_place_and_the_first_says_so(desk: Page) -> None:
    """One member, one session: two windows must not take it from each other for ever."""
    second = desk.context.new_page()
    second.goto(desk.url)
    expect(desk.get_by_text("已在另一窗口入会")).to_be_visible()
    expect(second.get_by_text("画面中断，正在自动重连")).to_be_visible()
    desk.get_by_role("button", name="重试").click()
    expect(second.get_by_text("已在另一窗口入会")).to_be_visible()


def test_second_stream_is_taken_back_and_locked(server: Served, page: Page) -> None:
    """收回双流令牌 says whose presenting ends; 锁定演示 names one site or none."""
    found = server.state.open_consultation()
    site = found["participants"][0]
    holder = {"participant_id": site["id"], "name": site["name"]}
    server.state.content = {"holder": holder, "queue": [], "locked_to": None}
    page.goto(f"{server.url}/consultations/{found['id']}")
    strip = page.locator(".content-desk")
    expect(strip).to_contain_text(f"辅流：{site['name']}")
    strip.get_by_role("button", name="收回双流令牌").click()
    box = page.locator(".el-message-box")
    expect(box).to_contain_text(f"“{site['name']}”的演示立即停止")
    box.get_by_role("button", name="收回双流令牌").click()
    expect(strip).to_contain_text("无人演示")
    assert len(server.state.sent("POST", "/content/take-back")) == 1
    strip.locator(".el-select").click()
    page.get_by_role("option", name=site["name"]).click()
    expect(strip).to_contain_text(site["name"])
    (sent,) = server.state.sent("PUT", "/content/lock")
    assert sent == {"participant_id": site["id"]}
