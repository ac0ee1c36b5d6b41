"""What a person does on the Drive screen, and what a page is told by hand."""

import json
from typing import Any

from playwright.sync_api import Page, expect

from policy.schema import ControlMode
from tests.actor_process import ROOT
from tests.browser_rig import Site
from tests.browser_visit import go_to

_KEEP_REQUESTS = """async (changes) => {
    const { help } = await import("/static/js/app/store.js");
    let kept;
    help.subscribe((asked) => {
        if (!kept && asked.length) kept = asked.map((one) => ({ ...one, ...changes }));
        if (kept && asked !== kept) help.value = kept;
    });
}"""

RECORDED = json.loads((ROOT / "tests" / "fixtures" / "spacemouse_reports.json").read_text())
PUSH = next(
    case for case in RECORDED if case["name"] == "two reports: silence becomes zero after 250 ms with the dead-man held"
)
PUSHED: list[list[int]] = PUSH["steps"][0]["reports"]
"""The left button, which is the dead-man, with the cap pushed right and twisted."""
NUM_TRIES = 5
"""Of taking a robot while it is in an episode."""
LET_GO = [[3, 0, 0], [1, 0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0]]


def take_control(page: Page, site: Site, robot_id: str) -> None:
    """Open the robot's Drive screen and take its lease in an episode."""
    go_to(page, f"/drive/{robot_id}")
    take_in_episode(page, site, robot_id)


def take_in_episode(page: Page, site: Site, robot_id: str) -> None:
    """Take the lease of the robot that is on the screen; between two episodes there is nothing to drive.

    A policy that succeeds may end its episode just before the lease reaches it: then the next one is tried.
    """
    for _ in range(NUM_TRIES):
        site.witness.wait(f"{robot_id} has begun an episode", lambda: site.witness.is_early(robot_id))
        press_take(page)
        site.witness.wait(f"{robot_id} is held", lambda: not site.witness.is_autonomous(robot_id))
        if site.witness.state(robot_id).episode_id:
            return
        page.get_by_role("button", name="Hand back to the policy").click()
    raise AssertionError(f"{robot_id} was between two episodes {NUM_TRIES} times")


def press_take(page: Page) -> None:
    """Take the lease of the robot that is on the screen."""
    page.get_by_role("button", name="Take control").click()
    is_held(page)


def is_held(page: Page) -> None:
    """The screen says that this page drives."""
    expect(page.get_by_text("You drive.")).to_be_visible()


def push(page: Page) -> None:
    """Hold the dead-man and a direction on the keyboard."""
    page.locator("section.drive").focus()
    page.keyboard.down("j")
    page.keyboard.down("d")


def let_go(page: Page) -> None:
    """Both keys up."""
    page.keyboard.up("d")
    page.keyboard.up("j")


def push_mouse(page: Page) -> None:
    """Let the SpaceMouse go, then hold it as it was recorded."""
    page.evaluate("reports => fakeMouse.hold(reports)", LET_GO)
    expect(page.locator(".device-buttons").first).to_have_text("No button held")
    page.evaluate("reports => fakeMouse.hold(reports)", PUSHED)


def move(page: Page, site: Site, robot_id: str) -> None:
    """Take the robot and push until it says that a person moves it."""
    take_control(page, site, robot_id)
    since = site.witness.num_reports(robot_id)
    push(page)
    site.witness.wait_for_mode(robot_id, ControlMode.CORRECTING, since=since)


def raw_socket(page: Page, path: str, name: str = "raw", ticket: str = "") -> bool:
    """A hand-made socket in the page, kept there under a name; whether it was let in."""
    opened: bool = page.evaluate(
        "async ([name, path, ticket]) => (globalThis[name] = await rawSocket(path, ticket)).isOpen",
        [name, path, ticket],
    )
    return opened


def hear(page: Page, kind: str, name: str = "raw", **fields: object) -> dict[str, Any]:
    """The first message of that kind, with these fields, that the hand-made socket heard or will hear."""
    script = """([name, kind, fields]) => globalThis[name].heard.find((message) =>
        message.type === kind && Object.entries(fields).every(([key, value]) => message[key] === value))"""
    found: dict[str, Any] = page.wait_for_function(script, arg=[name, kind, fields]).json_value()
    return found


def say(page: Page, message: object, name: str = "raw") -> None:
    """Send on the hand-made socket, text as it is."""
    page.evaluate("([name, message]) => globalThis[name].say(message)", [name, message])


def keep_requests(page: Page, **changes: str | int) -> None:
    """Requests of this fleet end with their episode; let this page's first ones stay, with these fields changed."""
    page.evaluate(_KEEP_REQUESTS, changes)
