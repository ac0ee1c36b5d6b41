"""Other replay buffers, each in a few lines: filled with the same steps, asked for the same batch.

None of them is a dependency; those that can be imported are measured, the others are named. Each is given what its
own documentation shows for steps with pictures on disk, the actions that follow a step ready as one column.

    torchrl    LazyMemmapStorage, whole batches by index
    cpprb      its C++ ring with memory-mapped columns
    reverb     a server in this process, uniform sampler, read as a TensorFlow data set of batches
    lerobot    LeRobotDataset with pictures (PNG) and action chunks by `delta_timestamps`, collated
"""

import dataclasses
import importlib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policy.schema import Float32, UInt8

Draw = Callable[[], object]
"""One batch."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """The steps that every buffer holds; N of them, in episodes of equal length."""

    frames: UInt8
    """uint8[N, C, height, width, 3]."""
    state: Float32
    """float32[N, S]."""
    tactile: Float32
    """float32[N, T]."""
    actions: Float32
    """float32[N, H, A], the actions that follow a step."""
    episode_steps: int
    rate_hz: float

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All columns, by name."""
        return {"frames": self.frames, "state": self.state, "tactile": self.tactile, "actions": self.actions}

    def __len__(self) -> int:
        return len(self.state)


def torchrl(folder: Path, columns: Columns, batch_size: int) -> Draw:
    """TorchRL's memory-mapped buffer."""
    data: Any = importlib.import_module("torchrl.data")
    tensordict: Any = importlib.import_module("tensordict")
    torch: Any = importlib.import_module("torch")
    storage = data.LazyMemmapStorage(len(columns), scratch_dir=str(folder))
    buffer = data.TensorDictReplayBuffer(storage=storage, batch_size=batch_size)
    tensors = {name: torch.from_numpy(array) for name, array in columns.arrays.items()}
    buffer.extend(tensordict.TensorDict(tensors, batch_size=[len(columns)]))
    draw: Draw = buffer.sample
    return draw


def cpprb(folder: Path, columns: Columns, batch_size: int) -> Draw:
    """The ring of cpprb."""
    module: Any = importlib.import_module("cpprb")
    fields = {name: {"shape": array.shape[1:], "dtype": array.dtype} for name, array in columns.arrays.items()}
    buffer = module.ReplayBuffer(len(columns), fields, mmap_prefix=str(folder / "column"))
    buffer.add(**columns.arrays)
    return lambda: buffer.sample(batch_size)


def reverb(folder: Path, columns: Columns, batch_size: int) -> Draw:
    """DeepMind's Reverb."""
    module: Any = importlib.import_module("reverb")
    tensorflow: Any = importlib.import_module("tensorflow")
    arrays = list(columns.arrays.values())
    table = module.Table(
        name="steps",
        sampler=module.selectors.Uniform(),
        remover=module.selectors.Fifo(),
        max_size=len(columns),
        rate_limiter=module.rate_limiters.MinSize(1),
    )
    server = module.Server([table])
    address = f"localhost:{server.port}"
    with module.Client(address).writer(max_sequence_length=1) as writer:
        for number in range(len(columns)):
            writer.append([array[number] for array in arrays])
            writer.create_item("steps", 1, 1.0)
    steps = module.TimestepDataset(
        address,
        "steps",
        dtypes=[tensorflow.as_dtype(array.dtype) for array in arrays],
        shapes=[tensorflow.TensorShape(array.shape[1:]) for array in arrays],
        max_in_flight_samples_per_worker=2 * batch_size,
    )
    batches = iter(steps.batch(batch_size))

    def draw() -> object:
        assert server is not None  # lives as long as its reader
        return [tensor.numpy() for tensor in next(batches).data]

    return draw


def lerobot(folder: Path, columns: Columns, batch_size: int) -> Draw:
    """LeRobot's dataset."""
    module: Any = importlib.import_module("lerobot.datasets.lerobot_dataset")
    collate: Any = importlib.import_module("torch.utils.data").default_collate
    fps, num_cameras, horizon = round(columns.rate_hz), columns.frames.shape[1], columns.actions.shape[1]
    features: dict[str, Any] = {
        name: {"dtype": "float32", "shape": (array.shape[-1],), "names": None}
        for name, array in (
            ("observation.state", columns.state),
            ("observation.tactile", columns.tactile),
            ("action", columns.actions),
        )
    }
    for camera in range(num_cameras):
        shape, names = columns.frames.shape[2:], ["height", "width", "channels"]
        features[f"observation.images.camera_{camera}"] = {"dtype": "image", "shape": shape, "names": names}
    written = module.LeRobotDataset.create("bench/replay", fps, features, root=folder / "data", use_videos=False)
    for number in range(len(columns)):
        images = {f"observation.images.camera_{c}": columns.frames[number, c] for c in range(num_cameras)}
        arrays = {"observation.state": columns.state[number], "observation.tactile": columns.tactile[number]}
        written.add_frame({**images, **arrays, "action": columns.actions[number, 0], "task": "bench"})
        if (number + 1) % columns.episode_steps == 0:
            written.save_episode()
    written.finalize()
    ahead = {"action": [step / fps for step in range(horizon)]}
    dataset = module.LeRobotDataset("bench/replay", root=folder / "data", delta_timestamps=ahead)
    rng = np.random.default_rng(0)
    return lambda: collate([dataset[int(index)] for index in rng.integers(len(dataset), size=batch_size)])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Peer:
    """One of them."""

    fill: Callable[[Path, Columns, int], Draw]
    """Write the steps; returns what draws a batch.

    Raises:
        ImportError: it is not installed.
    """
    package: str
    num_batches: int = 10
    """Drawn in one turn."""


PEERS = {
    "torchrl": Peer(fill=torchrl, package="torchrl"),
    "cpprb": Peer(fill=cpprb, package="cpprb"),
    "reverb": Peer(fill=reverb, package="dm-reverb"),
    "lerobot": Peer(fill=lerobot, package="lerobot", num_batches=1),
}


def version_of(peer: Peer) -> str:
    """Name and version of its package."""
    return f"{peer.package} {metadata.version(peer.package)}"
