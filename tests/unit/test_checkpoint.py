import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from policy import word_pieces
from policy.batch import ObservationBatch
from policy.checkpoint import DESCRIPTION_FILE, WEIGHTS_FILE, load, save
from policy.errors import WeightsRejected
from policy.flow import Guidance
from policy.policy import Policy
from policy.spec import EmbodimentSpec
from policy.word_pieces import installed


@pytest.fixture
def checkpoint(tmp_path: Path, small_policy: Policy) -> Path:
    save(tmp_path, small_policy)
    return tmp_path


def edit(checkpoint: Path, **fields: object) -> None:
    path = checkpoint / DESCRIPTION_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def edit_weights(checkpoint: Path, weights: bytes) -> None:
    """Replaces the weights by others that are described truthfully."""
    (checkpoint / WEIGHTS_FILE).write_bytes(weights)
    edit(checkpoint, weights_sha256=hashlib.sha256(weights).hexdigest())


def test_a_checkpoint_acts_like_the_policy(
    checkpoint: Path,
    small_policy: Policy,
    observations_of: Callable[[EmbodimentSpec, int], ObservationBatch],
) -> None:
    loaded = load(checkpoint, spec=small_policy.spec)
    observations = observations_of(small_policy.spec, 3)
    ours, theirs = (
        policy.sample_chunks(observations, guidance=Guidance(), generator=torch.Generator().manual_seed(1))
        for policy in (small_policy, loaded)
    )
    np.testing.assert_array_equal(ours, theirs)
    assert (loaded.config, loaded.spec) == (small_policy.config, small_policy.spec)
    assert not loaded.network.training


def test_the_same_policy_gives_the_same_bytes(checkpoint: Path, small_policy: Policy, tmp_path: Path) -> None:
    save(tmp_path / "again", load(checkpoint))
    for name in (WEIGHTS_FILE, DESCRIPTION_FILE):
        assert (tmp_path / "again" / name).read_bytes() == (checkpoint / name).read_bytes()


def test_loading_leaves_the_random_state_alone(checkpoint: Path) -> None:
    before = torch.random.get_rng_state()
    load(checkpoint)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", [WEIGHTS_FILE, DESCRIPTION_FILE])
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_a_cut_file_is_refused(checkpoint: Path, name: str, kept: float) -> None:
    path = checkpoint / name
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(WeightsRejected):
        load(checkpoint)


@pytest.mark.parametrize("name", [WEIGHTS_FILE, DESCRIPTION_FILE])
def test_a_missing_file_is_refused(checkpoint: Path, name: str) -> None:
    (checkpoint / name).unlink()
    with pytest.raises(WeightsRejected):
        load(checkpoint)


def test_one_altered_bit_is_refused(checkpoint: Path) -> None:
    weights = bytearray((checkpoint / WEIGHTS_FILE).read_bytes())
    weights[-5] ^= 1
    (checkpoint / WEIGHTS_FILE).write_bytes(bytes(weights))
    with pytest.raises(WeightsRejected, match="not those described"):
        load(checkpoint)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, small_policy: Policy, value: float) -> None:
    with torch.no_grad():
        small_policy.network.expert.action_out.weight[0, 0] = value
    save(tmp_path, small_policy)
    with pytest.raises(WeightsRejected, match="not finite"):
        load(tmp_path)


def test_bytes_that_are_no_tensors_are_refused(checkpoint: Path) -> None:
    edit_weights(checkpoint, b"\x00" * 64)
    with pytest.raises(WeightsRejected):
        load(checkpoint)


def test_weights_of_another_size_are_refused(checkpoint: Path, small_policy: Policy) -> None:
    edit(checkpoint, config=dataclasses.asdict(dataclasses.replace(small_policy.config, width=32)))
    with pytest.raises(WeightsRejected, match="not this network"):
        load(checkpoint)


def test_another_embodiment_is_refused(checkpoint: Path, small_spec: EmbodimentSpec) -> None:
    other = dataclasses.replace(small_spec, control_rate_hz=10.0)
    with pytest.raises(WeightsRejected, match="embodiment"):
        load(checkpoint, spec=other)


@pytest.mark.parametrize(
    "fields",
    [
        {"format": 99},
        {"config": {"width": 0}},
        {"config": {"wings": 2}},
        {"config": {"words": "guessed"}},
        {"words": ["a", "a"]},
        {"normaliser": {}},
        {"normaliser": None},
        {"spec": {}},
    ],
)
def test_a_description_that_is_none_is_refused(checkpoint: Path, fields: dict[str, object]) -> None:
    edit(checkpoint, **fields)
    with pytest.raises(WeightsRejected):
        load(checkpoint)


@pytest.mark.parametrize("sizes", [{"stem_channels": 5_000}, {"num_keypoints": 10**9}, {"width": 1e300}])
def test_sizes_that_its_weights_cannot_have_are_refused_before_they_take_memory(
    checkpoint: Path, small_policy: Policy, sizes: dict[str, object]
) -> None:
    edit(checkpoint, config={**dataclasses.asdict(small_policy.config), **sizes})
    with pytest.raises(WeightsRejected, match="a size that these weights cannot have"):
        load(checkpoint)


def test_pictures_that_its_weights_cannot_see_are_refused(checkpoint: Path, small_policy: Policy) -> None:
    cameras = [{"name": "vast", "height": 8192, "width": 8192}]
    edit(checkpoint, spec={**json.loads(small_policy.spec.to_json()), "cameras": cameras})
    with pytest.raises(WeightsRejected, match="cameras of body 0"):
        load(checkpoint)


def test_a_checkpoint_without_a_goal_is_refused_by_its_format(checkpoint: Path) -> None:
    edit(checkpoint, format=1)
    with pytest.raises(WeightsRejected, match="unknown checkpoint format"):
        load(checkpoint)


def test_words_of_another_table_are_refused(checkpoint: Path) -> None:
    edit(checkpoint, word_pieces_sha256="0" * 64)
    with pytest.raises(WeightsRejected, match="wordllama"):
        load(checkpoint)


def test_a_robot_without_the_table_refuses_and_says_what_to_install(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_pieces, "PACKAGE", "no-such-package")
    installed.cache_clear()
    with pytest.raises(WeightsRejected, match="install"):
        load(checkpoint)
    installed.cache_clear()


def test_statistics_of_another_body_are_refused(checkpoint: Path) -> None:
    short = {"centre": [0.0], "scale": [1.0]}
    edit(checkpoint, normaliser={"state": short, "tactile": short, "action": short})
    with pytest.raises(WeightsRejected, match="statistics"):
        load(checkpoint)
