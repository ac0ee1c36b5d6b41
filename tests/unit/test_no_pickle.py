"""No pickle between processes: nothing of ours can read one, and each decoder that meets one says so by name."""

import ast
import functools
import hashlib
import json
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from corrections import codec, operator_messages, protocol
from infra import credentials, wire
from infra.config import read_file
from infra.enrolment import Enrolments
from infra.roster import Stamp
from infra.topics import TOPICS
from learner import critic_checkpoint
from policy import checkpoint
from policy.errors import TouchlineError
from policy.policy import Policy
from policy.spec import EmbodimentSpec
from robots.gym_spec import GymSpec
from robots.replay_robot import Recording
from storage.offsets import Ledger, SeqRanges
from tests.critic_rig import toy_critic

ROOT = Path(__file__).parents[2]
PRODUCT = (
    "policy",
    "robots",
    "infra",
    "storage",
    "corrections",
    "actor",
    "learner",
    "console",
    "demo",
    "chaos",
    "study",
)
READS_PICKLES = {
    "pickle",
    "cPickle",
    "_pickle",
    "cloudpickle",
    "dill",
    "marshal",
    "shelve",
    "joblib",
    "multiprocessing",
}
RAY = {"learner/ray_cluster.py", "learner/rllib.py", "learner/rllib_engine.py", "study/ray_jobs.py"}
"""Ray moves objects between the nodes of one cluster by pickle, inside one trust boundary: nothing that a robot, a
browser or the registry can write reaches it. Weights go in as a train state and leave the learner as safetensors,
findings as files."""
MUST_SAY = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
}


@functools.cache
def sources() -> tuple[tuple[str, ast.AST], ...]:
    files = (file for folder in PRODUCT for file in sorted((ROOT / folder).rglob("*.py")))
    return tuple((str(file.relative_to(ROOT)), ast.parse(file.read_text())) for file in files)


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def careless(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (rule := MUST_SAY.get(ast.unparse(node.func))):
            said = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if said.get(rule[0]) != str(rule[1]):
                yield ast.unparse(node)


def test_no_module_imports_what_reads_pickles() -> None:
    found = {name: READS_PICKLES.intersection(imported(tree)) for name, tree in sources()}
    assert len(found) > 200
    assert {name: modules for name, modules in found.items() if modules} == {}


def test_only_these_modules_know_ray() -> None:
    assert {name for name, tree in sources() if "ray" in imported(tree)} == RAY


def test_arrays_and_tensors_are_read_without_pickle() -> None:
    assert [call for _, tree in sources() for call in careless(tree)] == []
    assert list(careless(ast.parse("torch.load(file)\nnp.load(file, allow_pickle=True)"))) != []


class Bomb:
    """Leaves a folder behind where somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture(params=[0, 2, 5])
def bomb(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[bytes]:
    """A pickle of one protocol, text (0) and binary; it must not have gone off."""
    trace = tmp_path / "unpickled"
    yield pickle.dumps(Bomb(trace), protocol=request.param)
    assert not trace.exists()


def test_a_pickle_as_a_message_is_refused(bomb: bytes) -> None:
    for topic in TOPICS:
        refused(wire.decode, topic, bomb)
    for allowed in (protocol.FROM_ROBOT, operator_messages.FROM_OPERATOR):
        refused(codec.decode, bomb, allowed)
        refused(codec.decode, bomb.decode("latin-1"), allowed)


def test_a_pickle_as_a_file_is_refused(bomb: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bomb)
    file.chmod(0o600)
    for read in (GymSpec.load, Recording.load, credentials.read, read_file):
        refused(read, file)
    (tmp_path / "members.json").write_bytes(bomb)
    refused(Enrolments(tmp_path).roster)


def test_a_pickle_as_text_from_registry_or_table_is_refused(bomb: bytes) -> None:
    text = bomb.decode("latin-1")
    refused(EmbodimentSpec.from_json, text)
    refused(Stamp.from_text, text)
    with pytest.raises(ValueError, match="Expecting value"):
        Ledger.from_json(text, lambda boot_id: SeqRanges())


@pytest.mark.parametrize("is_described", [True, False])
def test_a_pickle_as_weights_is_refused(bomb: bytes, is_described: bool, small_policy: Policy, tmp_path: Path) -> None:
    """Also where the description gives its right hash."""
    checkpoint.save(tmp_path / "policy", small_policy)
    critic_checkpoint.save(tmp_path / "critic", toy_critic())
    for folder, module in (("policy", checkpoint), ("critic", critic_checkpoint)):
        weights, description = (tmp_path / folder / name for name in (module.WEIGHTS_FILE, module.DESCRIPTION_FILE))
        if is_described:
            said = json.loads(description.read_text()) | {"weights_sha256": hashlib.sha256(bomb).hexdigest()}
            weights.write_bytes(bomb)
            description.write_text(json.dumps(said))
        else:
            description.write_bytes(bomb)
        refused(module.load, tmp_path / folder)


def refused(read: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(TouchlineError):
        read(*arguments)
