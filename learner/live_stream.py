"""What robots and people say from now on, for the live critic; a broker that is away is as good as silence."""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator

import pyarrow as pa

from infra import wire
from infra.bus import Bus, Consumer
from infra.metrics import Metrics
from infra.topics import EPISODES, LABELS, STEPS, Topic
from learner.live_critic import LiveCritic
from learner.live_shadow import LiveShadow
from policy.errors import BusError, WireError

_LOG = logging.getLogger(__name__)
_RETRY_S = 0.5
_GLANCE_S = 0.01
"""For the topics on which little is said."""


class LiveStream:
    """The three topics that a live critic listens to; one thread at a time."""

    def __init__(
        self,
        bus: Bus,
        critic: LiveCritic,
        shadow: LiveShadow | None = None,
        *,
        metrics: Metrics,
        stopping: threading.Event,
    ) -> None:
        """Nothing is contacted before `listen`; `stopping` ends its waits, and the shadow hears of steps alone."""
        self._critic, self._shadow, self._stopping = critic, shadow, stopping
        self._steps, self._episodes, self._labels = (
            _Tail(bus, topic, metrics, stopping) for topic in (STEPS, EPISODES, LABELS)
        )

    def listen(self, duration_s: float) -> None:
        """Hand the critic what comes within this time."""
        until_s = time.monotonic() + duration_s
        while not self._stopping.is_set() and (left_s := until_s - time.monotonic()) > 0:
            for batch in self._steps.poll(left_s):
                self._critic.take_steps(batch)
                if self._shadow is not None:
                    self._shadow.take_steps(batch)
        for batch in self._episodes.poll(_GLANCE_S):
            for episode in wire.records(EPISODES, batch):
                self._critic.take_episode(episode)
        for batch in self._labels.poll(_GLANCE_S):
            for label in wire.records(LABELS, batch):
                self._critic.take_label(label)

    def close(self) -> None:
        """Let go of the broker."""
        for tail in (self._steps, self._episodes, self._labels):
            tail.close()


class _Tail:
    """One topic from now on; what does not validate is counted here, and kept by ingest."""

    def __init__(self, bus: Bus, topic: Topic, metrics: Metrics, stopping: threading.Event) -> None:
        self._bus, self._topic, self._metrics, self._stopping = bus, topic, metrics, stopping
        self._consumer: Consumer | None = None

    def poll(self, timeout_s: float) -> Iterator[pa.RecordBatch]:
        """Decoded messages; none when nothing came in time, or nobody answers."""
        try:
            if self._consumer is None:
                self._consumer = self._bus.consumer(self._topic.name, "latest")
            messages = self._consumer.poll(timeout_s)
        except BusError as error:
            _LOG.warning("cannot listen now: %s", error)
            self.close()
            self._stopping.wait(_RETRY_S)
            return
        for message in messages:
            try:
                yield wire.decode(self._topic, message.value)
            except WireError:
                self._metrics.count("touchline_critic_malformed_total", topic=self._topic.name)

    def close(self) -> None:
        """Let go of the consumer."""
        if self._consumer is not None:
            with contextlib.suppress(BusError):
                self._consumer.close()
            self._consumer = None
