"""TrainState: all that an interrupted training needs to go on to the same losses; how it is kept.

    <directory>/state-000000700/  policy/ (a checkpoint)   state.safetensors   state.json

A state is written beside and renamed into place, so a kill leaves the one before. It names the data
(pin), holds that data's labels, and every random number of an update derives from (seed, update): no
generator state is needed. Never a pickle.
"""

import dataclasses
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from learner.critic import CriticReport
from learner.labels import Labels
from learner.mix import MixConfig, OnlineShare
from learner.sample_counts import COLUMNS as COUNT_COLUMNS
from learner.sample_counts import SampleCounts
from learner.update import UpdateConfig, make_optimizer
from policy import checkpoint
from policy.errors import SchemaError, WeightsRejected
from policy.policy import Policy

_TENSORS, _FIELDS, _POLICY = "state.safetensors", "state.json", "policy"
_NUM_KEPT = 2
_LABEL_COLUMNS = ("pool", "value", "return_to_go", "advantage", "is_goal")


@dataclasses.dataclass(kw_only=True, eq=False)
class TrainState:
    """One round of training, somewhere on its way."""

    round: int
    """0 for the base, then counting candidates."""
    seed: int
    pin: str
    """JSON of the data watermark: what this round learns from."""
    num_rollouts: int
    """Episodes of robots at work in it."""
    labels: Labels
    num_updates: int
    """Updates this round will do."""
    update: int
    """Updates it has done."""
    policy: Policy
    optimizer: torch.optim.AdamW
    ema: dict[str, Tensor]
    """Averaged weights by name; what is published."""
    online: OnlineShare
    losses: list[float]
    """Mean loss of every update of this round."""
    counts: SampleCounts = dataclasses.field(default_factory=SampleCounts)
    """How often each episode was drawn from in this round."""
    published: str = ""
    """Version of the published candidate; empty until then."""
    attempt: int = 0
    """Bases that were tried before the one of this training."""
    is_abandoned: bool = False
    """Its data are gone, so the round begins anew; not kept."""
    is_rejected: bool = False
    """A base that the judge rejected, so another one is tried; not kept."""

    @classmethod
    def begin(
        cls,
        policy: Policy,
        *,
        round: int,
        seed: int,
        pin: str,
        num_rollouts: int,
        labels: Labels,
        num_updates: int,
        update_config: UpdateConfig,
        mix_config: MixConfig,
        attempt: int = 0,
    ) -> "TrainState":
        """A fresh optimizer on some weights."""
        policy.network.train()
        return cls(
            round=round,
            seed=seed,
            pin=pin,
            num_rollouts=num_rollouts,
            labels=labels,
            num_updates=num_updates,
            update=0,
            policy=policy,
            optimizer=make_optimizer(policy.network.parameters(), update_config),
            ema={name: value.clone() for name, value in policy.network.state_dict().items()},
            online=OnlineShare(mix_config),
            losses=[],
            attempt=attempt,
        )

    @property
    def is_trained(self) -> bool:
        """Whether all updates of the round are done."""
        return self.update >= self.num_updates

    @property
    def train_id(self) -> str:
        """Names this round's training: the same id is never published twice."""
        return f"{self.round}-{self.seed}-{hashlib.sha256(self.pin.encode()).hexdigest()[:12]}"

    def averaged_policy(self) -> Policy:
        """A policy of the averaged weights, in evaluation mode; shares nothing with this one."""
        with torch.random.fork_rng(devices=[]):
            policy = self.policy.untrained()
        policy.network.load_state_dict(self.ema)
        policy.network.to(self.policy.device).eval()
        return policy


def save(directory: Path, state: TrainState) -> Path:
    """Write a state, whole or not at all, and let older ones go."""
    # Names sort in the order of writing: "1-0..." of another base comes after "000..." of the first.
    attempt = f"{state.attempt}-" if state.attempt else ""
    published = "-published" if state.published else ""
    target = directory / f"state-{state.round:04d}-{attempt}{state.update:08d}{published}"
    draft = directory / f".draft-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    checkpoint.save(draft / _POLICY, state.policy)
    tensors = save_tensors(_tensors(state))
    fields = {
        "tensors_sha256": hashlib.sha256(tensors).hexdigest(),
        "round": state.round,
        "seed": state.seed,
        "pin": state.pin,
        "num_rollouts": state.num_rollouts,
        "num_updates": state.num_updates,
        "update": state.update,
        "online": state.online.to_dict(),
        "losses": state.losses,
        "published": state.published,
        "attempt": state.attempt,
        "report": dataclasses.asdict(state.labels.report) if state.labels.report else None,
    }
    (draft / _TENSORS).write_bytes(tensors)
    (draft / _FIELDS).write_text(json.dumps(fields))
    for file in draft.rglob("*"):
        _sync(file)
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    _sync(directory)
    for old in _saved(directory)[:-_NUM_KEPT]:
        shutil.rmtree(old)
    return target


def load_latest(
    directory: Path, *, update_config: UpdateConfig, mix_config: MixConfig, device: torch.device
) -> TrainState | None:
    """The newest whole state; None where there is none."""
    for path in reversed(_saved(directory)):
        try:
            return load(path, update_config=update_config, mix_config=mix_config, device=device)
        except (OSError, ValueError, KeyError, SafetensorError, WeightsRejected):
            continue  # cut short by something worse than a kill: the one before is whole
    return None


def load(path: Path, *, update_config: UpdateConfig, mix_config: MixConfig, device: torch.device) -> TrainState:
    """The state that `save` wrote to a folder.

    Raises:
        SchemaError: it is damaged.
        WeightsRejected: its policy is.
        OSError, ValueError, KeyError, SafetensorError: so is something else of it.
    """
    fields = json.loads((path / _FIELDS).read_text())
    data = (path / _TENSORS).read_bytes()
    if hashlib.sha256(data).hexdigest() != fields["tensors_sha256"]:
        raise SchemaError("a damaged train state", path=str(path))
    tensors = load_tensors(data)
    policy = checkpoint.load(path / _POLICY)
    policy.network.to(device).train()
    optimizer = make_optimizer(policy.network.parameters(), update_config)
    _restore_optimizer(optimizer, _with_prefix(tensors, "optimizer."))
    online = OnlineShare(mix_config)
    online.restore(fields["online"])
    report = fields["report"]
    columns: dict[str, Any] = {name: tensors[f"labels.{name}"].numpy() for name in _LABEL_COLUMNS}
    return TrainState(
        round=fields["round"],
        seed=fields["seed"],
        pin=fields["pin"],
        num_rollouts=fields["num_rollouts"],
        labels=Labels(**columns, report=_report(report) if report else None),
        num_updates=fields["num_updates"],
        update=fields["update"],
        policy=policy,
        optimizer=optimizer,
        ema={name: value.to(device) for name, value in _with_prefix(tensors, "ema.").items()},
        online=online,
        losses=fields["losses"],
        counts=SampleCounts(**{name: values.numpy() for name, values in _with_prefix(tensors, "counts.").items()}),
        published=fields["published"],
        attempt=fields.get("attempt", 0),
    )


def _report(fields: dict[str, Any]) -> CriticReport:
    return CriticReport(**{**fields, "calibration": tuple(tuple(group) for group in fields["calibration"])})


def _tensors(state: TrainState) -> dict[str, Tensor]:
    tensors = {f"ema.{name}": value.cpu().contiguous() for name, value in state.ema.items()}
    for index, slots in state.optimizer.state_dict()["state"].items():
        for name, value in slots.items():
            tensors[f"optimizer.{index}.{name}"] = torch.as_tensor(value).cpu().contiguous()
    for name in _LABEL_COLUMNS:
        tensors[f"labels.{name}"] = torch.tensor(getattr(state.labels, name))
    for name in COUNT_COLUMNS:
        tensors[f"counts.{name}"] = torch.tensor(getattr(state.counts, name))
    return tensors


def _restore_optimizer(optimizer: torch.optim.AdamW, tensors: dict[str, Tensor]) -> None:
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".")
        slots.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _saved(directory: Path) -> list[Path]:
    return sorted(directory.glob("state-*"))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
