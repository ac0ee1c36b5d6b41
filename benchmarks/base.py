"""What a task's base makes of it: `python -m benchmarks base --task NAME [--scenes N] [--seed S]`.

As many demonstrations and updates as `touchline demo` gives it, then held-out scenes without help: success, why
episodes failed, the sub-goal at which they ended, and, where instructions name different parts, success with each.
"""

import argparse
import collections
import dataclasses
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.tally import Tally
from policy.flow import Guidance
from policy.policy import Policy
from policy.schema import Float32, Observation, SceneSplit
from robots import tasks
from robots.busybox.goals import all_goals, trained_instructions
from robots.robot import Robot, TaskStatus
from robots.wrapped import WrappedRobot
from study import episode
from study.learning import Learning, new_policy, train
from study.rollout import RolloutConfig, roll_out
from study.world import World, WorldConfig

_NUM_ROBOTS = 32
"""In lock-step."""
_PARTS = {text: goal.module for goal in all_goals() for text in trained_instructions(goal)}


class Noting(WrappedRobot):
    """A robot that notes of every scene what was asked, and which sub-goal was the last one under way."""

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self._scene_seed = 0
        self.asked: dict[int, str] = {}
        self.sub_goals: dict[int, str] = {}

    def reset(self, scene_seed: int) -> Observation:
        """As the robot's."""
        observation = super().reset(scene_seed)
        self._scene_seed = scene_seed
        self.asked[scene_seed] = observation.instruction
        return observation

    def apply(self, action: Float32) -> TaskStatus:
        """As the robot's."""
        return self._noted(super().apply(action))

    def hold(self) -> TaskStatus:
        """As the robot's."""
        return self._noted(super().hold())

    def _noted(self, status: TaskStatus) -> TaskStatus:
        self.sub_goals[self._scene_seed] = status.sub_goal
        return status


@dataclasses.dataclass(kw_only=True)
class Results:
    """Of many episodes."""

    whole: Tally = dataclasses.field(default_factory=Tally)
    parts: dict[str, Tally] = dataclasses.field(default_factory=lambda: collections.defaultdict(Tally))
    """By the part that was named."""
    sub_goals: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    """At which episodes failed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Train, run and print."""
    args = _parser().parse_args(argv)
    torch.set_num_threads(1)
    lesson = tasks.lesson(args.task)
    demonstrations, updates = args.demonstrations or lesson.demonstrations, args.updates or lesson.updates
    started_s = time.process_time()
    policy = _base(World(WorldConfig(task=args.task, seed=args.seed)), demonstrations, updates, args.seed)
    took_s = time.process_time() - started_s
    print(f"# {demonstrations} demonstrations, {updates} updates, {took_s:.0f} s of one core", flush=True)
    found = _try(policy, args.task, SceneSplit.REPORT.value[: args.scenes], args.seed)
    print(f"{args.task:<16}{found.whole}")
    for part, tally in found.parts.items():
        print(f"{part:<16}{tally}")
    for sub_goal, count in found.sub_goals.most_common():
        print(f"failed at: {sub_goal:<28}{count}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="toolbox", help="options may follow its name")
    parser.add_argument("--scenes", type=int, default=60, help="held-out")
    parser.add_argument("--seed", type=int, default=0, help="of demonstrations and training")
    parser.add_argument("--demonstrations", type=int, help="default: what its base learns from")
    parser.add_argument("--updates", type=int, help="default: its base's")
    return parser


def _base(world: World, num_demonstrations: int, num_updates: int, seed: int) -> Policy:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demonstrations.npz"
        episode.save(path, list(world.demonstrations(num_demonstrations)))
        data = episode.load([path], world.spec)
    imitation = Learning.of("hg_dagger", {})
    return train(new_policy(data, seed), data, imitation, num_updates=num_updates, seed=seed).policy


def _try(policy: Policy, task: str, scene_seeds: Sequence[int], seed: int) -> Results:
    robots = [Noting(tasks.make(task)) for _ in range(min(_NUM_ROBOTS, len(scene_seeds)))]
    found = Results()
    episodes = roll_out(
        policy,
        robots,
        scene_seeds,
        guidance=Guidance(),
        config=RolloutConfig(),
        seed=seed,
        keeps_observations=False,
    )
    for ended in list(episodes):
        robot = next(robot for robot in robots if ended.scene_seed in robot.asked)
        part, sub_goal = _PARTS.get(robot.asked[ended.scene_seed]), robot.sub_goals[ended.scene_seed]
        for tally in [found.whole, *([found.parts[part]] if part else [])]:
            if ended.is_success:
                tally.lengths.append(ended.num_steps)
            else:
                tally.failures[ended.reason] += 1
        if sub_goal and not ended.is_success:
            found.sub_goals[sub_goal] += 1
    return found


if __name__ == "__main__":
    raise SystemExit(main())
