"""Pages of a real Chromium: who looks, what is plugged in, and everything that a page must not do."""

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, ViewportSize, expect

from console.access import COOKIE
from tests.actor_process import ROOT
from tests.browser_rig import Site

FOLDER = Path(__file__).parent / "browser"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TIMEOUT_MS = 45_000
"""Of one wait of Playwright's, on a machine that has other work to do."""
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Whoever would leave this machine gets nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_SIZE: ViewportSize = {"width": 1280, "height": 800}


def start_chromium(playwright: Playwright) -> Browser:
    """Debian's Chromium.

    Raises:
        AssertionError: it is not installed.
    """
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert path, "no Chromium here; scripts/install --tests installs it, or: apt-get install chromium"
    expect.set_options(timeout=TIMEOUT_MS)
    as_root = ["--no-sandbox"] if os.getuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=[*_FLAGS, *as_root])


@dataclasses.dataclass(kw_only=True, eq=False)
class Visits:
    """The browsers of one test, one for each person who comes, and what went wrong in them."""

    browser: Browser
    site: Site
    problems: list[str] = dataclasses.field(default_factory=list)
    """Errors on the console, exceptions, and requests that left the origin."""
    _stack: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)

    def context(self, person: str = "", **options: Any) -> BrowserContext:
        """A browser of its own; nobody is signed in if `person` is empty."""
        context = self.browser.new_context(viewport=_SIZE, base_url=self.site.address, **options)
        self._stack.callback(context.close)
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(path=FOLDER / "devices.js")
        context.add_init_script(path=FOLDER / "raw_socket.js")
        if person:
            context.add_cookies([{"name": COOKIE, "value": self.site.cookies[person], "url": self.site.address}])
        context.on("request", self._requested)
        context.on("page", self._watch)
        return context

    def page(self, person: str, path: str = "", **options: Any) -> Page:
        """A page of that person; at `path`, with its screen there, if that is not empty."""
        page = self.context(person, **options).new_page()
        if path:
            go_to(page, path)
        return page

    def forgive(self, text: str) -> None:
        """Take problems with this text off the list: the test meant to have them."""
        assert any(text in problem for problem in self.problems), (text, self.problems)
        self.problems[:] = [problem for problem in self.problems if text not in problem]

    def close(self) -> None:
        """Close every browser."""
        self._stack.close()

    def _watch(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"{message.text} {message.location['url']}")

    def _requested(self, request: Request) -> None:
        url = urlsplit(request.url)
        is_ours = f"{url.scheme}://{url.netloc}" == self.site.address
        if not is_ours and url.scheme not in ("data", "blob"):
            self.problems.append(f"left the origin: {request.url}")


def go_to(page: Page, path: str) -> None:
    """Open a screen and wait until it is there: connected, and with its heading."""
    page.goto(path)
    is_arrived(page)


def is_arrived(page: Page) -> None:
    """The screen has its heading, the page its connection."""
    expect(page.locator("#main h1").first).to_be_visible()
    expect(page.locator(".link-chip")).to_contain_text("Connected")


@contextlib.contextmanager
def visiting(browser: Browser, site: Site) -> Iterator[Visits]:
    """Visits of one test; closed at its end, and clean."""
    visits = Visits(browser=browser, site=site)
    try:
        yield visits
    finally:
        visits.close()
    assert not visits.problems, visits.problems
