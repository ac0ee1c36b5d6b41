"""What a page must not say, said from a page of somebody who is signed in: a clear answer, and robots never notice."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from console.sockets.door import MAX_FRAME_BYTES, MAX_MALFORMED
from corrections.protocol import MAX_OPERATOR_BYTES
from policy.schema import ControlMode
from tests.browser.driving import hear, raw_socket, say
from tests.browser_rig import ROBOTS, Site
from tests.browser_visit import Visits

ROBOT = ROBOTS[1]
UNREADABLE = {
    "not JSON": "JSON",
    "[]": "object",
    '{"type": "nonsense"}': "unknown type",
    '{"type": "acquire"}': "robot_id",
    '{"type": "operator_hello", "operator_id": "the boss"}': "the console says this",
    "x" * (MAX_OPERATOR_BYTES + 1): "too long",
}
"""Text, and a word of the answer."""


@pytest.fixture(autouse=True)
def robots_never_notice(site: Site) -> Iterator[None]:
    """Whatever was said: nobody held a robot, and the policy went on."""
    since = site.witness.num_reports(ROBOT)
    yield
    site.witness.hear_more(ROBOT)
    assert site.witness.modes(ROBOT, since) == {ControlMode.AUTONOMOUS}


def test_forged_and_used_tickets_open_nothing(visits: Visits) -> None:
    page = visits.page("ola", "/settings")
    ticket = page.evaluate("async () => (await (await call('POST', '/api/tickets', {})).body).ticket")
    assert not raw_socket(page, "/ws/control", ticket="forged")
    assert raw_socket(page, "/ws/control", ticket=ticket)
    assert not raw_socket(page, "/ws/pictures", name="again", ticket=ticket)
    visits.forgive("WebSocket connection")


def test_what_cannot_be_read_is_answered_and_the_line_stays(visits: Visits) -> None:
    page = visits.page("ola", "/settings")
    raw_socket(page, "/ws/control")
    hear(page, "roster")
    for number, (said, words) in enumerate(UNREADABLE.items(), start=1):
        page.evaluate("() => (raw.heard.length = 0)")
        say(page, said)
        assert words in hear(page, "refused")["reason"]
        say(page, {"type": "ping", "id": number})
        hear(page, "pong", id=number)


def test_who_goes_on_like_that_is_hung_up_on_in_words(visits: Visits) -> None:
    page = visits.page("ola", "/settings")
    raw_socket(page, "/ws/control")
    for _ in range(MAX_MALFORMED):
        say(page, "not JSON")
    assert closed(page) == {"code": 1008, "reason": "too many messages that cannot be read"}


def test_a_message_beyond_all_measure_is_not_even_read(visits: Visits) -> None:
    page = visits.page("ola", "/settings")
    raw_socket(page, "/ws/control")
    page.evaluate("size => raw.say('x'.repeat(size))", MAX_FRAME_BYTES + 1)
    # The message may still be on its way while the server closes: then the browser hears no code.
    assert closed(page)["code"] in (1009, 1006)


def test_a_viewers_socket_cannot_drive_or_judge(visits: Visits, site: Site) -> None:
    page = visits.page("vera", "/settings")
    raw_socket(page, "/ws/control")
    hear(page, "roster")
    say(page, {"type": "acquire", "robot_id": ROBOT, "ask": False, "force": True, "reason": "I want it"})
    assert "needs the role engineer; you are viewer" in hear(page, "refused", request="acquire")["reason"]
    label = {"type": "label", "episode_id": site.newest_episode(), "outcome": "success", "reason": "", "progress": 0}
    say(page, label)
    assert "needs the role operator" in hear(page, "refused", request="label")["reason"]


@pytest.mark.parametrize(
    ("person", "path", "body"),
    [
        ("vera", "/api/episodes/some/labels", {"outcome": "success", "reason": "", "progress": 0}),
        ("ola", "/api/weights/promote", {"version": "1", "reason": "because"}),
        ("ola", "/api/weights/rollback", {"version": None, "reason": "because", "dry_run": False}),
        ("edda", "/api/users", {"name": "eve", "password": "a long password", "role": "admin"}),
    ],
)
def test_a_role_that_may_not_is_told_so(visits: Visits, person: str, path: str, body: object) -> None:
    page = visits.page(person, "/settings")
    answer = page.evaluate("([path, body]) => call('POST', path, body)", [path, body])
    assert answer["status"] == 403
    assert "role" in answer["body"]["error"]
    visits.forgive("403")


def test_another_sites_script_has_no_token(visits: Visits) -> None:
    """A request that carries the cookie alone, as a foreign page's would."""
    page = visits.page("ada", "/settings")
    forged = (
        "() => call('POST', '/api/weights/freeze', { reason: 'x', expires_s: 60 }, { 'X-Touchline-CSRF': 'guess' })"
    )
    assert page.evaluate(forged)["status"] == 403
    visits.forgive("403")


def closed(page: Page) -> dict[str, object]:
    """How the server ended the hand-made socket."""
    found: dict[str, object] = page.wait_for_function("() => raw.closed").json_value()
    return found
