"""Training: one update, and a round of them that can be cut and taken up anywhere."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from learner import train_state
from learner.data import Data
from learner.labels import Algorithm
from learner.losses import noise_generator, sample_losses, training_batch
from learner.sampler import Draw, Sampler
from learner.train_state import TrainState
from learner.update import UpdateConfig, apply_gradients, average, learning_rate, set_learning_rate


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Round:
    """What stays the same over a round's updates."""

    data: Data
    sampler: Sampler
    algorithm: Algorithm
    config: UpdateConfig
    is_scheduled: bool = True
    """Whether the learning rate falls over the round; continual training keeps it."""

    @classmethod
    def of(
        cls, state: TrainState, data: Data, algorithm: Algorithm, config: UpdateConfig, *, is_scheduled: bool = True
    ) -> "Round":
        """The round that a train state is in."""
        sampler = Sampler(data.experience, state.labels, algorithm.mix(state.labels), seed=state.seed)
        return cls(data=data, sampler=sampler, algorithm=algorithm, config=config, is_scheduled=is_scheduled)


def one_update(state: TrainState, round: Round) -> float:
    """Draw, condition, step, average; returns the mean loss."""
    config = round.config
    draw = round.sampler.draw(state.update, config.batch_size, state.online)
    batch = training_batch(
        round.data,
        draw.steps,
        state.labels.indicator[draw.steps],
        horizon=state.policy.config.horizon,
        dropout=round.algorithm.indicator_dropout,
        seed=state.seed,
        update=state.update,
    )
    generator = noise_generator(state.policy.device, seed=state.seed, update=state.update)
    losses = sample_losses(state.policy, batch, generator)
    loss = losses.mean()
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    num_scheduled = state.num_updates if round.is_scheduled else 0
    set_learning_rate(state.optimizer, learning_rate(config, state.update, num_scheduled))
    apply_gradients(state.optimizer, state.policy.network.parameters(), config)
    average(state.ema, state.policy.network, config.ema_decay, state.update)
    observe(state, draw, losses.detach().cpu().numpy())
    state.losses.append(loss.item())
    state.update += 1
    return state.losses[-1]


def observe(state: TrainState, draw: Draw, losses: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> None:
    """Tell SOP's rule the losses of this update, per task and kind."""
    for task in np.unique(draw.task):
        for is_online in (False, True):
            chosen = losses[(draw.task == task) & (draw.is_online == is_online)]
            if len(chosen):
                state.online.observe(int(task), is_online=is_online, loss=float(chosen.mean()))


def train(
    state: TrainState,
    round: Round,
    *,
    directory: Path,
    save_updates: int,
    should_stop: Callable[[], bool],
    on_update: Callable[[TrainState], None],
) -> bool:
    """Do the round's remaining updates, saving now and then; False where it was stopped before the end."""
    while not state.is_trained:
        if should_stop():
            train_state.save(directory, state)
            return False
        one_update(state, round)
        on_update(state)
        if state.update % save_updates == 0 and not state.is_trained:
            train_state.save(directory, state)
    train_state.save(directory, state)
    return True
