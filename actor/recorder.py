"""Records leave the robot here, on a thread of their own; the control loop never waits for it.

    control thread                 recorder thread                                  bus's thread
      put(topic, record, frames) -> queue -> JPEG -> spool (disk) -> producer.send --> acknowledged
                                                       ^  |                                |
                                     broker away: waits   '-- removed <-------- results <--'

A few steps per message, several messages a second. A robot on its own clock lets the scheduler look at
`is_behind`; in real time a full queue gives up the newest steps, counted like every other drop.
"""

import contextlib
import dataclasses
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from actor.journal import Stream
from actor.outbox import Outbox
from actor.spool import Spool
from infra.bus import Producer
from infra.metrics import Metrics
from infra.topics import EPISODES, STEPS, TELEMETRY, Topic
from policy.errors import BusError, ConfigError
from policy.pictures import encode_jpeg
from policy.schema import ControlMode, Episode, Step, Telemetry, UInt8

_LOG = logging.getLogger(__name__)
_PERSON = (ControlMode.CORRECTING, ControlMode.PAUSED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecorderConfig:
    """How records leave."""

    flush_period_s: float = 0.2
    """Steps of this long travel together."""
    jpeg_quality: int = 95
    """Of recorded frames, 1 to 95; 0 records raw pixels."""
    queue_steps: int = 2_000
    """Steps between control loop and recorder: about 50 MB at two 64x64 cameras."""
    spool_bytes: int = 512 << 20
    """Most bytes on disk while the broker is away."""
    in_flight_bytes: int = 16 << 20
    """Most bytes with the producer at a time; what is there cannot be given up for newer steps."""
    stuck_after_s: float = 150.0
    """A producer that says neither yes nor no for so long is replaced; above kafka.delivery_timeout_s."""

    def __post_init__(self) -> None:
        if not (self.flush_period_s > 0 and self.stuck_after_s > 0):
            raise ConfigError("recorder.flush_period_s and recorder.stuck_after_s must be above 0")
        if not 0 <= self.jpeg_quality <= 95:
            raise ConfigError("recorder.jpeg_quality must lie in 0..95", jpeg_quality=self.jpeg_quality)
        if min(self.queue_steps, self.spool_bytes, self.in_flight_bytes) < 1:
            raise ConfigError("recorder's bounds must be at least 1", queue_steps=self.queue_steps)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Item:
    topic: Topic
    record: Any
    frames: tuple[UInt8, ...]


class Recorder:
    """The records of all robots of one process."""

    def __init__(
        self,
        directory: Path,
        connect: Callable[[], Producer],
        config: RecorderConfig,
        metrics: Metrics,
        *,
        on_episode: Callable[[Episode], None] = lambda episode: None,
    ) -> None:
        """Open the spool and start the thread.

        Args:
            directory: the spool's; no other process may use it.
            connect: makes a producer without waiting for the broker; closed here.
            config: bounds and rates.
            metrics: of the service.
            on_episode: told, on the recorder's thread, of each episode that is safe on disk.

        Raises:
            ConfigError: another process uses the directory.
        """
        self._config, self._metrics, self._on_episode = config, metrics, on_episode
        self._spool = Spool(directory, config.spool_bytes, self._count_drop)
        self._outbox = Outbox(
            self._spool,
            connect,
            in_flight_bytes=config.in_flight_bytes,
            stuck_after_s=config.stuck_after_s,
            metrics=metrics,
        )
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._lost: queue.SimpleQueue[Stream] = queue.SimpleQueue()
        self._num_in_hand = self._spool.num_entries
        self._waiting: Mapping[str, int] = self._spool.waiting()
        self._num_bytes = self._spool.num_bytes
        self._is_closing = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    # --- control thread: never waits -------------------------------------------------------------

    def put(self, topic: Topic, record: Any, frames: Sequence[UInt8] = ()) -> None:
        """Hand a record over; a step's frames are encoded later, so nobody may write to them.

        Raises:
            RuntimeError: the recorder's thread ended; a robot that leaves no record must not go on.
        """
        if self._error is not None:
            raise RuntimeError("the recorder ended") from self._error
        if topic is STEPS and self._queue.qsize() >= self._config.queue_steps:
            self._lost.put((topic.name, record.robot_id, record.boot_id))
        else:
            self._queue.put(_Item(topic=topic, record=record, frames=tuple(frames)))

    @property
    def is_behind(self) -> bool:
        """Whether a robot on its own clock should wait: the queue is half full."""
        return self._queue.qsize() > self._config.queue_steps // 2

    @property
    def num_unacknowledged(self) -> int:
        """Records in the queue and batches behind it that the broker does not have yet."""
        return self._queue.qsize() + self._num_in_hand

    def waiting(self, robot_id: str) -> tuple[int, int]:
        """A robot's records on disk that the broker does not have, and the bytes of all robots' together."""
        return self._waiting.get(robot_id, 0), self._num_bytes

    def problem(self) -> str | None:
        """Why records do not leave; for `/healthz`."""
        return None if self._error is None else f"the recorder ended: {self._error}"

    def drain(self, timeout_s: float) -> int:
        """Wait until the broker has everything; returns what is left."""
        deadline = time.monotonic() + timeout_s
        while self.num_unacknowledged and self._thread.is_alive() and time.monotonic() < deadline:
            self._thread.join(self._config.flush_period_s / 4)
        return self.num_unacknowledged

    def close(self, timeout_s: float = 5.0) -> int:
        """Write what is queued to disk, give the broker a while, and let go; returns what is left."""
        num_left = self.drain(timeout_s)
        self._is_closing.set()
        self._thread.join()
        return num_left

    # --- recorder thread -------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._is_closing.wait(self._config.flush_period_s):
                self._cycle()
            self._cycle()
        except Exception as error:
            self._error = error
            _LOG.exception("the recorder ended")
        finally:
            self._outbox.close()
            self._spool.close()

    def _cycle(self) -> None:
        self._outbox.settle()
        self._num_in_hand += 1  # until the spool counts what is taken from the queue
        fresh = self._write(self._take())
        self._count_lost()
        self._outbox.send(fresh)
        self._outbox.settle()
        self._num_in_hand = self._spool.num_entries
        self._waiting, self._num_bytes = self._spool.waiting(), self._spool.num_bytes
        self._metrics.set("touchline_spool_bytes", self._num_bytes)

    def _take(self) -> list[_Item]:
        items: list[_Item] = []
        with contextlib.suppress(queue.Empty):
            while len(items) < self._config.queue_steps:
                items.append(self._queue.get_nowait())
        return items

    def _write(self, items: list[_Item]) -> dict[int, list[Any]]:
        """One spool entry per topic and worth; returns the records of each by its index."""
        groups: dict[tuple[str, bool], tuple[Topic, list[Any]]] = {}
        for item in items:
            if isinstance(item.record, Telemetry):
                self._tell(item.record)
                continue
            record = self._encoded(item) if isinstance(item.record, Step) else item.record
            is_precious = not isinstance(record, Step) or record.control_mode in _PERSON
            groups.setdefault((item.topic.name, is_precious), (item.topic, []))[1].append(record)
        fresh = {}
        for (_, is_precious), (topic, records) in groups.items():
            if entry := self._spool.add(topic, records, is_precious=is_precious):
                fresh[entry.index] = records
            for record in records if topic is EPISODES else ():
                self._on_episode(record)
        return fresh

    def _encoded(self, item: _Item) -> Step:
        self._metrics.count("touchline_steps_recorded_total", robot=item.record.robot_id)
        frames = tuple(encode(frame, self._config.jpeg_quality) for frame in item.frames)
        step: Step = dataclasses.replace(item.record, frames=frames)
        return step

    def _tell(self, telemetry: Telemetry) -> None:
        """Telemetry is about now: completed here, and never kept for later."""
        stream = (STEPS.name, telemetry.robot_id, telemetry.boot_id)
        complete = dataclasses.replace(
            telemetry,
            num_steps=self._spool.recorded(stream),
            num_steps_dropped=self._spool.dropped(stream),
            num_steps_delivered=self._spool.delivered(stream),
            spool_bytes=self._spool.num_bytes,
        )
        with contextlib.suppress(BusError):
            self._outbox.producer.send(TELEMETRY, [complete])

    def _count_lost(self) -> None:
        lost: Counter[Stream] = Counter()
        with contextlib.suppress(queue.Empty):
            while True:
                lost[self._lost.get_nowait()] += 1
        if lost:
            self._spool.lose(lost, is_precious=False)

    def _count_drop(self, counts: Mapping[Stream, int], is_precious: bool) -> None:
        kind = "correction" if is_precious else "autonomous"
        for (topic, robot_id, _), num in counts.items():
            if topic == STEPS.name:
                self._metrics.count("touchline_steps_dropped_total", num, robot=robot_id, kind=kind)


def encode(frame: UInt8, jpeg_quality: int) -> bytes:
    """One picture, uint8[height, width, 3], as JPEG; raw at quality 0."""
    return encode_jpeg(frame, jpeg_quality) if jpeg_quality else frame.tobytes()
