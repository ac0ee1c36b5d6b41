"""What each learner of a Ray RLlib `LearnerGroup` does: the plain loop's update on a shard of its own.

    engine     draws step indices and indicators (light)     `rllib_engine.py`
    learner k  reads those steps from its own replay          shard k of the batch, noise of its own
    DDP        averages gradients; every learner steps alike

Weights, averages and optimizer come from a saved train state, never through RLlib's `set_state` (which in Ray 2.60
keeps newer weights with an older optimizer); `apply_gradients` is overridden, as the original scans every parameter for
NaN twice (1.4 times the plain loop).
"""

import dataclasses
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.learner.torch.torch_learner import TorchLearner
from ray.rllib.core.rl_module.torch.torch_rl_module import TorchRLModule
from torch import Tensor

from learner import train_state
from learner.data import Data
from learner.losses import noise_generator, sample_losses
from learner.mix import MixConfig
from learner.replay_data import ReplaySource
from learner.train_state import TrainState
from learner.update import UpdateConfig, apply_gradients, average, learning_rate, make_optimizer, set_learning_rate
from policy.policy import Policy
from policy.spec import EmbodimentSpec
from storage.pin import DataPin
from storage.replay import Replay
from storage.tables import Lake

STEPS, INDICATOR = "steps", "indicator"
_LOSS = "loss"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RllibConfig:
    """One training inside RLlib, as every learner is told it."""

    state: str
    """Folder of the train state to go on from; every learner loads it."""
    data: str
    """"module:function" that gives a learner its `Data`, called with `data_arguments`."""
    data_arguments: Mapping[str, Any]
    """JSON-like; for example where the lake is, and the pin."""
    update: UpdateConfig
    num_scheduled: int
    """Updates over which the learning rate falls; 0 for none."""

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "RllibConfig":
        """The inverse of `dataclasses.asdict`."""
        return cls(**{**fields, "update": UpdateConfig(**fields["update"])})

    def load(self) -> TrainState:
        """The state; what it says of the mix is the engine's business."""
        return train_state.load(
            Path(self.state), update_config=self.update, mix_config=MixConfig(), device=torch.device("cpu")
        )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """What a learner holds, on the CPU."""

    network: dict[str, Tensor]
    ema: dict[str, Tensor]
    optimizer: dict[str, Any]


class PolicyModule(TorchRLModule):
    """Our policy as an RLModule; its loss is its forward pass, so that DDP sees the gradients."""

    def setup(self) -> None:
        """Load the weights; `network` is what the optimizer and DDP see."""
        settings: Any = self.model_config
        self.policy: Policy = RllibConfig.from_dict(settings).load().policy
        self.network = self.policy.network
        self.network.train()

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Tensor]:
        return {_LOSS: sample_losses(self.policy, batch["chunks"], batch["generator"])}


class PolicyLearner(TorchLearner):
    """One learner: its own data, our optimizer, our update."""

    sample_losses: NDArray[np.float32]
    """float32[n], of the last update's shard."""

    def build(self) -> None:
        """Open this learner's own data, build the module and DDP, and go on from the saved state."""
        self._settings = RllibConfig.from_dict(self.config.learner_config_dict)
        module, _, function = self._settings.data.partition(":")
        self._data: Data = getattr(importlib.import_module(module), function)(**self._settings.data_arguments)
        super().build()
        state = self._settings.load()
        self._seed, self._update_number = state.seed, state.update
        self._ema = {name: value.to(self._policy.device) for name, value in state.ema.items()}
        self.get_optimizer(DEFAULT_MODULE_ID).load_state_dict(state.optimizer.state_dict())

    def trained(self) -> Trained:
        """A copy of all that training has changed."""
        optimizer = self.get_optimizer(DEFAULT_MODULE_ID).state_dict()
        slots = {index: _at_home(own) for index, own in optimizer["state"].items()}
        return Trained(
            network=_at_home(self._policy.network.state_dict()),
            ema=_at_home(self._ema),
            optimizer={**optimizer, "state": slots},
        )

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
        """The mean loss of this learner's shard."""
        loss: Tensor = fwd_out[_LOSS].mean()
        return loss

    def apply_gradients(self, gradients_dict: Any) -> None:
        """Clip, step and average exactly as the plain loop."""
        settings, number = self._settings, self._update_number
        optimizer = self.get_optimizer(DEFAULT_MODULE_ID)
        set_learning_rate(optimizer, learning_rate(settings.update, number, settings.num_scheduled))
        parameters: Any = self._params.values()
        apply_gradients(optimizer, list(parameters), settings.update)
        average(self._ema, self._policy.network, settings.update.ema_decay, number)

    def _update(self, batch: dict[str, Any], **kwargs: Any) -> tuple[Any, Any, Any]:
        drawn = {name: values.cpu().numpy() for name, values in batch[DEFAULT_MODULE_ID].items()}
        policy = self._policy
        shard = {
            "chunks": self._data.chunks(drawn[STEPS], policy.config.horizon, drawn[INDICATOR]),
            "generator": noise_generator(policy.device, seed=self._seed, update=self._update_number, shard=rank()),
        }
        outputs = self.module.forward_train({DEFAULT_MODULE_ID: shard})
        losses = self.compute_losses(fwd_out=outputs, batch={DEFAULT_MODULE_ID: shard})
        self.apply_gradients(self.compute_gradients(losses))
        self._update_number += 1
        self.sample_losses = outputs[DEFAULT_MODULE_ID][_LOSS].detach().cpu().numpy()
        return outputs, losses, {}

    @property
    def _policy(self) -> Policy:
        module: Any = self.module[DEFAULT_MODULE_ID].unwrapped()
        policy: Policy = module.policy
        return policy


def replay_data(*, lake_url: str, directory: str, spec: str, pin: str, capacity: int, max_version_age: int = 0) -> Data:
    """A learner's own replay of a pinned training set: what `RllibConfig.data` names on a fleet.

    `directory` is on each node's own disk. Every learner has a ring of its own in it, named after its rank, as two of
    them may share a node. It is theirs until their process ends.
    """
    own = Path(directory) / f"learner-{rank()}"
    replay = Replay(Lake(lake_url), own, EmbodimentSpec.from_json(spec), capacity, pin=DataPin.from_json(pin))
    return ReplaySource(replay, max_version_age).pinned(pin)


def rank() -> int:
    """Of this learner among those that average their gradients."""
    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0


def _at_home(tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: torch.as_tensor(value).detach().cpu().clone() for name, value in tensors.items()}
