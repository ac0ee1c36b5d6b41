"""The fleet's page: several robots at once, how each is set, and what its process logs."""

import re

from playwright.sync_api import Page, expect

from policy.schema import ControlMode
from tests.browser.driving import let_go, push, take_control
from tests.browser_rig import ROBOTS, Site
from tests.browser_visit import Visits, go_to

CHOSEN = ROBOTS[:2]


def test_several_robots_are_stopped_and_cleared_at_once(visits: Visits, site: Site) -> None:
    page = visits.page("edda", "/fleet")
    for robot in CHOSEN:
        page.get_by_label(f"Choose {robot}").check()
    page.get_by_role("button", name="Stop 2 robots").click()
    for robot in CHOSEN:
        expect(page.get_by_role("dialog").get_by_text(robot, exact=True)).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Stop 2 robots").click()
    became(page, "stopped")
    site.witness.wait("both say so", lambda: all(is_stopped(site, robot) for robot in CHOSEN))
    assert not is_stopped(site, ROBOTS[2]), "nobody asked that of the others"
    page.get_by_role("combobox", name="Show").select_option("stopped")
    page.get_by_label("Choose all shown").check()
    page.get_by_role("button", name="Clear the stop of 2 robots").click()
    page.get_by_label("Reason, for the log").fill("looked at both")
    page.get_by_role("button", name="Continue").click()
    deed = page.get_by_role("dialog").get_by_role("button", name="Clear the stop of 2 robots")
    expect(deed).to_be_disabled()
    page.get_by_label("Type 2 to confirm").fill("2")
    deed.click()
    became(page, "cleared, now ")
    site.witness.wait("both work again", lambda: all(site.witness.is_working(robot) for robot in CHOSEN))


def test_words_to_several_robots_and_who_may_not(visits: Visits, site: Site) -> None:
    page = visits.page("ola", "/fleet")
    page.get_by_label("Choose all shown").check()
    site.witness.wait("all work", lambda: all(site.witness.is_working(robot) for robot in ROBOTS))
    page.get_by_role("button", name="Instruct 4 robots").click()
    page.get_by_label("Instruction", exact=True).fill("insert the plug into the red socket")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Type 4 to confirm").fill("4")
    page.get_by_role("dialog").get_by_role("button", name="Instruct 4 robots").click()
    results = page.locator(".bulk-results li")
    expect(results).to_have_count(len(ROBOTS))
    expect(page.locator(".bulk-results li.is-done").first).to_contain_text("told")
    watcher = visits.page("vera", "/fleet")
    watcher.get_by_label(f"Choose {CHOSEN[0]}").check()
    expect(watcher.get_by_role("button", name="Instruct 1 robot")).to_be_disabled()
    expect(watcher.get_by_role("button", name="Clear the stop of 1 robot")).to_be_disabled()
    expect(watcher.get_by_role("button", name="Stop 1 robot")).to_be_enabled()


def test_a_robots_page_has_its_settings_and_its_log(visits: Visits, site: Site) -> None:
    page = visits.page("vera", "/fleet")
    expect(page.get_by_role("row", name=ROBOTS[0]).locator("code")).to_have_text(re.compile("^[0-9a-f]{8}$"))
    go_to(page, f"/fleet/{ROBOTS[0]}")
    expect(page.get_by_text("as 4 of 4 of its kind")).to_be_visible()
    expect(page.get_by_role("heading", name="Log of actor-0")).to_be_visible()
    log = page.get_by_label("Log lines, oldest first")
    expect(log).to_contain_text("started")
    page.get_by_role("combobox", name="From").select_option("error")
    expect(log).to_have_count(0)


def test_a_push_is_meant_in_the_frame_that_was_chosen(visits: Visits, site: Site) -> None:
    robot = ROBOTS[1]
    page = visits.page("ola")
    take_control(page, site, robot)
    for frame in ("Tool", "Camera"):
        page.get_by_role("button", name=frame, exact=True).click()
        expect(page.get_by_role("button", name=frame, exact=True)).to_have_attribute("aria-pressed", "true")
    since = site.witness.num_reports(robot)
    push(page)
    site.witness.wait_for_mode(robot, ControlMode.CORRECTING, since=since)
    let_go(page)
    page.locator("section.drive").focus()
    page.keyboard.press("h")
    site.witness.wait("the policy goes on", lambda: site.witness.is_working(robot))


def became(page: Page, words: str) -> None:
    """Each chosen robot's own report shows it."""
    for robot in CHOSEN:
        result = page.locator(".bulk-results li", has_text=robot)
        expect(result).to_have_class("is-done")
        expect(result).to_contain_text(words)


def is_stopped(site: Site, robot: str) -> bool:
    return site.witness.state(robot).mode is ControlMode.STOPPED
