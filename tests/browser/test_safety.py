"""A robot moves only while a person at a page that works holds it: judged by what robots say and record themselves."""

import contextlib
from collections.abc import Callable

import pytest
from playwright.sync_api import Error, Page, expect

from actor.asking import HelpConfig
from corrections.intervention import SafetyConfig
from infra.topics import STEPS
from policy.schema import ControlMode
from tests.browser.driving import (
    hear,
    is_held,
    let_go,
    move,
    press_take,
    push,
    push_mouse,
    raw_socket,
    say,
    take_control,
    take_in_episode,
)
from tests.browser_rig import PEOPLE, ROBOTS, Site
from tests.browser_visit import Visits, go_to, is_arrived

ROBOT = ROBOTS[1]
SECTIONS = ("Queue", "Wall", "Check", "Episodes", "Learning", "Weights", "Fleet", "Settings")
SKEW = """(() => {
  const shift = SHIFT;
  const [dateNow, origin] = [Date.now.bind(Date), performance.timeOrigin];
  Date.now = () => dateNow() + shift;
  Object.defineProperty(performance, "timeOrigin", { get: () => origin + shift });
})();
"""
WAITING_WORKERS = """(() => {
  const post = Worker.prototype.postMessage;
  const early = [];
  Worker.prototype.postMessage = function (...parts) {
    early.push([this, parts]);
  };
  globalThis.startWorkers = () => {
    Worker.prototype.postMessage = post;
    for (const [worker, parts] of early) post.apply(worker, parts);
  };
})();
"""
"""Nothing reaches a worker before its clock is wrong too."""


def hide(page: Page) -> None:
    page.evaluate("""() => {
        Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
        document.dispatchEvent(new Event("visibilitychange"));
    }""")


def blur(page: Page) -> None:
    page.evaluate("window.dispatchEvent(new Event('blur'))")


def freeze(page: Page) -> None:
    page.evaluate("document.dispatchEvent(new Event('freeze'))")


def hang(page: Page) -> None:
    page.evaluate("""() => void setTimeout(() => {
        const end = performance.now() + 5000;
        while (performance.now() < end);
    }, 0)""")


@pytest.mark.parametrize("leave", [hide, blur, freeze, hang])
def test_a_page_that_nobody_can_use_moves_nothing(visits: Visits, site: Site, leave: Callable[[Page], None]) -> None:
    page = visits.page("ola")
    move(page, site, ROBOT)
    leave(page)
    site.witness.wait_for_rest(ROBOT)
    stays_still(site)


def test_a_page_that_dies_leaves_a_robot_that_holds_and_asks_for_a_person(visits: Visits, site: Site) -> None:
    page = visits.page("ola")
    move(page, site, ROBOT)
    since = site.witness.num_reports(ROBOT)
    with contextlib.suppress(Error):
        page.goto("chrome://crash")
    site.witness.wait_for_mode(ROBOT, ControlMode.PAUSED, since=since)
    site.witness.wait_for_mode(ROBOT, ControlMode.LOST, since=since)
    site.witness.wait("the robot asks", lambda: asks_because(site, "lost"))
    stays_still(site)


def test_of_two_pages_the_second_cannot_move_it(visits: Visits, site: Site) -> None:
    first, second = visits.page("ola"), visits.page("omar")
    move(first, site, ROBOT)
    epoch = site.witness.state(ROBOT).lease_epoch
    go_to(second, f"/drive/{ROBOT}")
    expect(second.get_by_text("ola drives this robot.")).to_be_visible()
    push(second)
    let_go(first)
    site.witness.wait_for_rest(ROBOT)
    raw_socket(second, "/ws/control")
    hear(second, "roster")
    second.wait_for_function("robot => raw.clocks.has(robot)", arg=ROBOT)
    second.evaluate("([robot, epoch]) => raw.command(robot, epoch, 1e9)", [ROBOT, epoch])
    stays_still(site)
    since = site.witness.num_reports(ROBOT)
    push(first)
    site.witness.wait_for_mode(ROBOT, ControlMode.CORRECTING, since=since)
    assert {state.lease_epoch for state in site.witness.reports(ROBOT, since)} == {epoch}


def test_a_stale_epoch_moves_nothing(visits: Visits, site: Site) -> None:
    page = visits.page("ola", "/settings")
    raw_socket(page, "/ws/control")
    old = lease_by_hand(page)
    say(page, {"type": "release", "robot_id": ROBOT, "lease_epoch": old})
    new = lease_by_hand(page, after=old)
    page.wait_for_function("robot => raw.clocks.has(robot)", arg=ROBOT)
    repeat = """([robot, epoch]) => {
        let seq = 0;
        globalThis.timer = setInterval(() => raw.command(robot, epoch, seq++), 20);
    }"""
    since = site.witness.num_reports(ROBOT)
    page.evaluate(repeat, [ROBOT, old])
    site.witness.hear_more(ROBOT)
    assert ControlMode.CORRECTING not in site.witness.modes(ROBOT, since)
    page.evaluate("clearInterval(timer)")
    page.evaluate(repeat, [ROBOT, new])
    site.witness.wait_for_mode(ROBOT, ControlMode.CORRECTING, since=since)


def test_stop_is_one_key_or_one_button_away_on_every_screen(visits: Visits, site: Site) -> None:
    page = visits.page("ola")
    for number, name in enumerate(SECTIONS):
        go_to(page, f"/drive/{ROBOT}")
        press_take(page)
        since = site.witness.num_reports(ROBOT)
        page.get_by_role("navigation", name="Screens").get_by_role("link", name=name).last.click()
        expect(page.locator("#main h1").first).to_be_visible()
        button = page.locator(".top-stop")
        expect(button).to_contain_text(ROBOT)
        if number % 2:
            page.keyboard.press("Control+Period")
        else:
            button.click()
        site.witness.wait_for_mode(ROBOT, ControlMode.STOPPED, since=since)
        site.witness.set_free([ROBOT])


@pytest.mark.parametrize("person", ["vera", "ola"])
def test_space_on_drive_stops_a_robot_that_nobody_holds(visits: Visits, site: Site, person: str) -> None:
    page = visits.page(person, f"/drive/{ROBOT}")
    since = site.witness.num_reports(ROBOT)
    page.locator("section.drive").focus()
    page.keyboard.press("Space")
    site.witness.wait_for_mode(ROBOT, ControlMode.STOPPED, since=since)
    expect(page.get_by_text("Stopped").first).to_be_visible()


def test_stop_works_while_pictures_fill_the_line(visits: Visits, site: Site) -> None:
    page = visits.page("ola")
    move(page, site, ROBOT)
    views = [{"robot_id": robot, "camera": 0, "fps": 30, "width": 0} for robot in ROBOTS * 8]
    raw_socket(page, "/ws/pictures")
    page.evaluate("setInterval(() => raw.say({ type: 'credit', n: 64 }), 10)")
    say(page, {"type": "watch", "views": views})
    page.wait_for_function("() => raw.numPictures > 100")
    since = site.witness.num_reports(ROBOT)
    page.keyboard.press("Space")
    site.witness.wait_for_mode(ROBOT, ControlMode.STOPPED, since=since)
    stays_still(site)


def test_a_spacemouse_that_is_unplugged_moves_nothing(visits: Visits, site: Site) -> None:
    page = visits.page("ola")
    take_control(page, site, ROBOT)
    page.evaluate("fakeMouse.plug()")
    since = site.witness.num_reports(ROBOT)
    push_mouse(page)
    site.witness.wait_for_mode(ROBOT, ControlMode.CORRECTING, since=since)
    page.evaluate("fakeMouse.unplug()")
    site.witness.wait_for_rest(ROBOT)
    expect(page.get_by_role("button", name="Go on without it")).to_be_visible()
    stays_still(site)


def test_a_gamepad_drives(visits: Visits, site: Site) -> None:
    page = visits.page("ola")
    take_control(page, site, ROBOT)
    pad = """dead_man => { globalThis.fakePad = { index: 0, id: "Pad", connected: true, mapping: "standard",
        axes: [1, 0, 0, 0], buttons: Array.from({ length: 17 }, (_, i) => ({ pressed: dead_man && i === 5 })) } }"""
    page.evaluate(pad, False)
    expect(page.get_by_text("Pad, keyboard").first).to_be_visible()
    since = site.witness.num_reports(ROBOT)
    page.evaluate(pad, True)
    site.witness.wait_for_mode(ROBOT, ControlMode.CORRECTING, since=since)
    page.evaluate(pad, False)
    site.witness.wait_for_rest(ROBOT)


@pytest.mark.parametrize("shift_ms", [-5000, 5000])
def test_a_browsers_wrong_clock_does_no_harm(visits: Visits, site: Site, shift_ms: int) -> None:
    """Page and workers are wrong alike, as on a machine whose clock is."""
    skew = SKEW.replace("SHIFT", str(shift_ms))
    page = visits.page("ola")
    page.add_init_script(skew + WAITING_WORKERS)
    with (
        page.expect_worker(lambda one: "control" in one.url) as control,
        page.expect_worker(lambda one: "pictures" in one.url) as pictures,
    ):
        page.goto(f"/drive/{ROBOT}")
    for worker in (control.value, pictures.value):
        worker.evaluate(skew)
    page.evaluate("startWorkers()")
    is_arrived(page)
    take_in_episode(page, site, ROBOT)
    since = site.witness.num_reports(ROBOT)
    push(page)
    site.witness.wait_for_mode(ROBOT, ControlMode.CORRECTING, since=since)
    moved = [one for one in site.witness.reports(ROBOT, since) if one.mode is ControlMode.CORRECTING]
    assert max(state.command_delay_ms for state in moved) <= bound_ms()
    let_go(page)
    site.witness.wait_for_rest(ROBOT)
    is_held(page)


def test_robots_recorded_no_motion_but_what_fresh_commands_of_people_asked_for(site: Site) -> None:
    """All of the above, from the lake: the bound is the robot's own, and its records keep it."""
    site.fleet.wait("corrections reach the lake", lambda: site.fleet.watch.interventions)
    columns = ["control_mode", "executed_action", "operator_id", "command_delay_ms"]
    rows = site.fleet.lake.read(STEPS, columns, "control_mode != 'autonomous' AND source = 'rollout'").to_pylist()
    still = [row for row in rows if row["control_mode"] != ControlMode.CORRECTING]
    assert still
    assert all(not any(row["executed_action"]) for row in still)
    moved = [row for row in rows if row["control_mode"] == ControlMode.CORRECTING]
    assert moved
    assert {row["operator_id"] for row in moved} <= set(PEOPLE)
    assert max(row["command_delay_ms"] for row in moved) <= bound_ms()


def bound_ms() -> float:
    """Age of a command at which the robot holds: the oldest that it takes, kept for as long as it may be, by a tick
    that takes no longer than one may.
    """
    limits = SafetyConfig()
    return limits.max_command_age_ms + limits.hold_after_ms + HelpConfig().late_tick_s * 1000


def stays_still(site: Site) -> None:
    since = site.witness.num_reports(ROBOT)
    site.witness.hear_more(ROBOT)
    assert ControlMode.CORRECTING not in site.witness.modes(ROBOT, since)


def asks_because(site: Site, trigger: str) -> bool:
    request = site.witness.request_of(ROBOT)
    return request is not None and request.trigger == trigger


def lease_by_hand(page: Page, after: int = 0) -> int:
    say(page, {"type": "acquire", "robot_id": ROBOT, "ask": False, "force": False, "reason": ""})
    script = """([robot, after]) => raw.heard.find((message) =>
        message.type === "lease" && message.robot_id === robot && message.is_yours && message.epoch > after)?.epoch"""
    epoch: int = page.wait_for_function(script, arg=[ROBOT, after]).json_value()
    return epoch
