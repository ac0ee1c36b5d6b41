"""The same update inside Ray RLlib: 0 (in this process), 1 or several learners, DDP over gloo.

    driver     draws step indices and indicators (light)     LearnerGroup.update
    learner k  reads those steps from its own replay          shard k of the batch, noise of its own
    DDP        averages gradients; every learner steps alike

The plain loop with `num_shards` equal to the number of learners computes the same numbers, which a
test holds. Traps of Ray 2.60 that this avoids: weights come from a checkpoint, never through
`set_state` (which keeps newer weights with an older optimizer); `apply_gradients` is overridden, as
the original scans every parameter for NaN twice (1.4 times the plain loop); `async_update`, which
drops batches, is not used; an `update` that returns nothing means that a learner died, and raises.
"""

import dataclasses
import importlib
import operator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import ray
import torch
from numpy.typing import NDArray
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.learner.learner_group import LearnerGroup
from ray.rllib.core.learner.torch.torch_learner import TorchLearner
from ray.rllib.core.learner.training_data import TrainingData
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch.torch_rl_module import TorchRLModule
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from torch import Tensor

from learner import ray_cluster
from learner.data import Data
from learner.losses import noise_generator, sample_losses
from learner.replay_data import ReplaySource
from learner.update import UpdateConfig, apply_gradients, average, learning_rate, make_optimizer, set_learning_rate
from policy import checkpoint
from policy.errors import TouchlineError
from policy.policy import Policy
from policy.spec import EmbodimentSpec
from storage.pin import DataPin
from storage.replay import Replay
from storage.tables import Lake

_STEPS, _INDICATOR, _LOSS = "steps", "indicator", "flow_loss"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RllibConfig:
    """One training inside RLlib."""

    checkpoint: str
    """Directory of the weights to start from; every learner loads it."""
    data: str
    """"module:function" that gives a learner its `Data`, called with `data_arguments`."""
    data_arguments: Mapping[str, Any]
    """JSON-like; for example where the lake is, and the pin."""
    update: UpdateConfig
    num_updates: int
    """Of the round: the end of the learning-rate schedule."""
    seed: int
    num_learners: int = 0
    """0 trains in this process."""
    ray_address: str = ""
    """Cluster to join, as `ray_cluster.connect`; empty for the one that this process has joined."""
    num_cpus_per_learner: float = 1.0
    num_gpus_per_learner: float = 0.0

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "RllibConfig":
        """The inverse of `dataclasses.asdict`."""
        return cls(**{**fields, "update": UpdateConfig(**fields["update"])})


class PolicyModule(TorchRLModule):
    """Our policy as an RLModule; its loss is its forward pass, so that DDP sees the gradients."""

    def setup(self) -> None:
        """Load the weights; `network` is what the optimizer and DDP see."""
        settings: Any = self.model_config
        self.policy: Policy = checkpoint.load(Path(settings["checkpoint"]))
        self.network = self.policy.network
        self.network.train()

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Tensor]:
        return {_LOSS: sample_losses(self.policy, batch["chunks"], batch["generator"])}


class PolicyLearner(TorchLearner):
    """One learner: its own data, our optimizer, our update."""

    def build(self) -> None:
        """Open this learner's own data, then build the module and DDP."""
        self._settings = RllibConfig.from_dict(self.config.learner_config_dict)
        module, _, function = self._settings.data.partition(":")
        self._data: Data = getattr(importlib.import_module(module), function)(**self._settings.data_arguments)
        super().build()
        self._num_updates = 0
        self._ema = {name: value.clone() for name, value in self._policy.network.state_dict().items()}

    @property
    def averaged_weights(self) -> dict[str, Tensor]:
        """The averaged weights by name, as `TrainState.ema`."""
        return self._ema

    def configure_optimizers_for_module(self, module_id: str, config: AlgorithmConfig | None = None) -> None:
        """AdamW as in the plain loop."""
        parameters: Any = self.get_parameters(self.module[module_id])
        self.register_optimizer(
            module_id=module_id,
            optimizer=make_optimizer(parameters, self._settings.update),
            params=parameters,
            lr_or_lr_schedule=self._settings.update.learning_rate,
        )

    def compute_loss_for_module(
        self, *, module_id: str, config: AlgorithmConfig, batch: dict[str, Any], fwd_out: Any
    ) -> Tensor:
        """The mean flow loss of this learner's shard."""
        loss: Tensor = fwd_out[_LOSS].mean()
        return loss

    def apply_gradients(self, gradients_dict: Any) -> None:
        """Clip, step and average exactly as the plain loop."""
        settings = self._settings
        optimizer = self.get_optimizer(DEFAULT_MODULE_ID)
        set_learning_rate(optimizer, learning_rate(settings.update, self._num_updates, settings.num_updates))
        parameters: Any = self._params.values()
        apply_gradients(optimizer, list(parameters), settings.update)
        average(self._ema, self._policy.network, settings.update.ema_decay, self._num_updates)

    def _update(self, batch: dict[str, Any], **kwargs: Any) -> tuple[Any, Any, Any]:
        drawn = {name: values.cpu().numpy() for name, values in batch[DEFAULT_MODULE_ID].items()}
        policy, seed, update = self._policy, self._settings.seed, self._num_updates
        shard = {
            "chunks": self._data.chunks(drawn[_STEPS], policy.config.horizon, drawn[_INDICATOR]),
            "generator": noise_generator(policy.device, seed=seed, update=update, shard=rank()),
        }
        outputs = self.module.forward_train({DEFAULT_MODULE_ID: shard})
        losses = self.compute_losses(fwd_out=outputs, batch={DEFAULT_MODULE_ID: shard})
        self.apply_gradients(self.compute_gradients(losses))
        self._num_updates += 1
        return outputs, losses, {}

    @property
    def _policy(self) -> Policy:
        module: Any = self.module[DEFAULT_MODULE_ID].unwrapped()
        policy: Policy = module.policy
        return policy


class RllibTrainer:
    """A `LearnerGroup` that does the policy's updates, where `RllibConfig` says."""

    def __init__(self, config: RllibConfig) -> None:
        """Start the learners; several wait until the cluster has room for all of them.

        Raises:
            ConfigError: the Ray cluster cannot be joined.
        """
        self._config = config
        if config.num_learners and config.ray_address and not ray.is_initialized():
            ray_cluster.connect(config.ray_address)
        nothing = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)  # RLlib asks for spaces; our batches have none
        spec = RLModuleSpec(
            module_class=PolicyModule,
            observation_space=nothing,
            action_space=nothing,
            model_config={"checkpoint": config.checkpoint},
        )
        algorithm = AlgorithmConfig().learners(
            num_learners=config.num_learners,
            num_cpus_per_learner=config.num_cpus_per_learner,
            num_gpus_per_learner=config.num_gpus_per_learner,
            learner_class=PolicyLearner,
            learner_config_dict=dataclasses.asdict(config),
        )
        self._group: LearnerGroup = algorithm.build_learner_group(rl_module_spec=spec)

    def update(self, steps: NDArray[np.int64], indicator: NDArray[np.int64]) -> float:
        """One update on drawn steps; returns the mean loss over learners.

        Raises:
            TouchlineError: a learner died, and nothing was trained.
        """
        samples = SampleBatch({_STEPS: steps, _INDICATOR: indicator})  # type: ignore[no-untyped-call]
        batch = MultiAgentBatch({DEFAULT_MODULE_ID: samples}, env_steps=len(steps))
        results = self._group.update(training_data=TrainingData(batch=batch))
        if len(results) != max(1, self._config.num_learners):
            raise TouchlineError("an RLlib learner died", answered=len(results), of=self._config.num_learners)
        return float(np.mean([_loss_of(result) for result in results]))

    def averaged_weights(self) -> dict[str, Tensor]:
        """The averaged weights; all learners hold the same."""
        ask: Any = operator.attrgetter("averaged_weights")
        answers: Any = self._group.foreach_learner(ask)
        weights: dict[str, Tensor] = next(iter(answers)).get()
        return weights

    def close(self) -> None:
        """Let the learners go."""
        self._group.shutdown()  # type: ignore[no-untyped-call]


def _loss_of(result: Mapping[str, Any]) -> float:
    loss = result[DEFAULT_MODULE_ID]["total_loss"]
    return float(loss.peek() if hasattr(loss, "peek") else loss)


def replay_data(*, lake_url: str, directory: str, spec: str, pin: str, capacity: int) -> Data:
    """A learner's own replay of a pinned training set: what `RllibConfig.data` names on a fleet.

    `directory` is on each node's own disk. Every learner has a ring of its own in it, named after its rank, as two of
    them may share a node. It is theirs until their process ends.
    """
    own = Path(directory) / f"learner-{rank()}"
    replay = Replay(Lake(lake_url), own, EmbodimentSpec.from_json(spec), capacity, pin=DataPin.from_json(pin))
    return ReplaySource(replay).pinned(pin)


def rank() -> int:
    """Of this learner among those that average their gradients."""
    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
