"""A policy on disk: a directory of `weights.safetensors` and `policy.json`; never a pickle.

`policy.json` holds config, embodiment spec, vocabulary, statistics, the hash of the weights file and, where
words are pretrained, that of their table, which is not part of the checkpoint; a policy of several bodies has spec
and statistics of each, and its weights hold what bodies share once. Nothing that is cut short, altered, not finite,
of another body or of another table comes out of `load`.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from policy.batch import frame_shape
from policy.encoder import num_stem_weights
from policy.errors import SchemaError, WeightsRejected
from policy.network import PolicyConfig, Words
from policy.policy import Body, Policy
from policy.spec import EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Normaliser
from policy.word_pieces import PACKAGE, installed

WEIGHTS_FILE = "weights.safetensors"
DESCRIPTION_FILE = "policy.json"
_FORMAT = 3
"""1 and 2 were of networks without a goal."""


def save(directory: Path, policy: Policy) -> None:
    """Write both files; the description last, so that a cut write is not a checkpoint."""
    directory.mkdir(parents=True, exist_ok=True)
    # Parameters by name, each once: what bodies share lies under the name that the first has for it.
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in policy.network.named_parameters()}
    weights = save_tensors(tensors)
    description = {
        "format": _FORMAT,
        "config": dataclasses.asdict(policy.config),
        **_describe_body(policy),
        "others": [_describe_body(other) for other in policy.others],
        "words": list(policy.vocabulary.words),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "word_pieces_sha256": _table_hash(policy.config),
    }
    (directory / WEIGHTS_FILE).write_bytes(weights)
    (directory / DESCRIPTION_FILE).write_text(json.dumps(description, indent=1, sort_keys=True) + "\n")


def load(directory: Path, *, spec: EmbodimentSpec | None = None) -> Policy:
    """Read and verify a checkpoint; weights on the CPU, in evaluation mode.

    Args:
        directory: what `save` wrote.
        spec: the body that the weights shall drive: its policy is what is returned; None accepts any, and returns
            the whole.

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
        tensors = load_tensors(weights)
        policy = _untrained(description, num_weights=sum(tensor.numel() for tensor in tensors.values()))
        _fill(policy, tensors)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
        raise _rejected(directory, "not a whole checkpoint", cause=str(error)) from error
    if spec is None:
        return policy
    try:
        return policy.of(spec.spec_id)
    except SchemaError as error:
        raise _rejected(directory, "of another embodiment", expected=spec.name, cause=str(error)) from error


def refuse_oversized(sizes: Mapping[str, object], num_weights: int) -> None:
    """Refuse what so few weights cannot have, before memory and time are taken for it.

    Args:
        sizes: by name, as somebody else's description says; a product only of sizes that passed.
        num_weights: in the file.

    Raises:
        SchemaError: names the size.
    """
    for name, size in sizes.items():
        if type(size) is not int or size > num_weights:
            raise SchemaError("a size that these weights cannot have", size=name, got=size, num_weights=num_weights)


def _describe_body(policy: Policy) -> dict[str, Any]:
    return {"spec": json.loads(policy.spec.to_json()), "normaliser": policy.normaliser.to_dict()}


def _body(fields: dict[str, Any]) -> Body:
    spec = EmbodimentSpec.from_json(json.dumps(fields["spec"]))
    normaliser = Normaliser.from_dict(fields["normaliser"])
    for name, channels in (("state", spec.state), ("tactile", spec.tactile), ("action", spec.action)):
        if len(getattr(normaliser, name).centre) != len(channels):
            raise SchemaError("the statistics are not the spec's", field=name)
    return Body(spec=spec, normaliser=normaliser)


def _untrained(description: dict[str, Any], *, num_weights: int) -> Policy:
    if description["format"] != _FORMAT:
        raise SchemaError("unknown checkpoint format", format=description["format"])
    body = _body(description)
    others = [_body(fields) for fields in description["others"]]
    config = _config(description["config"])
    _refuse_oversized(config, [body.spec, *(other.spec for other in others)], num_weights)
    expected = description["word_pieces_sha256"]
    if expected != _table_hash(config):
        raise SchemaError(f"trained with another table of words: install its release of {PACKAGE}", expected=expected)
    with torch.random.fork_rng():
        return Policy.create(config, body.spec, Vocabulary(description["words"]), body.normaliser, others)


def _config(fields: dict[str, Any]) -> PolicyConfig:
    return PolicyConfig(**{**fields, "words": Words(fields["words"])})


def _refuse_oversized(config: PolicyConfig, specs: Sequence[EmbodimentSpec], num_weights: int) -> None:
    fields = (field.name for field in dataclasses.fields(config) if field.name != "words")
    refuse_oversized({name: getattr(config, name) for name in fields}, num_weights)
    num_layers = config.num_prefix_layers + config.num_expert_layers
    stem = config.stem_channels, config.num_keypoints, config.width
    stems = {f"cameras of body {n}": num_stem_weights(frame_shape(spec), *stem) for n, spec in enumerate(specs)}
    refuse_oversized(stems | {"all layers": num_layers * config.width**2 * config.mlp_factor}, num_weights)


def _table_hash(config: PolicyConfig) -> str:
    return installed().sha256 if config.words is Words.PRETRAINED else ""


def _fill(policy: Policy, tensors: dict[str, torch.Tensor]) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise SchemaError("a weight is not finite", tensor=name)
    own = dict(policy.network.named_parameters())
    expected, found = ({(name, tuple(t.shape)) for name, t in part.items()} for part in (own, tensors))
    if expected != found:
        raise SchemaError("weights that are not this network's", differ=sorted(expected ^ found)[:4])
    with torch.no_grad():
        for name, tensor in tensors.items():
            own[name].copy_(tensor)
    policy.network.eval()


def _rejected(directory: Path, message: str, **details: object) -> WeightsRejected:
    return WeightsRejected(message, directory=str(directory), **details)
