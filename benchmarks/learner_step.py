"""What the learner adds to an update: `python -m benchmarks learner_step [--updates N]`.

The default policy on two 64x64 cameras, batches of 64, one thread. Three ways take turns, update by update, each with
weights of its own:

    bare      batches that lie ready, forward, backward, clip, AdamW, averaged weights: torch and nothing else
    learner   the product: draw by pool and task, gather, counts, SOP's losses, and the same update
    rllib     the same inside Ray RLlib, in this process

Time is processor time, so a busy machine changes it little.
"""

import argparse
import functools
import itertools
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.figures import Figure, publish, ratios, take_turns
from benchmarks.lake_data import SPEC
from learner import train_state
from learner.algorithms.hg_dagger import HgDagger
from learner.data import ArrayData
from learner.experience import Experience, hold_out
from learner.losses import noise_generator
from learner.mix import MixConfig
from learner.rllib import RllibConfig
from learner.rllib_engine import RllibEngine
from learner.train import LOCAL, Engine, Round, one_update
from learner.train_state import TrainState
from learner.update import UpdateConfig
from policy import checkpoint
from policy.network import PolicyConfig
from policy.policy import Policy
from policy.tokens import Vocabulary
from policy.transforms import Normaliser

_EPISODE_STEPS = 80
_NUM_READY = 8
_NUM_WARM = 3
_SEED = 0


def data(num_episodes: int) -> ArrayData:
    """Half demonstrations, half rollouts with a correction in the middle; what is seen and done is noise."""
    rng, num_steps = np.random.default_rng(0), num_episodes * _EPISODE_STEPS
    is_demonstration = np.arange(num_episodes) % 2 == 0
    in_middle = (np.arange(num_steps) % _EPISODE_STEPS > 30) & (np.arange(num_steps) % _EPISODE_STEPS < 50)
    experience = Experience(
        start=np.arange(num_episodes, dtype=np.int64) * _EPISODE_STEPS,
        length=np.full(num_episodes, _EPISODE_STEPS, np.int64),
        is_success=np.ones(num_episodes, np.bool_),
        is_failure=np.zeros(num_episodes, np.bool_),
        task=np.zeros(num_episodes, np.int64),
        is_demonstration=is_demonstration,
        is_held_out=hold_out(is_demonstration),
        is_correction=in_middle & ~np.repeat(is_demonstration, _EPISODE_STEPS),
        is_held=np.zeros(num_steps, np.bool_),
        row=np.arange(num_steps),
    )
    camera = SPEC.cameras[0]
    return ArrayData(
        spec=SPEC,
        experience=experience,
        pin="{}",
        frames=rng.integers(0, 255, (num_steps, len(SPEC.cameras), camera.height, camera.width, 3), np.uint8),
        state=rng.normal(size=(num_steps, len(SPEC.state))).astype(np.float32),
        tactile=rng.normal(size=(num_steps, len(SPEC.tactile))).astype(np.float32),
        action=rng.normal(size=(num_steps, len(SPEC.action))).astype(np.float32),
        instruction=np.zeros(num_steps, np.int64),
        instructions=["insert the plug"],
        episode_ids=[f"e{number}" for number in range(num_episodes)],
        tasks=["plug"],
    )


def begin(folder: Path, content: ArrayData, config: UpdateConfig, num_updates: int) -> TrainState:
    """A round of the learner on the weights in a folder."""
    return TrainState.begin(
        checkpoint.load(folder),
        round=1,
        seed=_SEED,
        pin=content.pin,
        num_rollouts=len(content.episode_ids) // 2,
        labels=HgDagger().label(content, device=torch.device("cpu"), seed=_SEED),
        num_updates=num_updates,
        update_config=config,
        mix_config=MixConfig(),
    )


def bare(policy: Policy, content: ArrayData, config: UpdateConfig) -> Callable[[], object]:
    """One update after the other on batches that lie ready."""
    rng = np.random.default_rng(_SEED)
    indicator = np.ones(config.batch_size, np.int64)
    ready = [
        content.chunks(
            rng.integers(content.experience.num_steps, size=config.batch_size), policy.config.horizon, indicator
        )
        for _ in range(_NUM_READY)
    ]
    network, turn = policy.network.train(), itertools.count()
    parameters = list(network.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
    ema = [value.clone() for value in network.state_dict().values()]

    def update() -> None:
        number = next(turn)
        optimizer.zero_grad()
        generator = noise_generator(policy.device, seed=_SEED, update=number)
        policy.training_loss(ready[number % _NUM_READY], generator=generator).mean().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, config.max_gradient_norm)
        optimizer.step()
        with torch.no_grad():
            for mean, value in zip(ema, network.state_dict().values(), strict=True):
                mean.lerp_(value, 1 - config.ema_decay)

    return update


def ours(state: TrainState, content: ArrayData, config: UpdateConfig, engine: Engine = LOCAL) -> Callable[[], object]:
    """The product's update."""
    round = Round.of(state, content, HgDagger(), config)
    return lambda: one_update(state, round, engine)


def rllib(folder: Path, state: TrainState, num_episodes: int, config: UpdateConfig) -> RllibEngine:
    """Where the same is done inside RLlib."""
    told = RllibConfig(
        state=str(train_state.save(folder, state)),
        data="benchmarks.learner_step:data",
        data_arguments={"num_episodes": num_episodes},
        update=config,
        num_scheduled=state.num_updates,
    )
    return RllibEngine(told, num_learners=0)


def timed_ms(update: Callable[[], object]) -> float:
    """Processor time of one update."""
    started_s = time.process_time()
    update()
    return 1e3 * (time.process_time() - started_s)


def measure(folder: Path, num_updates: int, num_episodes: int) -> dict[str, list[float]]:
    """Milliseconds of every update, by way."""
    content, config = data(num_episodes), UpdateConfig()
    normaliser = Normaliser.fit(state=content.state, tactile=content.tactile, action=content.action)
    checkpoint.save(folder, Policy.create(PolicyConfig(), SPEC, Vocabulary.of(content.instructions), normaliser))
    total = num_updates + _NUM_WARM
    state = begin(folder, content, config, total)
    engine = rllib(folder, state, num_episodes, config)
    updates = {
        "bare": bare(checkpoint.load(folder), content, config),
        "learner": ours(begin(folder, content, config, total), content, config),
        "rllib": ours(state, content, config, engine),
    }
    ways = {name: functools.partial(timed_ms, update) for name, update in updates.items()}
    found = take_turns(ways, total)
    engine.close()
    return {name: times[_NUM_WARM:] for name, times in found.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the times and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=200, help="of each way")
    parser.add_argument("--quick", action="store_true", help="two updates: to see that it works")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), 2 if args.quick else args.updates, 4 if args.quick else 50)
    publish(
        [
            Figure.of("an update, bare torch", found["bare"], unit="ms"),
            Figure.of("an update, learner", found["learner"], unit="ms"),
            Figure.of("an update, in RLlib", found["rllib"], unit="ms"),
            Figure.of(
                "learner",
                ratios(found["bare"], found["learner"]),
                against="the same update in a bare torch loop",
                at_least=0.95,
                bounded_by="drawing and gathering the batch",
            ),
            Figure.of("learner in RLlib", ratios(found["bare"], found["rllib"]), against="the same, bare"),
        ]
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
