"""How soon things arrive: `python -m benchmarks latency [--robots N] [--releases N]`.

Robots that replay recorded senses work in a fleet like that of `touchline up`, people and evaluators left out.

    step -> replay      from a step's action until a replay has it that looks as often as a learner does
    released -> acting  from the decision until a robot's first episode on the new weights; the episode that ran at the
                        decision may end first, and the time up to its end does not count

For each release the champion's own files are published once more, signed and promoted.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, publish
from benchmarks.quick_fleet import AUTHOR, SPEC, QuickFleet, quick_fleet
from infra import releases, weight_signing
from infra.home import Home
from infra.registry import CHAMPION, SPEC_TAG
from learner.schedule import LearnerConfig
from policy.errors import LakeError
from storage.episode_index import EndedEpisode, EpisodeIndex
from storage.replay import Replay

_NS = 1e9
_REPLAY_STEPS = 20_000


class Watch:
    """Looks at the lake as often as a learner does."""

    def __init__(self, quick: QuickFleet, folder: Path) -> None:
        self.quick = quick
        self.replay = Replay(quick.lake, folder, SPEC, _REPLAY_STEPS)
        self.index = EpisodeIndex(quick.lake)

    def look(self) -> None:
        """Read what came."""
        try:
            self.replay.refresh()
            self.index.refresh()
        except LakeError as error:
            print(f"cannot look now: {error}")

    def wait_for_version(self, version: str, num_robots: int) -> list[EndedEpisode]:
        """Every robot has ended an episode on these weights; all episodes at work so far."""

        def is_so() -> bool:
            self.look()
            acting = {e.robot_id for e in self.index.episodes.values() if e.policy_version == version}
            return len(acting) >= num_robots

        self.quick.wait(is_so, f"version {version} acts", LearnerConfig.poll_s)
        return [e for e in self.index.episodes.values() if e.source == "rollout"]


def release(quick: QuickFleet, folder: Path) -> tuple[str, int]:
    """Promote the champion's files as a new version; its number and the time of the decision, ns."""
    known = quick.registry
    champion = known.get(known.aliases()[CHAMPION])
    published = known.publish(known.fetch(champion, folder), tags={SPEC_TAG: SPEC.spec_id})
    weight_signing.sign_weights(known, quick.learner, published)
    line = releases.promote(known, quick.ledger, published.version, author=AUTHOR, reason="to see it arrive")
    return published.version, line.time_ns


def lateness_s(episodes: Sequence[EndedEpisode], version: str, released_ns: int) -> list[float]:
    """Of each robot: from the decision, or the end of the episode that ran then, to its first on this version."""
    late_s = []
    for robot_id in sorted({episode.robot_id for episode in episodes}):
        own = sorted((e for e in episodes if e.robot_id == robot_id), key=lambda e: e.started_ns)
        free_ns = max([released_ns, *(e.ended_ns for e in own if e.started_ns <= released_ns)])
        first = next(e.started_ns for e in own if e.policy_version == version)
        late_s.append((first - free_ns) / _NS)
    return late_s


def measure(folder: Path, num_robots: int, num_releases: int) -> tuple[list[float], list[float]]:
    """Seconds of steps, and of robots and releases."""
    steps_s: list[float] = []
    acting_s: list[float] = []
    with quick_fleet(Home(folder / "home"), num_robots) as quick:
        watch = Watch(quick, folder / "replay")
        first = quick.registry.aliases()[CHAMPION]
        watch.wait_for_version(first, num_robots)
        watch.replay.step_age_s.clear()
        for number in range(num_releases):
            version, released_ns = release(quick, folder / "fetched")
            acting_s += lateness_s(watch.wait_for_version(version, num_robots), version, released_ns)
            steps_s += watch.replay.step_age_s
            watch.replay.step_age_s.clear()
            print(f"release {number + 1} of {num_releases}", flush=True)
        watch.replay.close()
    return steps_s, acting_s


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robots", type=int, default=4, help="robots at work")
    parser.add_argument("--releases", type=int, default=10, help="releases to wait for")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        steps_s, acting_s = measure(Path(folder), args.robots, args.releases)
    publish(
        [
            _figure("step -> replay", steps_s, 50, 1.0),
            _figure("step -> replay", steps_s, 99, 3.0),
            _figure("released -> acting, beyond the episode", acting_s, 50, 2.0),
            _figure("released -> acting, beyond the episode", acting_s, 99, 5.0),
        ]
    )
    return 0


def _figure(what: str, values_s: Sequence[float], percentile: int, at_most_s: float) -> Figure:
    return Figure(
        what=f"{what}, p{percentile} of {len(values_s):,}",
        value=float(np.percentile(values_s, percentile)),
        unit="s",
        at_most=at_most_s,
    )


if __name__ == "__main__":
    raise SystemExit(main())
