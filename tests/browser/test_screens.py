"""Every screen as a picture, in both themes, for people to look at: TOUCHLINE_SCREENSHOTS names the folder."""

import os
from pathlib import Path

from playwright.sync_api import expect

from tests.browser_rig import Site, screens
from tests.browser_visit import Visits, go_to


def test_every_screen_is_pictured_in_both_themes(visits: Visits, site: Site, tmp_path: Path) -> None:
    folder = Path(os.environ.get("TOUCHLINE_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    page = visits.page("ada")
    for path in screens(site):
        go_to(page, path)
        page.wait_for_load_state("networkidle")
        expect(page.locator("#main h1").first).not_to_be_empty()
        name, *rest = path.strip("/").split("/")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            file = folder / f"{name}{'-one' if rest else ''}-{theme}.png"
            page.screenshot(path=file)
            assert file.stat().st_size
