"""The dispatch desk's questions (wind, lost and asked teams), and the page of coverage studies."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.console.conftest import Served

ACCIDENT = "翁源演示精细化工有限公司液氯泄漏"
ASKED = "演示连平企业专职队"
LAST = "演示粤北危化队"


def questions(server: Served) -> list[Any]:
    return server.state.sent("POST", "/dispatch-plans")


def choose_wind(page: Page, words: str) -> None:
    page.locator(".wind", has_text=ACCIDENT).locator(".el-select").click()
    page.get_by_role("option", name=words, exact=True).click()


def test_wind_is_asked_about_and_marks_what_leads_through_the_plume(
    page: Page, server: Served
) -> None:
    """The selector sends where the wind comes from; the line says so until the wind is gone."""
    page.goto(f"{server.url}/dispatch?incidents={server.state.first}")
    lines = page.locator("[data-line]")
    expect(lines).to_have_count(3)
    expect(page.locator(".card")).to_contain_text("距最优不超过 0.4%")
    assert questions(server)[0]["plumes"] == []
    choose_wind(page, "东北风")
    marked = lines.filter(has_text="须穿过下风向")
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text(LAST)
    expect(page.locator(".card")).to_have_count(3)
    plume = {"incident_id": server.state.first, "wind_from_deg": 45, "radius_m": 3_000}
    assert questions(server)[-1]["plumes"] == [plume]
    expect(
        page.locator(".wind", has_text=ACCIDENT).get_by_role("button", name="看图")
    ).to_be_visible()
    choose_wind(page, "无烟羽")
    expect(marked).to_have_count(0)
    assert questions(server)[-1]["plumes"] == []


def test_asked_team_says_who_goes_if_it_declines_and_may_be_tried_as_lost(
    page: Page, server: Served
) -> None:
    """商请 with its odds and the next team; what-if asks again without it and back with it."""
    page.goto(f"{server.url}/dispatch?incidents={server.state.first}")
    asked = page.locator("[data-line]", has_text=ASKED)
    expect(asked).to_contain_text("83%会同意")
    expect(asked).to_contain_text("若10分钟后婉拒，改命令演示粤北危化队")
    asked.get_by_role("button", name="假设失去").click()
    expect(asked).to_have_count(0)
    expect(page.locator(".left")).to_contain_text(f"✕ {ASKED}")
    assert len(questions(server)[-1]["lost_team_ids"]) == 1
    page.locator(".left li", has_text=ASKED).get_by_role("button", name="恢复").click()
    expect(asked).to_have_count(1)
    assert questions(server)[-1]["lost_team_ids"] == []


def test_coverage_study_is_shown_followed_and_called_off(page: Page, server: Served) -> None:
    """A box for each share of teams lost, the weak regions, progress as it comes, and the stop."""
    answers = server.state.dispatching
    running = answers.study("汛期粤北力量覆盖", [0, 20], 40)
    answers.study("上月复盘", [0, 10, 20, 30], 100)
    page.goto(f"{server.url}/sweeps")
    studies = page.locator(".study")
    expect(studies).to_have_count(2)
    boxes = page.locator("svg[role=img] rect.box")
    expect(boxes).to_have_count(4)
    expect(page.get_by_role("img", name="首支队伍到场时间")).to_contain_text("黄金时间 60 分钟")
    weak = page.locator(".el-table__row", has_text="东莞市")
    expect(weak).to_contain_text("33.3%")
    studies.filter(has_text="汛期").click()
    expect(boxes).to_have_count(2)
    expect(studies.filter(has_text="汛期")).to_contain_text("80 / 200 次")
    running["made"] = 120
    body = {"id": running["id"], "made": 120, "state": "running"}
    server.emit("sweep.updated", body=body)
    expect(studies.filter(has_text="汛期")).to_contain_text("120 / 200 次")
    page.get_by_role("button", name="停止推演").click()
    expect(studies.filter(has_text="汛期")).to_contain_text("已停止")


def test_new_coverage_study_is_asked_for(page: Page, server: Served) -> None:
    """The form sends what is thrown, and the study stands in the list at once."""
    page.goto(f"{server.url}/sweeps")
    page.locator(".page-head").get_by_role("button", name="新建推演").click()
    form = page.get_by_role("dialog", name="新建推演")
    start = form.get_by_role("button", name="开始推演")
    expect(start).to_be_disabled()
    form.get_by_label("名称").fill("粤东小推演")
    expect(form).to_contain_text("合计 400 次")
    start.click()
    expect(page.locator(".study", has_text="粤东小推演")).to_contain_text("推演中")
    expect(page.locator(".result")).to_contain_text("正在等候首批结果")
    (sent,) = server.state.sent("POST", "/sweeps")
    assert (sent["name"], sent["lost_pct"], sent["draws"]) == ("粤东小推演", [0, 10, 20, 30], 100)
