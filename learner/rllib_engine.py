"""A round's updates in a Ray RLlib `LearnerGroup`: 0 (in this process), 1 or several learners, DDP over gloo.

The plain loop with `num_shards` equal to the number of learners computes the same numbers, which a test holds; a round
may be cut and taken up by either. Traps of Ray 2.60 that this avoids: `async_update`, which drops batches, is not used;
an `update` that fewer answer than were asked means that a learner died, and raises.
"""

import contextlib
import dataclasses
import operator
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from ray.exceptions import RayError
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.learner.learner_group import LearnerGroup
from ray.rllib.core.learner.training_data import TrainingData
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch

from learner import train_state
from learner.experience import Int64
from learner.rllib import INDICATOR, STEPS, PolicyLearner, PolicyModule, RllibConfig, Trained, rank
from learner.schedule import LearnerConfig
from learner.train import Engines, Round
from learner.train_state import TrainState
from policy.errors import ConfigError, TouchlineError
from storage.tables import Lake


class RllibEngine:
    """A `LearnerGroup` that goes on from a train state; an `Engine`."""

    def __init__(self, config: RllibConfig, *, num_learners: int, num_gpus_per_learner: float = 0) -> None:
        """Start the learners; several wait until the cluster that this process has joined has room for all of them.

        Raises:
            ConfigError: a batch cannot be dealt to them equally.
        """
        size = config.update.batch_size
        if size % max(1, num_learners):
            raise ConfigError(
                "update.batch_size must be a multiple of learner.num_learners", size=size, of=num_learners
            )
        self._num_learners = num_learners
        nothing = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)  # RLlib asks for spaces; our batches have none
        told = dataclasses.asdict(config)
        spec = RLModuleSpec(
            module_class=PolicyModule, observation_space=nothing, action_space=nothing, model_config=told
        )
        algorithm = AlgorithmConfig().learners(
            num_learners=num_learners,
            num_cpus_per_learner=1,
            num_gpus_per_learner=num_gpus_per_learner,
            learner_class=PolicyLearner,
            learner_config_dict=told,
        )
        self._group: LearnerGroup = algorithm.build_learner_group(rl_module_spec=spec)

    def step(self, state: TrainState, round: Round, steps: Int64, indicator: Int64) -> NDArray[np.float32]:
        """One update, a shard for each learner.

        Raises:
            TouchlineError: a learner failed or died; what was last settled is what there is.
        """
        samples = SampleBatch({STEPS: steps, INDICATOR: indicator})  # type: ignore[no-untyped-call]
        batch = MultiAgentBatch({DEFAULT_MODULE_ID: samples}, env_steps=len(steps))
        try:
            self._group.update(training_data=TrainingData(batch=batch))
        except RayError as error:
            raise TouchlineError("an RLlib learner failed", of=self._num_learners) from error
        return np.concatenate(self._ask(operator.attrgetter("sample_losses")))

    def settle(self, state: TrainState) -> None:
        """All learners hold the same, so the first one's.

        Raises:
            TouchlineError: a learner died.
        """
        trained: Trained = self._ask(operator.methodcaller("trained"))[0]
        state.policy.network.load_state_dict(trained.network)
        state.optimizer.load_state_dict(trained.optimizer)
        for name, value in state.ema.items():
            value.copy_(trained.ema[name])

    def close(self) -> None:
        """Let the learners go."""
        self._group.shutdown()  # type: ignore[no-untyped-call]

    def _ask(self, question: Callable[[Any], Any]) -> list[Any]:
        """Every learner's answer, in the order of their shards."""

        def ask(learner: Any) -> tuple[int, Any]:
            return rank(), question(learner)

        asked: Any = ask
        answers: list[Any] = [answer for answer in self._group.foreach_learner(asked) if answer.ok]
        if len(answers) != max(1, self._num_learners):
            raise TouchlineError("an RLlib learner died", answered=len(answers), of=self._num_learners)
        return [said for _, said in sorted((answer.get() for answer in answers), key=operator.itemgetter(0))]


def engines(config: LearnerConfig, lake: Lake, *, states: Path, rings: Path) -> Engines:
    """Engines of a fleet's learner, on the cluster that this process has joined.

    Args:
        config: how many learners, and on what.
        lake: which each of them reads.
        states: where the learner keeps its states, on a disk that every node has under this path.
        rings: folder of the learners' replay rings, on each node's own disk.
    """

    @contextlib.contextmanager
    def open_engine(state: TrainState, round: Round) -> Iterator[RllibEngine]:
        engine = RllibEngine(
            RllibConfig(
                state=str(train_state.save(states, state)),
                data="learner.rllib:replay_data",
                data_arguments=_replay(config, lake, state, rings),
                update=round.config,
                num_scheduled=round.num_scheduled(state),
            ),
            num_learners=config.num_learners,
            num_gpus_per_learner=1 if state.policy.device.type == "cuda" else 0,
        )
        with contextlib.closing(engine):
            yield engine

    return open_engine


def _replay(config: LearnerConfig, lake: Lake, state: TrainState, rings: Path) -> Mapping[str, Any]:
    return {
        "lake_url": lake.url,
        "directory": str(rings),
        "spec": state.policy.spec.to_json(),
        "pin": state.pin,
        "capacity": config.replay_steps,
        "max_version_age": config.max_version_age,
    }
