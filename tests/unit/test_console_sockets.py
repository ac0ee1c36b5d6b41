"""What leaves next on a browser's socket, and which messages a page may send."""

import asyncio
import io
import json

import pytest
from PIL import Image

from console.people.roles import Role
from console.sockets import views
from console.sockets.browser import MAX_CONTROL, Browser, TooSlow
from console.sockets.gallery import MAX_IN_FLIGHT, Gallery
from console.sockets.permissions import LEAST_ROLE, NOT_FOR_BROWSERS, least_role
from console.sockets.resize import resized
from console.sockets.views import Credit, View, Views
from corrections import operator_messages as messages
from corrections.frames import Frame
from corrections.protocol import ClearStop
from policy.errors import WireError


class SlowSocket:
    """A page that takes a message only when it is let."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.may_send = asyncio.Event()

    async def send_text(self, text: str) -> None:
        await self.may_send.wait()
        self.sent.append(text)


def reports(**steps: int) -> str:
    states = [{"robot_id": robot_id, "step_index": step} for robot_id, step in steps.items()]
    return json.dumps({"type": "reports", "states": states}, separators=(",", ":"))


def picture(width: int = 4, height: int = 2, sequence: int = 0) -> Frame:
    out = io.BytesIO()
    Image.new("RGB", (width, height)).save(out, "JPEG")
    return Frame(view=0, camera=0, sequence=sequence, capture_ns=1, jpeg=out.getvalue())


def view(robot_id: str = "r1", *, fps: float = 10.0, camera: int = 0) -> View:
    return View(robot_id=robot_id, camera=camera, fps=fps, width=0)


async def drained(socket: SlowSocket, browser: Browser, num_messages: int) -> list[str]:
    socket.may_send.set()
    writing = asyncio.create_task(browser.write())
    while len(socket.sent) < num_messages:
        await asyncio.sleep(0)
    writing.cancel()
    return socket.sent


def test_reports_pass_untouched_to_who_keeps_up() -> None:
    async def scenario() -> None:
        socket = SlowSocket()
        browser = Browser(socket)  # type: ignore[arg-type]
        text = '{"type":"reports","states":[{"robot_id":"r1","x":1.10}]}'
        browser.pass_on(text)
        assert await drained(socket, browser, 1) == [text]

    asyncio.run(scenario())


def test_a_page_that_sleeps_gets_the_newest_report_of_each_robot_and_every_lease() -> None:
    async def scenario() -> None:
        socket = SlowSocket()
        browser = Browser(socket)  # type: ignore[arg-type]
        for step in range(10_000):
            browser.pass_on(reports(**{f"r{step % 3}": step}))
        leases = [f'{{"type":"lease","epoch":{number}}}' for number in range(3)]
        for lease in leases:
            browser.pass_on(lease)
        sent = await drained(socket, browser, 4)
        assert sent[:3] == leases
        assert {s["robot_id"]: s["step_index"] for s in json.loads(sent[3])["states"]} == {
            "r0": 9999,
            "r1": 9997,
            "r2": 9998,
        }
        assert browser.num_replaced == 9_999

    asyncio.run(scenario())


def test_a_page_that_never_reads_is_hung_up_on_before_memory_grows() -> None:
    async def scenario() -> None:
        browser = Browser(SlowSocket())  # type: ignore[arg-type]
        for number in range(10 * MAX_CONTROL):
            browser.pass_on(f'{{"type":"lease","epoch":{number}}}')
            browser.refuse("command", "no", f"r{number}")
        assert len(browser._control) == MAX_CONTROL
        assert len(browser._newest) <= MAX_CONTROL
        with pytest.raises(TooSlow):
            await browser.write()

    asyncio.run(scenario())


def test_every_message_of_an_operator_has_a_role_or_is_no_page_s() -> None:
    assert set(LEAST_ROLE) | NOT_FOR_BROWSERS == set(messages.FROM_OPERATOR)
    assert not set(LEAST_ROLE) & NOT_FOR_BROWSERS
    assert LEAST_ROLE["stop"] is Role.VIEWER
    assert least_role(messages.Acquire(robot_id="r1")) is Role.OPERATOR
    assert least_role(messages.Acquire(robot_id="r1", force=True, reason="gone home")) is Role.ENGINEER


def test_a_stop_is_cleared_by_an_engineer_unless_the_robot_is_simulated() -> None:
    clear = ClearStop(robot_id="r1", confirm="r1", reason="looked")
    assert least_role(clear, {"r2"}) is Role.ENGINEER
    assert least_role(clear, {"r1", "r2"}) is Role.OPERATOR


def test_two_pictures_of_a_view_are_on_their_way_at_most() -> None:
    gallery = Gallery()
    gallery.show([view("r1"), view("r2")])
    now_s, sent = 0.0, []
    for number in range(100):
        now_s += 1.0
        gallery.put(0, picture(sequence=number))
        if (taken := gallery.take(now_s)) is not None:
            sent.append(taken[1].sequence)
    assert sent == [0, 1]
    assert gallery.num_dropped == 100 - MAX_IN_FLIGHT - 1
    assert gallery.wait_s(now_s) is None
    gallery.put(1, picture(sequence=7))
    taken = gallery.take(now_s)
    assert taken is not None
    assert (taken[1].view, taken[1].sequence) == (1, 7), "one view's silence is not the other's"
    gallery.credit(1)
    taken = gallery.take(now_s)
    assert taken is not None
    assert taken[1].sequence == 99, "the newest, not the oldest"
    gallery.credit(1000)
    assert gallery.take(now_s) is None


def test_a_view_is_no_faster_than_asked_and_a_hidden_one_is_still() -> None:
    gallery = Gallery()
    gallery.show([view("r1", fps=10), view("r2", fps=0)])
    num_sent = 0
    for tick in range(1000):
        gallery.put(0, picture())
        gallery.put(1, picture())
        if gallery.take(tick / 100) is not None:
            num_sent += 1
            gallery.credit(1)
    assert 99 <= num_sent <= 101


def test_views_that_stay_keep_their_credits_and_late_credits_do_no_harm() -> None:
    gallery = Gallery()
    gallery.show([view("r1"), view("r2")])
    for now_s in (1.0, 2.0):
        gallery.put(0, picture())
        gallery.take(now_s)
    gallery.show([view("r3"), view("r1")])
    gallery.put(1, picture())
    assert gallery.take(3.0) is None
    gallery.credit(1)
    taken = gallery.take(3.0)
    assert taken is not None
    assert taken[1].view == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"type":"credit","n":0}',
        '{"type":"credit","n":true}',
        '{"type":"watch","views":{}}',
        '{"type":"watch","views":[{"robot_id":"r1"}]}',
        '{"type":"watch","views":[{"robot_id":"","camera":0}]}',
        '{"type":"watch","views":[{"robot_id":"r1","camera":true}]}',
        '{"type":"watch","views":[{"robot_id":"r1","camera":0,"fps":NaN}]}',
        '{"type":"watch","views":[{"robot_id":"r1","camera":0,"fps":1e9}]}',
        '{"type":"watch","views":[{"robot_id":"r1","camera":0,"width":-1}]}',
        '{"type":"watch","views":[' + ",".join(['{"robot_id":"r1","camera":0}'] * 33) + "]}",
        "[" * 10_000,
    ],
)
def test_what_is_no_message_of_the_pictures_socket_is_refused_in_words(text: str) -> None:
    with pytest.raises(WireError):
        views.read(text)


def test_views_and_credits_are_read() -> None:
    assert views.read('{"type":"credit","n":2}') == Credit(n=2)
    text = '{"type":"watch","views":[{"robot_id":"r1","camera":"wrist","fps":5,"width":160}]}'
    assert views.read(text) == Views(views=(View(robot_id="r1", camera="wrist", fps=5.0, width=160),))


def test_only_pictures_larger_than_the_view_are_made_smaller() -> None:
    large = picture(640, 480)
    small = asyncio.run(resized(large, 160))
    assert Image.open(io.BytesIO(small.jpeg)).size == (160, 120)
    for width in (0, 640, 1000):
        assert asyncio.run(resized(large, width)) is large
    broken = Frame(view=0, camera=0, sequence=0, capture_ns=0, jpeg=b"no picture")
    assert asyncio.run(resized(broken, 160)) is broken
