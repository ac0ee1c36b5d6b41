"""What came before a request: its robot's last seconds, from the lake when the episode is over by then."""

from playwright.sync_api import Route, expect

from tests.browser.driving import keep_requests
from tests.browser_rig import ROBOTS, Site
from tests.browser_visit import Visits


def test_a_clip_that_is_not_stored_yet_is_asked_for_again(visits: Visits, site: Site) -> None:
    episode_id = site.newest_episode()
    page = visits.page("ada", "/queue")
    num_asked = 0

    def late(route: Route) -> None:
        nonlocal num_asked
        num_asked += 1
        if num_asked <= len(ROBOTS):  # as the console answers before the lake has the episode
            route.fulfill(status=204)
        else:
            route.continue_()

    page.route("**/ending?*", late)
    with page.expect_response(lambda answer: "/ending?" in answer.url and answer.status == 200):
        keep_requests(page, episode_id=episode_id, waiting_s=600)  # older than the page, and about one that is over
    assert num_asked > len(ROBOTS)
    expect(page.locator(".pane-clip canvas")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")
