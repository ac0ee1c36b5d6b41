"""WCAG 2.2 AA as far as a machine can tell, on every screen in both themes; and a shift's work without a mouse.

Every screen is pictured too, for people to look at: TOUCHLINE_SCREENSHOTS names the folder.
"""

import os
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page, expect

from policy.schema import ControlMode
from tests.browser.driving import let_go, push, take_control
from tests.browser_rig import ROBOTS, Site, screens
from tests.browser_visit import AXE, Visits, go_to

ROBOT = ROBOTS[3]
MAX_TABS = 80
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """async tags => (await axe.run(document, { runOnly: tags, resultTypes: ["violations"] })).violations.map(
    ({ id, nodes }) => [id, nodes.slice(0, 3).map((node) => `${node.target.join(" ")}: ${node.failureSummary}`)])"""


def test_every_screen_in_both_themes(visits: Visits, site: Site, tmp_path: Path) -> None:
    folder = Path(os.environ.get("TOUCHLINE_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    page = with_axe(visits, "ada")
    found: dict[str, list[Any]] = {}
    for path in screens(site):
        go_to(page, path)
        page.wait_for_load_state("networkidle")
        expect(page.locator("#main h1").first).not_to_be_empty()
        found |= violations(page, path)
        name, *rest = path.strip("/").split("/")
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=folder / f"{name}{'-one' if rest else ''}-{theme}.png")
    assert not found, found


def test_what_is_open_over_a_screen(visits: Visits, site: Site) -> None:
    page = with_axe(visits, "ada")
    take_control(page, site, ROBOT)
    found = violations(page, "held")
    # axe takes its time, and only an episode that still runs can be judged.
    page.get_by_role("button", name="Hand back to the policy").click()
    take_control(page, site, ROBOT)
    page.keyboard.press("o")
    expect(page.get_by_text(", sent in")).to_be_visible()
    found |= violations(page, "judging")
    page.keyboard.press("u")
    go_to(page, "/weights")
    page.get_by_role("button", name="Freeze promotions").click()
    found |= violations(page, "dialog")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    found |= violations(page, "keys")
    assert not found, found


def test_the_sign_in_page(visits: Visits) -> None:
    page = with_axe(visits, "")
    page.goto("/sign-in")
    found = violations(page, "sign-in")
    assert not found, found


def test_from_the_queue_to_a_label_without_a_mouse(visits: Visits, site: Site) -> None:
    page = visits.page("ola", "/queue")
    site.witness.wait("the robot asks for help", lambda: site.witness.asks_early(ROBOT))
    tab_to(page, ".request-row", ROBOT)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2, name=ROBOT)).to_be_visible()
    tab_to(page, ".answer-take", "Take over")
    since = site.witness.num_reports(ROBOT)
    page.keyboard.press("Enter")
    expect(page.get_by_text("You drive.")).to_be_visible()
    expect(page.locator("section.drive:focus-within")).to_be_visible()
    push(page)
    site.witness.wait_for_mode(ROBOT, ControlMode.CORRECTING, since=since)
    site.witness.hear_more(ROBOT)
    let_go(page)
    page.keyboard.press("h")
    site.witness.wait("the policy goes on", lambda: site.witness.is_working(ROBOT))
    page.keyboard.press("Backspace")
    expect(page.get_by_text("Failure, sent in")).to_be_visible()
    tab_to(page, ".judge-chips .chip", "")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Outcome sent.")).to_be_visible()
    wanted = [state.episode_id for state in site.witness.reports(ROBOT, since) if state.mode is ControlMode.CORRECTING]
    site.fleet.wait(
        "the label reaches the lake",
        lambda: any(row["episode_id"] in wanted and row["author"] == "ola" for row in site.fleet.watch.labels),
    )


def with_axe(visits: Visits, person: str) -> Page:
    """A page that axe may add its styles to, without motion: colours must not change while they are measured."""
    context = visits.context(person, reduced_motion="reduce", bypass_csp=True)
    context.add_init_script(path=AXE)
    return context.new_page()


def violations(page: Page, where: str) -> dict[str, list[Any]]:
    """What axe finds on what is shown, by place and theme."""
    found = {}
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        if failed := page.evaluate(RUN, TAGS):
            found[f"{where} {theme}"] = failed
    return found


def tab_to(page: Page, selector: str, words: str) -> None:
    """Press Tab until the focus is on an element that fits."""
    script = """([selector, words]) => {
        const here = document.activeElement;
        return here.matches(selector) && here.innerText.includes(words);
    }"""
    for _ in range(MAX_TABS):
        if page.evaluate(script, [selector, words]):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no key leads to {selector} {words}")
