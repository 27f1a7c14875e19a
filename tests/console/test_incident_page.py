"""事件: from the plan to the order, and the law's clock."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console import situation
from tests.console.conftest import Served


@pytest.fixture
def incident(page: Page, server: Served) -> Page:
    page.goto(f"{server.url}/incidents/{server.state.first}")
    expect(page.locator("h1")).to_contain_text("液氯泄漏")
    return page


def test_header_shows_grade_with_its_criterion_and_the_next_deadline(incident: Page) -> None:
    """The grade without its criterion cannot be checked; the deadline must be in sight."""
    strip = incident.locator("header.strip")
    for words in ("较大", "较大涉险", "判据：重伤 11 ≥ 10", "企业→县 1 小时", "未启动响应"):
        expect(strip).to_contain_text(words)


def test_activation_makes_task_cards_by_state(incident: Page, server: Served) -> None:
    """Grade is not level: the operator chooses tier and level and gives the grounds."""
    incident.get_by_role("button", name="启动响应").click()
    dialog = incident.get_by_role("dialog")
    dialog.get_by_text("四级").click()
    dialog.get_by_role("button", name="启动响应").click()
    expect(incident.locator("article.overdue", has_text="K04")).to_be_visible()
    (sent,) = server.state.sent("POST", "/responses")
    assert (sent["tier"], sent["level"]) == ("province", 4)
    assert "液氯" in sent["grounds"]
    expect(incident.locator("header.strip")).to_contain_text("省四级")


def test_only_the_lines_that_were_accepted_become_orders(incident: Page, server: Served) -> None:
    """The optimiser proposes, the operator decides line by line."""
    server.state.tasks[server.state.first] = situation.tasks()
    incident.keyboard.press("d")
    drawer = incident.locator(".dispatch")
    expect(drawer.locator("article", has_text="演示粤北危化队")).to_be_visible()
    expect(drawer).to_contain_text("2 小时内没有具备该技能的备勤队伍")
    drawer.locator("article", has_text="演示连平企业专职队").locator(".el-checkbox").click()
    drawer.get_by_role("button", name="下达 3 项").click()
    expect(incident.locator(".el-table__row")).to_have_count(2)
    (sent,) = server.state.sent("POST", "/confirm")
    assert len(sent["line_ids"]) == 2
    assert len(sent["material_ids"]) == 1


def test_late_clock_is_not_done_without_an_explanation(incident: Page, server: Served) -> None:
    """迟报 is an offence that is explained, never hidden."""
    late = incident.locator(".left li", has_text="企业→县 1 小时")
    late.get_by_role("button", name="办结").click()
    box = incident.locator(".el-message-box")
    box.get_by_role("button", name="办结").click()
    expect(box).to_contain_text("请写明原因")
    box.locator("textarea").fill("待市领导审签")
    box.get_by_role("button", name="办结").click()
    expect(late).to_contain_text("迟报")
    assert server.state.sent("POST", "/done") == [{"explanation": "待市领导审签"}]


def test_task_is_not_finished_without_evidence(incident: Page, server: Served) -> None:
    """A card's evidence is part of the plan: without it the card stays open."""
    server.state.tasks[server.state.first] = situation.tasks()
    server.emit("task.updated", incident_id=server.state.first)
    card = incident.locator("article", has_text="K02")
    card.get_by_role("button", name="办结").click()
    box = incident.locator(".el-message-box")
    expect(box).to_contain_text("照片2、标绘")
    box.get_by_role("button", name="取消").click()
    assert server.state.sent("PATCH", card_path(server, "K02")) == []


def card_path(server: Served, number: str) -> str:
    """The end of the path under which this card is changed."""
    cards = server.state.tasks[server.state.first]
    return next(card["id"] for card in cards if card["number"] == number)


def test_order_is_stepped_and_a_refusal_asks_for_its_reason(incident: Page, server: Served) -> None:
    """商请 may be declined, with a reason that goes back to the issuer."""
    server.state.tasks[server.state.first] = situation.tasks()
    incident.keyboard.press("d")
    incident.get_by_role("button", name="下达 4 项").click()
    row = incident.locator(".el-table__row", has_text="演示连平企业专职队")
    row.get_by_role("button", name="婉拒").click()
    box = incident.locator(".el-message-box")
    box.locator("textarea").fill("本企业检修值守")
    box.get_by_role("button", name="婉拒").click()
    expect(row).to_contain_text("已婉拒")
    assert server.state.sent("POST", "/decline") == [{"note": "本企业检修值守"}]


def test_timeline_line_that_could_not_be_sent_stays_typed(incident: Page, server: Served) -> None:
    """Nothing typed is lost on a broken line."""
    incident.context.set_offline(True)
    composer = incident.get_by_label("记录一条（Ctrl+Enter 提交）")
    composer.fill("现场风向转为东北")
    composer.press("Control+Enter")
    timeline = incident.get_by_role("region", name="时间线")
    expect(timeline.get_by_text("服务器没有应答")).to_be_visible()
    expect(composer).to_have_value("现场风向转为东北")
    incident.context.set_offline(False)
    composer.press("Control+Enter")
    expect(incident.locator("ol li", has_text="现场风向转为东北")).to_be_visible()
    expect(composer).to_have_value("")


def test_one_click_opens_the_consultation_with_the_chosen_members(
    incident: Page, server: Served
) -> None:
    """The proposal is a proposal: who is unticked is not called."""
    incident.keyboard.press("c")
    dialog = incident.get_by_role("dialog")
    expect(dialog).to_contain_text("未注册")
    dialog.locator("li", has_text="清远市应急管理局").locator(".el-checkbox").click()
    dialog.get_by_placeholder("号码或 sip 地址").fill("80021")
    dialog.get_by_role("button", name="加入").click()
    dialog.get_by_role("button", name="立即开会").click()
    incident.wait_for_url("**/consultations/*")
    (sent,) = server.state.sent("POST", "/consultations")
    assert [member["kind"] for member in sent["members"]] == ["site", "camera", "team", "telephone"]
    assert sent["members"][-1]["number"] == "80021"
