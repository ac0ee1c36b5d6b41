"""The weights page in an engineer's hands: a rollout held, taken further and stopped; a shadow."""

import functools
from collections.abc import Iterable

from playwright.sync_api import Page, expect

from infra import rollout
from infra.registry import CANARY, CHAMPION, PolicyRegistry
from infra.rollout_state import Rollout
from infra.shadow import SHADOW
from tests.browser_rig import Site
from tests.browser_visit import Visits

ENGINEER, VIEWER = "edda", "vera"


def test_an_engineer_holds_a_rollout_and_stops_it(visits: Visits, site: Site) -> None:
    fleet, registry = site.fleet, site.fleet.registry
    fleet.wait("a rollout is under way", lambda: rollout.under_way(registry))
    state = under_way(registry)
    page = visits.page(ENGINEER, "/weights")
    expect(page.get_by_role("heading", name=f"Rollout of version {state.version}")).to_be_visible()

    decide(page, "Pause…", "Pause")
    expect(page.get_by_role("button", name="Next stage…")).to_be_disabled()
    assert under_way(registry).is_paused

    decide(page, "Go on…", "Go on")
    expect(page.get_by_role("button", name="Pause…")).to_be_visible()
    assert not under_way(registry).is_paused

    page.get_by_role("button", name="Next stage…").click()
    confirm(page, "Go on with")
    further = under_way(registry)
    assert further.stage == state.stage + 1
    fleet.wait("every robot of the stage runs it", lambda: runs(site, further.robots) == {state.version})

    decide(page, "Stop rollout…", f"Stop version {state.version}")
    expect(page.get_by_role("heading", name=f"Rollout of version {state.version}")).to_be_hidden()
    assert registry.alias(CANARY) != state.version
    champion = registry.alias(CHAMPION)
    fleet.wait("its robots are back on the champion", lambda: champion in runs(site, further.robots))
    for event in ("rollout_pause", "rollout_resume", "rollout_stage", "reject", "rollout_abort"):
        fleet.wait(f"the ledger says {event}", functools.partial(is_written, site, event, state.version))
    mine = [line for line in fleet.watch.releases if line["event"] == "rollout_pause"]
    assert (mine[-1]["author"], mine[-1]["reason"]) == (ENGINEER, "to have a look")


def test_a_viewer_sees_a_rollout_and_cannot_touch_it(visits: Visits, site: Site) -> None:
    site.fleet.wait("a rollout is under way", lambda: rollout.under_way(site.fleet.registry))
    page = visits.page(VIEWER, "/weights")
    expect(page.get_by_role("heading", name="Rollout of version")).to_be_visible()
    expect(page.get_by_role("button", name="Pause…")).to_have_count(0)
    expect(page.get_by_text("pause, stop or go on with it")).to_be_visible()


def test_a_version_proposes_beside_the_champion(visits: Visits, site: Site) -> None:
    registry = site.fleet.registry
    page = visits.page(ENGINEER, "/weights")
    page.get_by_role("button", name="Shadow version").first.click()
    confirm(page, "Shadow version")
    version = registry.alias(SHADOW)
    assert version is not None
    expect(page.locator(".aliases")).to_contain_text(f"version {version}")
    site.fleet.wait("the ledger says so", lambda: version in site.fleet.released("shadow"))


def decide(page: Page, button: str, deed: str) -> None:
    """Press a button of the rollout's card, say why, and do it."""
    page.get_by_role("button", name=button).click()
    confirm(page, deed)


def confirm(page: Page, deed: str) -> None:
    """Both steps of the dialog that is open."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason, for the ledger").fill("to have a look")
    dialog.get_by_role("button", name="Continue").click()
    dialog.get_by_role("button", name=deed).click()
    expect(dialog).to_be_hidden()


def under_way(registry: PolicyRegistry) -> Rollout:
    """The rollout, which is there."""
    state = rollout.under_way(registry)
    assert state is not None
    return state


def is_written(site: Site, event: str, version: str) -> bool:
    """Whether the ledger has a line of this kind about this version."""
    return version in site.fleet.released(event)


def runs(site: Site, robots: Iterable[str]) -> set[str]:
    """The versions of the newest reports of some robots."""
    return {site.witness.state(robot).policy_version for robot in robots}
