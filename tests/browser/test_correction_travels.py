"""One correction, from a SpaceMouse in a browser to the data of the next candidate."""

import json

from playwright.sync_api import Page, expect

from infra.topics import STEPS, VALUES
from learner.candidate import TRAIN_ID_TAG
from policy.schema import ControlMode, Outcome
from storage.pin import DataPin
from storage.tables import sql_text
from tests.browser.driving import LET_GO, is_held, push_mouse
from tests.browser_rig import ROBOTS, Site
from tests.browser_visit import Visits, go_to

OPERATOR, ENGINEER = "ola", "edda"
ROBOT = ROBOTS[2]
HAND_BACK = [[3, 2, 0], [1, 0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0]]
"""The right button."""
NUM_REPORTS = 15
"""How long the person corrects."""


def test_a_correction_travels_from_the_queue_to_the_next_candidate(visits: Visits, site: Site) -> None:
    fleet = site.fleet
    fleet.wait("a first candidate is on trial", lambda: fleet.released("canary"))
    known = fleet.released("candidate")
    page = visits.page(OPERATOR, "/queue")
    page.evaluate("fakeMouse.plug()")
    take_over_from_queue(page, site)
    episode = correct(page, site)
    label_success(page)
    fleet.wait("the episode reaches the lake", lambda: fleet.episodes(episode_id=episode))
    (row,) = fleet.episodes(episode_id=episode)
    assert row["num_correction_steps"] > 0
    assert is_in_the_lake_under_their_name(site, episode) == row["num_correction_steps"]
    promote(visits.page(ENGINEER), known[-1])
    fleet.wait("the next candidate is published", lambda: len(fleet.released("candidate")) > len(known))
    following = fleet.released("candidate")[len(known)]
    is_named_in_its_evidence(site, episode, following)
    shows_what_the_learner_did(page, episode, following)


def take_over_from_queue(page: Page, site: Site) -> None:
    """Choose the robot's request, and answer it by taking the robot."""
    site.witness.wait("the robot asks for help", lambda: site.witness.asks_early(ROBOT))
    page.get_by_role("list", name="Requests for help").get_by_role("button").filter(has_text=ROBOT).click()
    expect(page.get_by_role("heading", level=2, name=ROBOT)).to_be_visible()
    expect(page.get_by_text("Yours. Nobody else can answer while you look.")).to_be_visible()
    page.get_by_role("button", name="Take over").click()
    is_held(page)
    assert page.url.endswith(f"/drive/{ROBOT}")


def correct(page: Page, site: Site) -> str:
    """Push the cap for a while, then hand back with the mouse's other button; returns the episode."""
    since = site.witness.num_reports(ROBOT)
    push_mouse(page)
    site.witness.wait_for_mode(ROBOT, ControlMode.CORRECTING, since=since)
    episode = site.witness.state(ROBOT).episode_id
    site.witness.hear_more(ROBOT, NUM_REPORTS)
    page.evaluate("reports => fakeMouse.hold(reports)", LET_GO)
    site.witness.wait_for_rest(ROBOT)
    page.evaluate("reports => fakeMouse.hold(reports)", HAND_BACK)
    expect(page.get_by_text("of correction saved")).to_be_visible()
    site.witness.wait("the policy goes on", lambda: site.witness.is_working(ROBOT))
    return episode


def label_success(page: Page) -> None:
    """Say how it went, how far it got, and let the time to take it back pass."""
    page.get_by_role("button", name="Success").click()
    page.get_by_role("group", name="How far it got").get_by_role("button", name="4").click()
    expect(page.get_by_text("Outcome sent.")).to_be_visible()


def is_in_the_lake_under_their_name(site: Site, episode: str) -> int:
    """Interventions, steps and labels of the episode; returns how many steps the person moved the robot."""
    fleet = site.fleet
    fleet.wait(
        "the label reaches the lake", lambda: [one for one in fleet.watch.labels if one["episode_id"] == episode]
    )
    (label,) = (one for one in fleet.watch.labels if one["episode_id"] == episode)
    assert (label["author"], label["outcome"], label["progress"]) == (OPERATOR, Outcome.SUCCESS, 4)
    spans = [one for one in fleet.watch.interventions if one["episode_id"] == episode]
    assert {one["operator_id"] for one in spans} == {OPERATOR}
    where = f"episode_id = {sql_text(episode)} AND control_mode = {sql_text(ControlMode.CORRECTING)}"
    steps = fleet.lake.read(STEPS, ["operator_id", "executed_action", "intervention_id"], where).to_pylist()
    assert {step["operator_id"] for step in steps} == {OPERATOR}
    assert {step["intervention_id"] for step in steps} <= {one["intervention_id"] for one in spans}
    assert any(any(step["executed_action"]) for step in steps)
    return len(steps)


def promote(page: Page, version: str) -> None:
    """An engineer releases the first candidate in two steps: the learner then begins its next round."""
    go_to(page, "/weights")
    page.get_by_role("button", name=f"Promote version {version} at once").click()
    page.get_by_label("Reason, for the ledger").fill("its robots look fine")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label(f"Type {version} to confirm").fill(version)
    page.get_by_role("button", name=f"Promote version {version}", exact=True).click()
    expect(page.locator(".alias-champion")).to_contain_text(f"version {version}")


def is_named_in_its_evidence(site: Site, episode: str, version: str) -> None:
    """The data pin covers the episode, its steps carry the labels of this training, and corrections were drawn."""
    candidate = site.fleet.registry.get(version)
    pin = DataPin.from_json(candidate.tags["data_pin"])
    (row,) = site.fleet.episodes(episode_id=episode)
    assert row["kafka_offset"] <= pin.offsets["episodes"][row["kafka_partition"]]
    (label,) = (one for one in site.fleet.watch.labels if one["episode_id"] == episode)
    assert label["kafka_offset"] <= pin.offsets["labels"][label["kafka_partition"]]
    where = f"episode_id = {sql_text(episode)} AND critic_version = {sql_text(candidate.tags[TRAIN_ID_TAG])}"
    labelled = site.fleet.lake.read(VALUES, ["step_index"], where)
    assert labelled.num_rows == row["num_steps"]
    announced = next(one for one in site.fleet.watch.releases if one["policy_version"] == version)
    evidence = json.loads(announced["evidence"])
    assert evidence["data_pin"] == candidate.tags["data_pin"]
    assert evidence["metrics"]["steps_correction"] >= row["num_correction_steps"]


def shows_what_the_learner_did(page: Page, episode: str, version: str) -> None:
    """The episode's own page names the version that was trained on it."""
    go_to(page, f"/episodes/{episode}")
    learned = page.locator("section", has=page.get_by_role("heading", name="What the learner did with it"))
    expect(learned.locator("dd").last).to_contain_text(version)
