"""A robot asks where; a person clicks that place in its picture, whatever the size of the window."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.driving import keep_requests
from tests.browser_visit import Visits

_SIZES: tuple[ViewportSize, ...] = (
    {"width": 1280, "height": 800},
    {"width": 1024, "height": 640},
    {"width": 1920, "height": 700},
)


def test_a_share_of_the_area_is_a_share_of_the_picture(visits: Visits, tmp_path: Path) -> None:
    page = visits.page("ada", "/queue")
    keep_requests(page, kind="point")
    area = page.locator(".point-area")
    folder = Path(os.environ.get("TOUCHLINE_SCREENSHOTS") or tmp_path)
    for size in _SIZES:
        page.set_viewport_size(size)
        expect(area).to_be_visible()
        for theme in ("dark", "light"):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            page.screenshot(path=folder / f"pointing-{size['width']}-{theme}.png", animations="disabled")
        box = area.bounding_box()
        assert box is not None
        assert box["width"] == pytest.approx(box["height"], abs=1)  # the robot's cameras are square
        assert box["width"] > 100
        assert not _scrolls_sideways(page)
        area.click(position={"x": 0.25 * box["width"], "y": 0.75 * box["height"]})
        expect(page.get_by_role("status").filter(has_text="25 % from the left, 75 % from the top")).to_be_visible()


def _scrolls_sideways(page: Page) -> list[str]:
    """Parts of the screen that are wider inside than outside."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("#main, #main .request-view, #main .pane, #main .request-pictures")]
            .filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.className)"""
    )
    return found
