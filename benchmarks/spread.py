"""Does the spread over a policy's own samples tell failures? `python -m benchmarks.spread [--checkpoint DIR]`.

Episodes without help on the report scenes. At every fourth chunk several chunks are drawn for one observation, as a
robot with `help.spread_samples` does, and the largest spread of each episode is kept. The threshold is the conformal
.95 quantile of the first half of the successes; it is tried on the others and on the failures. An AUC of .5 is a coin.
The cost is processor time of one chunk, and of several for the same observation.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from actor.doubt import spread
from learner.critic import discrimination
from policy import checkpoint
from policy.batch import ObservationBatch
from policy.flow import Guidance
from policy.policy import Policy
from policy.schema import Float32, Observation, Outcome, SceneSplit
from policy.statistics import conformal_quantile
from robots.plug_insertion import PlugInsertion
from study import episode
from study.learning import Learning, new_policy, train
from study.world import World, WorldConfig

_NUM_EXECUTED = 4
_EVERY = 4
_COVERAGE = 0.95
_NUM_TIMED = 60


def trained_base() -> Policy:
    """120 demonstrations, 700 updates: what the demo's robots begin with."""
    world = World(WorldConfig(task="plug_insertion", seed=0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demonstrations.npz"
        episode.save(path, list(world.demonstrations(120)))
        data = episode.load([path], world.spec)
    return train(new_policy(data, 0), data, Learning.of("hg_dagger", {}), num_updates=700, seed=0).policy


def run_episode(policy: Policy, robot: PlugInsertion, scene: int, num_samples: int) -> tuple[bool, list[float]]:
    """Whether it succeeded, and what was measured on the way."""
    rng, spreads = np.random.default_rng(scene), []
    observation, num_chunks = robot.reset(scene), 0
    while True:
        is_measured = num_chunks % _EVERY == 0
        chunks = sample(policy, observation, num_samples if is_measured else 1, rng)
        num_chunks += 1
        if is_measured:
            spreads.append(spread(chunks, policy.spec))
        for action in chunks[0][:_NUM_EXECUTED]:
            status = robot.apply(action)
            if status.is_terminal or status.is_truncated:
                return status.outcome is Outcome.SUCCESS, spreads
        observation = robot.observe()


def sample(policy: Policy, observation: Observation, num_samples: int, rng: np.random.Generator) -> Float32:
    """float32[K, H, A] chunks of one observation, which is encoded once: the cheapest way there is."""
    noise = rng.standard_normal((num_samples, policy.config.horizon, len(policy.spec.action)), np.float32)
    rows = np.zeros(num_samples, np.int64)
    return policy.sample_chunks(ObservationBatch.stack([observation]), guidance=Guidance(), noise=noise, rows=rows)


def cpu_ms(work: Callable[[], object]) -> float:
    """Median processor time of one call."""
    took = []
    for _ in range(_NUM_TIMED):
        started = time.thread_time()
        work()
        took.append((time.thread_time() - started) * 1e3)
    return float(np.median(took))


def main(argv: Sequence[str] | None = None) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, help="a policy of plug_insertion; default: train a base (minutes)")
    parser.add_argument("--episodes", type=int, default=240)
    parser.add_argument("--samples", type=int, nargs="+", default=[2, 4], metavar="K")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    robot = PlugInsertion()
    policy = checkpoint.load(args.checkpoint, spec=robot.spec) if args.checkpoint else trained_base()
    observation, rng = robot.reset(0), np.random.default_rng(0)
    once = cpu_ms(lambda: sample(policy, observation, 1, rng))
    print(f"samples  success  AUC of largest spread  false alarms  failures found  processor ms (one: {once:.1f})")
    for num_samples in args.samples:
        first = SceneSplit.REPORT.value.start
        episodes = [run_episode(policy, robot, first + n, num_samples) for n in range(args.episodes)]
        is_success = np.array([success for success, _ in episodes])
        largest = np.array([max(spreads) for _, spreads in episodes])
        good = largest[is_success]
        threshold = conformal_quantile(good[: len(good) // 2].tolist(), _COVERAGE)
        false_alarms = np.mean(good[len(good) // 2 :] > threshold)
        found = np.mean(largest[~is_success] > threshold)
        auc = discrimination(-largest, is_success)
        cost = cpu_ms(lambda num_samples=num_samples: sample(policy, observation, num_samples, rng))  # type: ignore[misc]
        print(f"{num_samples:7} {is_success.mean():8.2f} {auc:22.2f} {false_alarms:13.2f} {found:15.2f} {cost:13.1f}")
    robot.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
