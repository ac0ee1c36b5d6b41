"""A critic on disk, as it leaves the learner: `critic.safetensors` and `critic.json`; never a pickle.

It holds every network of the cross-fit: a step of today was seen by none of them, so their mean judges it as
each fold's network judged the episodes that it had not seen. Beside them lies what turns an outcome into the
returns that they were trained on: the scale of each task.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from learner.advantage import AdvantageConfig, Float64, positive_thresholds, task_costs
from learner.experience import Experience
from learner.value import ValueConfig, ValueNetwork
from policy.batch import ObservationBatch, frame_shape
from policy.checkpoint import refuse_oversized
from policy.encoder import num_stem_weights
from policy.errors import SchemaError, WeightsRejected
from policy.spec import EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Affine

WEIGHTS_FILE = "critic.safetensors"
DESCRIPTION_FILE = "critic.json"
_FORMAT = 1
_DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, SafetensorError)
"""What reading a damaged critic raises."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskScale:
    """How the returns of one task were normalised when the critic was fitted."""

    longest_steps: float
    """Longest episode."""
    failure_cost_steps: float
    """C_fail."""
    advantage_threshold: float
    """eps: above it an autonomous step counts as an improvement; infinite where nothing was judged."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Critic:
    """A fitted value function that may judge new steps."""

    spec: EmbodimentSpec
    config: ValueConfig
    advantage: AdvantageConfig
    networks: tuple[ValueNetwork, ...]
    """At least one."""
    tasks: Mapping[str, TaskScale]
    version: str = ""
    """Under which its judgements are kept; the learner's training id, given when it is published."""

    @torch.no_grad()
    def values(self, batch: ObservationBatch) -> Float64:
        """V of each observation, float64[B]: the mean over the networks."""
        values = [network.expectation(network(batch)).double().cpu().numpy() for network in self.networks]
        return np.asarray(np.mean(values, axis=0), np.float64)


def task_scales(
    experience: Experience, tasks: Sequence[str], advantage: Float64, config: AdvantageConfig
) -> dict[str, TaskScale]:
    """The scale of every task that the experience has episodes of."""
    longest, cost = task_costs(experience, config)
    thresholds = positive_thresholds(experience, advantage, config)
    return {
        tasks[code]: TaskScale(
            longest_steps=float(longest[code]),
            failure_cost_steps=float(cost[code]),
            advantage_threshold=float(thresholds[code]),
        )
        for code in np.flatnonzero(longest).tolist()
    }


def save(directory: Path, critic: Critic) -> None:
    """Write both files; the description last, so that a cut write is not a critic."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{fold}.{name}": tensor.cpu().contiguous()
        for fold, network in enumerate(critic.networks)
        for name, tensor in network.state_dict().items()
    }
    weights = save_tensors(tensors)
    description = {
        "format": _FORMAT,
        "version": critic.version,
        "spec": json.loads(critic.spec.to_json()),
        "config": dataclasses.asdict(critic.config),
        "advantage": dataclasses.asdict(critic.advantage),
        "tasks": {name: _scale_to_dict(scale) for name, scale in critic.tasks.items()},
        "networks": [_network_to_dict(network) for network in critic.networks],
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    (directory / WEIGHTS_FILE).write_bytes(weights)
    (directory / DESCRIPTION_FILE).write_text(json.dumps(description, indent=1, sort_keys=True) + "\n")


def load(directory: Path) -> Critic:
    """Read and verify a critic; weights on the CPU, in evaluation mode.

    Raises:
        WeightsRejected: a file is missing, cut short or altered; a weight is not finite or misshapen.
    """
    try:
        description = json.loads((directory / DESCRIPTION_FILE).read_text())
        weights = (directory / WEIGHTS_FILE).read_bytes()
        if hashlib.sha256(weights).hexdigest() != description["weights_sha256"]:
            raise SchemaError("the weights are not those described")
        return _read(description, load_tensors(weights))
    except _DAMAGE as error:
        raise WeightsRejected("not a whole critic", directory=str(directory), cause=str(error)) from error


def _read(description: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Critic:
    if description["format"] != _FORMAT or not description["networks"]:
        raise SchemaError("unknown critic format", format=description["format"])
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise SchemaError("a weight is not finite")
    spec = EmbodimentSpec.from_json(json.dumps(description["spec"]))
    config = ValueConfig(**description["config"])
    _refuse_oversized(description, config, spec, num_weights=sum(tensor.numel() for tensor in tensors.values()))
    networks = []
    for fold, fields in enumerate(description["networks"]):
        network, prefix = _untrained(fields, config, spec), f"{fold}."
        own = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
        network.load_state_dict(own)
        networks.append(network.eval())
    return Critic(
        spec=spec,
        config=config,
        advantage=AdvantageConfig(**description["advantage"]),
        networks=tuple(networks),
        tasks={name: _scale(fields) for name, fields in description["tasks"].items()},
        version=description["version"],
    )


def _refuse_oversized(
    description: dict[str, Any], config: ValueConfig, spec: EmbodimentSpec, *, num_weights: int
) -> None:
    """As for a policy: nothing is built that these weights cannot fill."""
    names = ("num_bins", "width", "stem_channels", "num_keypoints")
    refuse_oversized({name: getattr(config, name) for name in names}, num_weights)
    shape, width = frame_shape(spec), config.width
    stems = num_stem_weights(shape, config.stem_channels, config.num_keypoints, width)
    num_inputs = shape[0] * (2 * config.num_keypoints + width) + width + len(spec.state) + len(spec.tactile)
    head = 2 * width * (num_inputs + width) + width * config.num_bins
    words = width * sum(len(fields["words"]) for fields in description["networks"])
    refuse_oversized({"all networks": len(description["networks"]) * (stems + head) + words}, num_weights)


def _untrained(fields: dict[str, Any], config: ValueConfig, spec: EmbodimentSpec) -> ValueNetwork:
    state, tactile = _affine(fields["state"]), _affine(fields["tactile"])
    if (len(state.centre), len(tactile.centre)) != (len(spec.state), len(spec.tactile)):
        raise SchemaError("the statistics are not the spec's")
    with torch.random.fork_rng(devices=[]):
        return ValueNetwork(config, spec, Vocabulary(fields["words"]), state, tactile)


def _scale_to_dict(scale: TaskScale) -> dict[str, float | None]:
    """JSON knows no infinity: null in its place."""
    return {name: value if math.isfinite(value) else None for name, value in dataclasses.asdict(scale).items()}


def _scale(fields: Mapping[str, float | None]) -> TaskScale:
    return TaskScale(**{name: math.inf if value is None else value for name, value in fields.items()})


def _network_to_dict(network: ValueNetwork) -> dict[str, Any]:
    return {
        "words": list(network.vocabulary.words),
        "state": _affine_to_dict(network.state),
        "tactile": _affine_to_dict(network.tactile),
    }


def _affine_to_dict(affine: Affine) -> dict[str, list[float]]:
    return {"centre": [float(value) for value in affine.centre], "scale": [float(value) for value in affine.scale]}


def _affine(fields: Mapping[str, list[float]]) -> Affine:
    return Affine(centre=np.array(fields["centre"], np.float32), scale=np.array(fields["scale"], np.float32))
