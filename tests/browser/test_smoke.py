"""Every screen comes up for everybody who may see it, without an error and without asking another server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from infra import console_link
from tests.browser_rig import ROBOTS, Site, empty_site, screens
from tests.browser_visit import Visits, go_to, is_arrived, visiting
from tests.browser_witness import DEADLINE_S
from tests.corrections_rig import ticking

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def empty(chromium: Browser, site: Site, tmp_path: Path) -> Iterator[Visits]:
    """Visits to the console of a fleet that has nothing yet."""
    with empty_site(site, tmp_path) as other, visiting(chromium, other) as made:
        yield made


def test_the_one_time_link_signs_in_once(visits: Visits, site: Site) -> None:
    link = console_link.new_link(site.home)
    page = visits.context().new_page()
    page.goto(link)
    is_arrived(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue")
    assert "key=" not in page.url
    late = visits.context().new_page()
    late.goto(link)
    expect(late.get_by_text("This link was used already")).to_be_visible()
    visits.forgive("403")


def test_a_stranger_is_asked_for_a_name(visits: Visits) -> None:
    page = visits.context().new_page()
    page.goto("/weights")
    expect(page.get_by_label("Name")).to_be_visible()
    page.get_by_label("Name").fill("ola")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Name or password is wrong.")).to_be_visible()
    visits.forgive("401")


def test_every_screen_loads_and_asks_nobody_else(visits: Visits, site: Site) -> None:
    page = visits.page("ada", "/queue")
    for path in screens(site):
        go_to(page, path)
        expect(page.locator("#main")).not_to_contain_text("could not be shown")
        assert not visits.problems, (path, visits.problems)


def test_every_screen_is_reached_without_a_reload(visits: Visits) -> None:
    page = visits.page("ada", "/queue")
    page.evaluate("globalThis.isSamePage = true")
    for name in ("Wall", "Check", "Episodes", "Learning", "Weights", "Fleet", "Settings", "Queue"):
        page.get_by_role("navigation", name="Screens").get_by_role("link", name=name, exact=False).first.click()
        expect(page.get_by_role("navigation", name="Screens").locator("[aria-current=page]")).to_contain_text(name)
        expect(page.locator("#main h1").first).to_be_visible()
    assert page.evaluate("globalThis.isSamePage")


def test_a_picture_that_is_not_stored_yet_is_asked_for_again(visits: Visits, site: Site) -> None:
    page = visits.page("ada", "/queue")
    num_asked = 0

    def late(route: Route) -> None:
        nonlocal num_asked
        num_asked += 1
        if num_asked <= 2:  # as the console answers before they are there
            route.fulfill(status=204)
        else:
            route.continue_()

    page.route("**/thumb?which=*", late)
    go_to(page, "/episodes")
    again = page.locator(".thumb[src*='try=']")
    site.witness.wait("a picture came", lambda: again.evaluate_all("all => all.some(one => one.naturalWidth > 0)"))
    page.unroute_all(behavior="ignoreErrors")


def test_a_fleet_without_robots_says_what_to_do(empty: Visits) -> None:
    page = empty.page("ada", "/queue")
    expect(page.get_by_role("heading", name="No robots yet")).to_be_visible()
    expect(page.get_by_text("touchline up", exact=True)).to_be_visible()
    for path in ("/wall", "/device-check", "/episodes", "/learning", "/weights", "/fleet", "/settings"):
        go_to(page, path)
        expect(page.locator("#main")).not_to_contain_text("could not be shown")
        assert not empty.problems, (path, empty.problems)


def test_a_viewer_sees_everything_and_controls_nothing(visits: Visits) -> None:
    page = visits.page("vera", f"/drive/{ROBOTS[1]}")
    expect(page.get_by_text("Your role lets you watch and stop, not drive.")).to_be_visible()
    expect(page.get_by_role("button", name="Take control")).to_have_count(0)
    expect(page.get_by_role("button", name="Success")).to_be_disabled()
    expect(page.locator(".stop-button")).to_be_enabled()
    go_to(page, "/queue")
    expect(page.get_by_text("answering needs the role operator")).to_be_visible()
    expect(page.get_by_role("button", name="Take over")).to_have_count(0)
    go_to(page, "/weights")
    expect(page.get_by_role("button", name="Freeze promotions")).to_have_count(0)
    go_to(page, "/settings?section=people")
    expect(page.get_by_role("button", name="Add")).to_have_count(0)


def test_hostile_names_are_text(visits: Visits, site: Site) -> None:
    """A robot's name, and what somebody typed about an episode, reach the page as they are, and run nothing."""

    def ran(dialog: Dialog) -> None:
        visits.problems.append("a script ran")
        dialog.dismiss()

    url = site.fleet.environ["TOUCHLINE_OPERATOR__URL"].replace("/operator", "/robot")
    with ticking(url, HOSTILE, token=site.token):
        page = visits.page("ola")
        page.on("dialog", ran)
        for path in ("/wall", "/fleet"):
            go_to(page, path)
            expect(page.locator("#main").get_by_text(HOSTILE).first).to_be_visible(timeout=DEADLINE_S * 1000)
        episode = site.newest_episode()
        said = page.evaluate(
            "([id, reason]) => call('POST', `/api/episodes/${id}/labels`, {outcome: 'failure', reason, progress: 0})",
            [episode, HOSTILE],
        )
        assert said["status"] == 200, said
        go_to(page, f"/episodes/{episode}")
        shows_reason(page)


def shows_reason(page: Page) -> None:
    """The label travels through Kafka into the lake and back; the page asks again by being opened again."""
    reason = page.locator("#main").get_by_text(HOSTILE).first
    for _ in range(20):
        go_to(page, page.url)
        page.wait_for_load_state("networkidle")
        if reason.count():
            return
    raise AssertionError("the reason of the label is not on the page")
