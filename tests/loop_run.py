"""One short run of the whole fleet, and what is left of it to be asserted on.

demonstrations -> base -> robots try, people correct, a process is killed -> candidate -> trial -> a person
releases it, and takes it back -> everybody stops, every step is counted
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from actor.journal import Counts
from demo.watch import Watch
from infra.registry import PolicyVersion
from infra.topics import EPISODES, STEPS
from policy.schema import Outcome, Source
from policy.spec import EmbodimentSpec
from robots.tasks import make
from storage.audit import Audit
from storage.pin import DataPin
from storage.tables import Lake, sql_text
from tests.loop_rig import FLEET, LiveFleet, ids, live_fleet

LABELLER = "ann"
RELEASER = "bob"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """What is left of the run."""

    lake: Lake
    watch: Watch
    spec: EmbodimentSpec
    base: PolicyVersion
    candidate: PolicyVersion
    """As the registry knew them in the end."""
    checkpoints: Path
    """One folder per version."""
    killed: str
    """A robot whose process was killed after it had been corrected."""
    labelled: str
    """An episode."""
    events: list[str]
    counts: list[Counts]
    """Of the steps, by the robots' own journals."""
    balances: Mapping[str, Audit]
    kafka_steps: set[tuple[str, int]]

    def episodes(self, source: Source, version: str = "") -> list[dict[str, Any]]:
        return [
            row for row in self.watch.episodes if row["source"] == source and version in ("", row["policy_version"])
        ]

    def steps(self, source: Source, columns: Sequence[str] | None = None, *, episode_id: str = "") -> pa.Table:
        one = f" AND episode_id = {sql_text(episode_id)}" if episode_id else ""
        return self.lake.read(STEPS, columns, f"source = {sql_text(source)}{one}")

    def ledger(self, event: str) -> list[dict[str, Any]]:
        return [row for row in self.watch.releases if row["event"] == event]

    def pin(self) -> DataPin:
        return DataPin.from_json(self.candidate.tags["data_pin"])


def run_once(directory: Path) -> Run:
    """The whole story, in a home under `directory`."""
    with live_fleet(directory) as fleet:
        killed = correct_and_kill(fleet)
        labelled = label_and_learn(fleet)
        release_and_roll_back(fleet)
        fleet.stop_all_but_servers()
        fleet.settle()
        registry = fleet.registry
        base, candidate = registry.versions()
        for version in (base, candidate):
            registry.fetch(version, directory / "checkpoints")
        robot = make(FLEET.task)
        spec = robot.spec
        robot.close()
        return Run(
            lake=fleet.lake,
            watch=fleet.watch,
            spec=spec,
            base=base,
            candidate=candidate,
            checkpoints=directory / "checkpoints",
            killed=killed,
            labelled=labelled,
            events=fleet.events,
            counts=fleet.counts(STEPS),
            balances={topic.name: fleet.balance(topic) for topic in (STEPS, EPISODES)},
            kafka_steps=fleet.step_keys_in_kafka(),
        )


def correct_and_kill(fleet: LiveFleet) -> str:
    """Until a person has corrected a robot; then its process is killed. Returns the robot."""
    fleet.wait("the judge releases a base", lambda: fleet.released("promote"))
    fleet.evaluate_candidates()
    fleet.wait("somebody corrects a robot", lambda: fleet.watch.interventions)
    robot_id: str = fleet.watch.interventions[0]["robot_id"]
    fleet.kill(process_of(robot_id))
    return robot_id


def label_and_learn(fleet: LiveFleet) -> str:
    """Until the learner has published what it made of corrections; returns the episode that was labelled."""
    fleet.wait("a rollout ends", lambda: fleet.episodes(source=Source.ROLLOUT))
    labelled: str = fleet.episodes(source=Source.ROLLOUT)[0]["episode_id"]
    fleet.label(labelled, Outcome.FAILURE, operator=LABELLER)
    fleet.wait("the label arrives", lambda: labelled in ids(fleet.watch.labels))
    fleet.wait("the learner publishes a candidate", lambda: len(fleet.released("candidate")) == 2)
    fleet.supervisor.stop(["learner"])  # before the candidate is decided on, which would begin another round
    return labelled


def release_and_roll_back(fleet: LiveFleet) -> None:
    """The candidate on trial; a person releases it for every robot, and takes it back."""
    base, candidate = fleet.released("candidate")
    fleet.wait(
        "a canary robot and the evaluator try both",
        lambda: (
            fleet.episodes(policy_version=candidate, release_role="canary")
            and fleet.episodes(policy_version=candidate, source=Source.EVALUATION)
            and fleet.episodes(policy_version=base, source=Source.EVALUATION)
        ),
    )
    fleet.command("promote", candidate, "--author", RELEASER, "--reason", "looks good")
    fleet.wait(
        "robots of both processes act on it",
        lambda: (
            len(
                {
                    process_of(row["robot_id"])
                    for row in fleet.episodes(policy_version=candidate, release_role="champion")
                }
            )
            == FLEET.num_actors
        ),
    )
    fleet.command("rollback", "--author", RELEASER, "--reason", "only a drill")
    fleet.wait("the ledger has the rollback", lambda: fleet.released("rollback"))
    rolled_back_ns = fleet.watch.releases[-1]["time_ns"]
    fleet.wait(
        "the base acts again",
        lambda: any(
            row["policy_version"] == base and row["started_ns"] > rolled_back_ns
            for row in fleet.episodes(source=Source.ROLLOUT)
        ),
    )


def process_of(robot_id: str) -> str:
    return robot_id.rpartition("-")[0]
