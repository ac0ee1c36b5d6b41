"""One policy for all tasks against one per task: `python -m benchmarks.joint [--tasks ...] [--seed S]`.

Every body has its own senses and actions; `policy/README.md` says what they share. Each task's own policy learns from
its demonstrations with its base's updates; the joint one from all of them, with as many updates as these have together.
Success without help on held-out scenes, with Wilson's interval, and processor time of one training.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from learner.data import ArrayData
from learner.joint_data import JointData
from policy.flow import Guidance
from policy.policy import Policy
from robots import tasks
from study import episode
from study.learning import Learning, new_policy, train
from study.world import World, WorldConfig


def main(argv: Sequence[str] | None = None) -> int:
    """Train, run and print."""
    args = _parser().parse_args(argv)
    for task in args.tasks:
        tasks.check(task)
    torch.set_num_threads(1)
    worlds = {task: World(WorldConfig(task=task, seed=args.seed)) for task in args.tasks}
    scale = {task: tasks.lesson(task) for task in args.tasks}
    updates = {task: args.updates or lesson.updates for task, lesson in scale.items()}
    parts = {
        task: _demonstrations(world, args.demonstrations or scale[task].demonstrations)
        for task, world in worlds.items()
    }
    print(f"{'policy':<8}  {'task':<16}  success [95 %]")
    for task, world in worlds.items():
        policy = _trained(f"own: {task}", parts[task], updates[task], args.seed)
        _show("own", world, task, policy, args.episodes)
    whole = _trained("joint", JointData(list(parts.values())), sum(updates.values()), args.seed)
    for task, world in worlds.items():
        _show("joint", world, task, whole.of(world.spec.spec_id), args.episodes)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(tasks.TASKS), help="two or more")
    parser.add_argument("--seed", type=int, default=0, help="of scenes and training")
    parser.add_argument("--demonstrations", type=int, help="of each task; default: what its base learns from")
    parser.add_argument("--updates", type=int, help="of each task's own policy; default: its base's")
    parser.add_argument("--episodes", type=int, default=200, help="held-out scenes of each task")
    return parser


def _demonstrations(world: World, num_episodes: int) -> ArrayData:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demonstrations.npz"
        episode.save(path, list(world.demonstrations(num_episodes)))
        return episode.load([path], world.spec)


def _trained(name: str, data: ArrayData | JointData, num_updates: int, seed: int) -> Policy:
    started_s = time.process_time()
    imitation = Learning.of("hg_dagger", {})
    trained = train(new_policy(data, seed), data, imitation, num_updates=num_updates, seed=seed)
    took_s = time.process_time() - started_s
    print(f"# {name}: {trained.policy.num_parameters:,} weights, {num_updates} updates, {took_s:.0f} s", flush=True)
    return trained.policy


def _show(name: str, world: World, task: str, policy: Policy, num_episodes: int) -> None:
    found = world.evaluate(policy, Guidance(), num_episodes)
    interval = f"[{found['success_low']:.3f}, {found['success_high']:.3f}]"
    print(f"{name:<8}  {task:<16}  {found['success_rate']:.3f} {interval}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
