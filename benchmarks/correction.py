"""From a correction to the robots: `python -m benchmarks correction [--corrections N] [--updates N]`.

A person takes a robot that works, drives it for a second and hands it back. The learner trains without a pause
(schedule `continual`, algorithm `hg_dagger`, the policy of the laptop) and publishes a candidate every `--updates`
updates; the fast gate lets it onto the canary robot. All times are read from the lake, stage by stage:

    episode   the corrected episode goes on to its end
    stored    its row is committed; its last steps are at times a moment later
    drawn     the learner ends the round before, finds all of it, and draws a person's step for the first time
    trained   the rest of the updates; held-out error; published
    gate      the judge looks, and the fast gate lets the candidate through
    acting    the canary robot fetches it, ends its episode, and begins the next one

There is one canary at a time, and the sequential gate takes minutes. So whatever is on trial is taken back here as soon
as it has not seen the correction, or has acted.
"""

import argparse
import asyncio
import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.figures import Figure, publish
from benchmarks.quick_fleet import AUTHOR, QuickFleet, quick_fleet
from corrections import auth
from corrections.operator_client import OperatorClient, OperatorConfig
from infra import config, releases
from infra.home import Home
from infra.registry import CANARY, PolicyVersion
from infra.topics import EPISODES, INTERVENTIONS, RELEASES, SAMPLINGS, STEPS, Topic
from storage.commits import CommitTimes
from storage.pin import DataPin, Offsets
from storage.tables import OFFSET_COLUMN, PARTITION_COLUMN, sql_text

_NUM_ROBOTS = 4
_ROBOTS = tuple(f"actor-1-0-{number}" for number in range(_NUM_ROBOTS))
"""The first tries the canary; people correct the others."""
_DRIVE_S = 1.0
_PERIOD_S = 0.1
"""Between two commands of the person."""
_LOOK_S = 0.3
"""Between two looks at tables and registry."""
_NS = 1e9
STAGES = ("episode", "stored", "drawn", "trained", "gate", "acting")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Correction:
    """One, as the tables tell it."""

    episode_id: str
    corrected_ns: int
    """When the person let go."""
    ended_ns: int
    """When its episode ended."""
    offset: int
    """Of that episode's row in its topic."""
    step_offsets: Offsets
    """Of its last steps, per partition: their messages are committed apart from that row, at times after it."""


def environ_of(num_updates: int) -> dict[str, str]:
    """Settings that differ from a fleet's."""
    return {
        "TOUCHLINE_LEARNER__SCHEDULE": "continual",
        "TOUCHLINE_LEARNER__ROUND_EPISODES": "1",
        "TOUCHLINE_LEARNER__ROUND_UPDATES": str(num_updates),
        "TOUCHLINE_LEARNER__WAITS_FOR_JUDGE": "false",
        "TOUCHLINE_CANARY__FLEET": ",".join(_ROBOTS),
    }


async def drive(quick: QuickFleet, robot_id: str) -> None:
    """Take a robot, move it, and hand it back."""
    home = quick.fleet.home
    token = auth.operator_token({}, home.gateway_token)
    async with OperatorClient(config.load("operator", OperatorConfig, home=home), token=token) as client:
        await client.acquire(robot_id)
        for _ in range(round(_DRIVE_S / _PERIOD_S)):
            client.drive((0.5, 0.0, 0.0), is_deadman_held=True)
            await asyncio.sleep(_PERIOD_S)
        await client.release()


class Trials:
    """Follows one correction after the other through the tables."""

    def __init__(self, quick: QuickFleet) -> None:
        self._quick = quick
        self._commits = CommitTimes(quick.lake, EPISODES)

    def correct(self, robot_id: str) -> Correction:
        """Make one, and wait until its episode is in the table."""
        before = {row["intervention_id"] for row in self._rows(INTERVENTIONS)}
        asyncio.run(drive(self._quick, robot_id))
        found: list[Correction] = []

        def is_stored() -> bool:
            new = [row for row in self._rows(INTERVENTIONS) if row["intervention_id"] not in before]
            corrected = [row for row in new if row["num_correction_steps"]]
            for row in corrected[:1]:
                where = f"episode_id = {sql_text(row['episode_id'])}"
                for end in self._rows(EPISODES, where):
                    steps = self._quick.lake.read(STEPS, [PARTITION_COLUMN, OFFSET_COLUMN], where).to_pylist()
                    if len(steps) == end["num_steps"]:
                        found.append(_correction(row, end, steps))
            return bool(found)

        self._quick.wait(is_stored, f"a correction of {robot_id} is stored", _LOOK_S)
        return found[0]

    def follow(self, correction: Correction) -> Mapping[str, float]:
        """Seconds of each stage, once a canary robot has acted on it."""
        version = self._canary_that_saw(correction)
        names = {"policy_version": version, "episode_id": correction.episode_id}
        drawn_ns = self._wait_for(SAMPLINGS, names)["first_correction_sampled_ns"]
        published_ns = self._wait_for(RELEASES, {"policy_version": version, "event": "candidate"})["time_ns"]
        gated_ns = self._wait_for(RELEASES, {"policy_version": version, "event": "canary"})["time_ns"]
        acting_ns = self._wait_for(EPISODES, {"policy_version": version, "release_role": CANARY})["started_ns"]
        self._take_back(version)
        self._commits.refresh()
        (stored_ns,) = self._commits.of(np.array([correction.offset])).tolist()
        times_ns = (
            correction.corrected_ns, correction.ended_ns, stored_ns, drawn_ns, published_ns, gated_ns, acting_ns
        )  # fmt: skip
        return dict(zip(STAGES, (np.diff(times_ns) / _NS).tolist(), strict=True))

    def _canary_that_saw(self, correction: Correction) -> str:
        found: list[str] = []

        def is_there() -> bool:
            version = self._quick.registry.alias(CANARY)
            if version is None:
                return False
            if saw(self._quick.registry.get(version), correction):
                found.append(version)
            else:
                self._take_back(version)
            return bool(found)

        self._quick.wait(is_there, "a canary that saw the correction", _LOOK_S)
        return found[0]

    def _take_back(self, version: str) -> None:
        quick = self._quick
        releases.reject(quick.registry, quick.ledger, version, author=AUTHOR, reason="makes room for the next")

    def _wait_for(self, topic: Topic, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        where = " AND ".join(f"{name} = {sql_text(value)}" for name, value in wanted.items())
        self._quick.wait(lambda: bool(self._rows(topic, where)), f"{topic.name}: {where}", _LOOK_S)
        return self._rows(topic, where)[0]

    def _rows(self, topic: Topic, where: str | None = None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._quick.lake.read(topic, where=where).to_pylist()
        return rows


def _correction(
    intervention: Mapping[str, Any], end: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]
) -> Correction:
    step_offsets: dict[int, int] = {}
    for step in steps:
        partition = step[PARTITION_COLUMN]
        step_offsets[partition] = max(step[OFFSET_COLUMN], step_offsets.get(partition, -1))
    return Correction(
        episode_id=end["episode_id"],
        corrected_ns=intervention["ended_ns"],
        ended_ns=end["ended_ns"],
        offset=end[OFFSET_COLUMN],
        step_offsets=step_offsets,
    )


def saw(version: PolicyVersion, correction: Correction) -> bool:
    """Whether the data that a version was trained on holds a correction's episode, with every step of it."""
    pin = DataPin.from_json(version.tags["data_pin"])
    has_end = max(pin.offsets[EPISODES.name].values(), default=-1) >= correction.offset
    steps = pin.offsets[STEPS.name]
    return has_end and all(steps.get(p, -1) >= offset for p, offset in correction.step_offsets.items())


def measure(home: Home, num_corrections: int, num_updates: int) -> list[Mapping[str, float]]:
    """Seconds of each stage of each correction."""
    found: list[Mapping[str, float]] = []
    with quick_fleet(home, _NUM_ROBOTS, environ_of(num_updates)) as quick:
        trials = Trials(quick)
        for number in range(num_corrections):
            correction = trials.correct(_ROBOTS[1 + number % (_NUM_ROBOTS - 1)])
            found.append(trials.follow(correction))
            in_words = ", ".join(f"{name} {took_s:.1f}" for name, took_s in found[-1].items())
            print(f"correction {number + 1}: {in_words} = {sum(found[-1].values()):.1f} s", flush=True)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corrections", type=int, default=12, help="how many to make")
    parser.add_argument("--updates", type=int, default=40, help="updates between two candidates")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Home(Path(folder)), args.corrections, args.updates)
    totals_s = [sum(stages.values()) for stages in found]
    num = len(found)
    figures = [
        Figure.of(f"of that: {name}, p50 of {num}", [stages[name] for stages in found], unit="s") for name in STAGES
    ]
    publish(
        [
            Figure.of(
                f"end of a correction -> a canary robot acts, p50 of {num}",
                totals_s,
                unit="s",
                at_most=15.0,
                bounded_by="training: two rounds of --updates, which share the cores with everything else",
            ),
            Figure(what=f"the same, p99 of {num}", value=float(np.percentile(totals_s, 99)), unit="s"),
            *figures,
        ]
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
