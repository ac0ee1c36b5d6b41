"""The browser of `console_browser`: Chromium on the Drive screen, and what is read out of its threads.

The product is not changed for it: the probes are put into the running page and its two workers, around what they
call anyway. A ping of ours takes the way of the product's own, on the same socket.
"""

import contextlib
import dataclasses
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playwright.sync_api import Browser, Page, Worker, expect, sync_playwright

from policy.errors import ConfigError

BIG_VIEW = "drive-big"
PAST_VIEW = "drive-past"
"""Shows nothing until somebody looks back."""
_WAIT_MS = 60_000
_SETTLE_S = 1.5
"""Longer than the second over which a view counts its pictures."""
_NUM_POINTS = 100_000
_PING_MS = 100

_CONTROL_PROBE = """(everyMs) => {
  const send = WebSocket.prototype.send;
  const sent = new Map();
  let socket = null;
  let id = 1_000_000_000;
  let seen = { trips: [], numCommands: 0 };
  const heard = ({ data }) => {
    if (!data.startsWith('{"type":"pong"')) return;
    const { id } = JSON.parse(data);
    if (sent.has(id)) seen.trips.push(performance.now() - sent.get(id));
    sent.delete(id);
  };
  WebSocket.prototype.send = function (data) {
    if (socket !== this) (socket = this).addEventListener("message", heard);
    if (data.startsWith('{"type":"command"')) seen.numCommands += 1;
    send.call(this, data);
  };
  setInterval(() => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    sent.set(++id, performance.now());
    send.call(socket, JSON.stringify({ type: "ping", id }));
  }, everyMs);
  globalThis.taken = () => { const all = seen; seen = { trips: [], numCommands: 0 }; return all; };
}"""
_PICTURES_PROBE = """() => {
  const post = postMessage.bind(globalThis);
  const draw = OffscreenCanvasRenderingContext2D.prototype.drawImage;
  let isOn = true;
  let ages = [];
  // Without pictures nothing is drawn, and no age of an old one slows the commands down.
  globalThis.postMessage = (message) => {
    if (message.type !== "ages") return post(message);
    if (isOn) { ages.push(message.views); post(message); }
  };
  OffscreenCanvasRenderingContext2D.prototype.drawImage = function (...given) { if (isOn) draw.apply(this, given); };
  globalThis.show = (wanted) => { isOn = wanted; onmessage({ data: { type: "visible", isVisible: wanted } }); };
  globalThis.taken = () => { const all = ages; ages = []; return all; };
}"""
_FRAMES_PROBE = """() => {
  let frames = [];
  let before = null;
  const next = (now) => { if (before !== null) frames.push(now - before); before = now; requestAnimationFrame(next); };
  requestAnimationFrame(next);
  globalThis.taken = () => { const all = frames; frames = []; return all; };
}"""
_CHART = """async (numPoints) => {
  const [{ html }, { render }, { Chart }] = await Promise.all(
    [import("htm/preact"), import("preact"), import("/static/js/app/widgets/chart.js")]);
  const x = Array.from({ length: numPoints }, (_, index) => index);
  const walk = (name) => {
    let level = 0;
    const values = x.map(() => (level += Math.random() - 0.5));
    return { name, min: values, max: values };
  };
  const series = ["value", "advantage", "touch"].map(walk);
  const box = document.createElement("div");
  document.body.prepend(box);
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  await painted();
  const startMs = performance.now();
  const chart = { x, series, axis: "level, 1", summary: "three walks", format: String, height: 320 };
  render(html`<${Chart} ...${chart} />`, box);
  await painted();
  const canvas = box.querySelector("canvas");
  // Reading a pixel waits for whatever is still to be drawn.
  canvas.getContext("2d").getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1);
  return performance.now() - startMs;
}"""
_TAKEN = "() => globalThis.taken()"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """What was seen in one stretch of driving, with pictures or without."""

    has_pictures: bool
    first_ns: int
    """This machine's monotonic clock, as `RobotLog` has it."""
    last_ns: int
    trips_ms: Sequence[float]
    """Control worker to gateway and back."""
    num_commands: int
    """That left the control worker."""
    ages: Sequence[Sequence[Mapping[str, Any]]]
    """Every view's `ViewHealth`, four times a second."""
    frames_ms: Sequence[float]
    """Between two frames of the main thread."""


class DrivePage:
    """A person who holds a robot and pushes it."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._control, self._pictures = self._worker("control"), self._worker("pictures")

    @classmethod
    def taking(cls, page: Page, robot_id: str) -> "DrivePage":
        """Take the robot, and hold the dead-man and a direction on the keyboard."""
        page.goto(f"/drive/{robot_id}")
        page.get_by_role("button", name="Take control").click()
        expect(page.get_by_text("You drive.")).to_be_visible()
        driver = cls(page)
        driver._control.evaluate(_CONTROL_PROBE, _PING_MS)
        driver._pictures.evaluate(_PICTURES_PROBE)
        page.evaluate(_FRAMES_PROBE)
        page.locator("section.drive").focus()
        page.keyboard.down("j")
        page.keyboard.down("d")
        expect(page.locator(".armed-word")).to_be_visible()
        return driver

    def watch(self, duration_s: float, *, has_pictures: bool) -> Phase:
        """Go on driving, with pictures or without."""
        self._pictures.evaluate("(wanted) => globalThis.show(wanted)", has_pictures)
        self._page.wait_for_timeout(1e3 * _SETTLE_S)
        self._take()
        first_ns = time.monotonic_ns()
        self._page.wait_for_timeout(1e3 * duration_s)
        last_ns = time.monotonic_ns()
        control, ages, frames_ms = self._take()
        return Phase(
            has_pictures=has_pictures,
            first_ns=first_ns,
            last_ns=last_ns,
            trips_ms=control["trips"],
            num_commands=control["numCommands"],
            ages=ages,
            frames_ms=frames_ms,
        )

    def _take(self) -> tuple[Any, Any, Any]:
        return (self._control.evaluate(_TAKEN), self._pictures.evaluate(_TAKEN), self._page.evaluate(_TAKEN))

    def _worker(self, name: str) -> Worker:
        return next(worker for worker in self._page.workers if worker.url.endswith(f"/{name}.js"))


def paint_chart(page: Page) -> float:
    """Milliseconds until the product's chart of three long series is on a page that was just opened."""
    page.goto("/settings")
    expect(page.locator("#main h1").first).to_be_visible()
    return float(page.evaluate(_CHART, _NUM_POINTS))


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a screen.

    Raises:
        ConfigError: it is not installed.
    """
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        raise ConfigError("no Chromium here; scripts/install --tests installs it, or: apt-get install chromium")
    flags = ["--headless", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
    as_root = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*flags, *as_root])
        try:
            yield browser
        finally:
            browser.close()


def signed_in(browser: Browser, address: str, link: str) -> Page:
    """A page of whoever the one-time link lets in."""
    expect.set_options(timeout=_WAIT_MS)
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=address)
    context.set_default_timeout(_WAIT_MS)
    page = context.new_page()
    page.goto(link)
    expect(page.locator(".link-chip")).to_contain_text("Connected")
    return page
