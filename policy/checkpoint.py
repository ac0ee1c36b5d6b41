"""A policy on disk: a directory of `weights.safetensors` and `policy.json`; never a pickle.

`policy.json` holds config, embodiment spec, vocabulary, statistics, the hash of the weights file and, where
words are pretrained, that of their table, which is not part of the checkpoint. Nothing that is cut short,
altered, not finite, of another body or of another table comes out of `load`.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from policy.errors import SchemaError, WeightsRejected
from policy.network import PolicyConfig, Words
from policy.policy import Policy
from policy.spec import EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Normaliser
from policy.word_pieces import PACKAGE, installed

WEIGHTS_FILE = "weights.safetensors"
DESCRIPTION_FILE = "policy.json"
_FORMAT = 1


def save(directory: Path, policy: Policy) -> None:
    """Write both files; the description last, so that a cut write is not a checkpoint."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.cpu().contiguous() for name, tensor in policy.network.state_dict().items()}
    weights = save_tensors(tensors)
    description = {
        "format": _FORMAT,
        "config": dataclasses.asdict(policy.config),
        "spec": json.loads(policy.spec.to_json()),
        "words": list(policy.vocabulary.words),
        "normaliser": policy.normaliser.to_dict(),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "word_pieces_sha256": _table_hash(policy.config),
    }
    (directory / WEIGHTS_FILE).write_bytes(weights)
    (directory / DESCRIPTION_FILE).write_text(json.dumps(description, indent=1, sort_keys=True) + "\n")


def load(directory: Path, *, spec: EmbodimentSpec | None = None) -> Policy:
    """Read and verify a checkpoint; weights on the CPU, in evaluation mode.

    Args:
        directory: what `save` wrote.
        spec: the body that the weights shall drive; None accepts any.

    Raises:
        WeightsRejected: a file is missing, cut short or altered; a weight is not finite or misshapen;
            the statistics are not the spec's; the table of words is missing or another one; or the checkpoint
            is of another embodiment.
    """
    try:
        description = json.loads((directory / DESCRIPTION_FILE).read_text())
        weights = (directory / WEIGHTS_FILE).read_bytes()
        found = hashlib.sha256(weights).hexdigest()
        if found != description["weights_sha256"]:
            raise _rejected(directory, "the weights are not those described", found=found)
        policy = _describe(description)
        _fill(policy, load_tensors(weights))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise _rejected(directory, "not a whole checkpoint", cause=str(error)) from error
    if spec is not None and policy.spec.spec_id != spec.spec_id:
        raise _rejected(directory, "of another embodiment", found=policy.spec.name, expected=spec.name)
    return policy


def _describe(description: dict[str, Any]) -> Policy:
    if description["format"] != _FORMAT:
        raise SchemaError("unknown checkpoint format", format=description["format"])
    spec = EmbodimentSpec.from_json(json.dumps(description["spec"]))
    normaliser = Normaliser.from_dict(description["normaliser"])
    for name, channels in (("state", spec.state), ("tactile", spec.tactile), ("action", spec.action)):
        if len(getattr(normaliser, name).centre) != len(channels):
            raise SchemaError("the statistics are not the spec's", field=name)
    config = _config(description["config"])
    expected = description.get("word_pieces_sha256", "")
    if expected != _table_hash(config):
        raise SchemaError(f"trained with another table of words: install its release of {PACKAGE}", expected=expected)
    with torch.random.fork_rng():
        return Policy.create(config, spec, Vocabulary(description["words"]), normaliser)


def _config(fields: dict[str, Any]) -> PolicyConfig:
    # Before words could be pretrained, checkpoints did not say how they were had.
    return PolicyConfig(**{**fields, "words": Words(fields.get("words", Words.LEARNED))})


def _table_hash(config: PolicyConfig) -> str:
    return installed().sha256 if config.words is Words.PRETRAINED else ""


def _fill(policy: Policy, tensors: dict[str, torch.Tensor]) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise SchemaError("a weight is not finite", tensor=name)
    try:
        policy.network.load_state_dict(tensors)
    except RuntimeError as error:
        raise SchemaError("weights that are not this network's", cause=str(error)) from error
    policy.network.eval()


def _rejected(directory: Path, message: str, **details: object) -> WeightsRejected:
    return WeightsRejected(message, directory=str(directory), **details)
