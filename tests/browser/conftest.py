"""One fleet and one Chromium for all browser tests; both end with the last of them, before other tiers begin."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser_rig import ROBOTS, Site, running_site
from tests.browser_visit import Visits, start_chromium, visiting

_STRICT = "test_safety.py"


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """One more try for what depends on the moment at which a page met a robot; none where a robot's safety is asked."""
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.name != _STRICT:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The fleet and its console."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visits(chromium: Browser, site: Site) -> Iterator[Visits]:
    """Pages of this test; afterwards nothing was wrong on them, and the robots are free again."""
    with visiting(chromium, site) as made:
        yield made
    site.witness.set_free(ROBOTS)
