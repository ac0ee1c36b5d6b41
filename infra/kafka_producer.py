"""The sending client: acknowledged by all in-sync replicas and idempotent, so a retry neither doubles nor reorders.

A kafka-python 3.0.12 producer that the broker refused once is of no more use: it fails all that follows, also when
the right or the account is there again, and also for other topics. So one that failed for good is replaced, later
each time, and what it had is answered with the reason: who sent it keeps it and sends it again.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import kafka
from kafka.errors import KafkaError, KafkaTimeoutError

from infra.backoff import Backoff
from infra.bus import OnDelivery, Outgoing, Signer, messages_of, topic_layout
from infra.in_flight import InFlight, Settle
from infra.kafka_connection import Connection
from infra.topics import Topic
from policy.errors import BusError, BusRefused, BusUnavailable

_LOG = logging.getLogger(__name__)
_BATCH_BYTES = 256 << 10
"""Small messages share a request up to this size; above it the gain is gone."""
_MAX_REQUEST_BYTES = 32 << 20
_MAX_BLOCK_MS = 50
"""The client may wait for metadata at most this long inside `send`; it has it since connecting."""
_RETRY_S = 0.2
_STEADY_S = 60.0
"""A client that worked this long before it was refused is replaced at once."""


class KafkaProducer:
    """Connects on a thread of its own, so that a robot may start while the broker is away."""

    def __init__(self, connection: Connection, client_id: str, wait_s: float, signer: Signer | None = None) -> None:
        self._connection, self._client_id, self._signer = connection, client_id, signer
        self._in_flight = InFlight(connection.config.buffer_bytes)
        self._client: Any = None
        """None while there is no connection."""
        self._visible: frozenset[str] = frozenset()
        """Our topics at the broker, as it names them; with an account, those that its ACLs show."""
        self._problem: BusError = BusUnavailable(
            "not connected yet", bootstrap_servers=connection.config.bootstrap_servers
        )
        self._closing = threading.Event()
        self._is_answered = threading.Event()
        """Connected once, or refused once."""
        self._is_over = threading.Event()
        """The present client is of no more use."""
        threading.Thread(target=self._stay_connected, name=f"{client_id}-connect", daemon=True).start()
        self._is_answered.wait(wait_s)

    def send(self, topic: Topic, records: Sequence[object], *, on_delivery: OnDelivery | None = None) -> None:
        """Hand records of the topic's type over, without waiting for the broker."""
        self._send(topic.name, messages_of(topic, records, self._signer), on_delivery)

    def send_bytes(
        self,
        topic: str,
        messages: Sequence[tuple[bytes | None, bytes]],
        headers: Mapping[str, bytes],
        on_delivery: OnDelivery | None = None,
    ) -> None:
        """As `send`, with (key, value) pairs that are not ours to judge: dead letters, and tests.

        Raises:
            BusUnavailable: the buffer is full, or the broker has never answered.
            BusRefused: it did, and refuses us.
        """
        self._send(topic, [Outgoing(key=key, value=value, headers=headers) for key, value in messages], on_delivery)

    def flush(self, timeout_s: float) -> int:
        """Wait until everything is acknowledged; returns the number of messages that are not."""
        return self._in_flight.wait(timeout_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """Flush, then let go; the client's daemon thread may try on until the process ends."""
        self._closing.set()
        if (client := self._client) is not None:
            self.flush(timeout_s)
            _let_go(client, timeout_s=1.0)
        self._is_over.set()

    def _send(self, topic: str, messages: Sequence[Outgoing], on_delivery: OnDelivery | None) -> None:
        client = self._client
        if client is None:
            raise self._problem
        name = self._connection.config.topic_prefix + topic
        settles = self._in_flight.admit([len(message.value) for message in messages], on_delivery)
        if self._connection.login is not None and name not in self._visible:
            for settle in settles:
                self._fail(client, topic, settle, self._connection.missing(topic))  # the next client looks again
            return
        for message, settle in zip(messages, settles, strict=True):
            try:
                future = client.send(
                    name,
                    key=message.key,
                    value=message.value,
                    headers=list(message.headers.items()),
                )
            except KafkaError as error:
                self._fail(client, topic, settle, error)
            else:
                future.add_callback(lambda _, settle=settle: settle(None))
                future.add_errback(lambda error, settle=settle: self._fail(client, topic, settle, error))

    def _fail(self, client: Any, topic: str, settle: Settle, error: Exception) -> None:
        refused = error if isinstance(error, BusRefused) else self._connection.refusal(error, topic)
        settle(refused or error)
        if client is self._client and not getattr(error, "retriable", False):
            self._problem = refused or self._problem
            self._is_over.set()

    def _stay_connected(self) -> None:
        backoff = Backoff(initial_s=_RETRY_S)
        while not self._closing.is_set():
            try:
                self._client = self._open()
            except BusError as problem:
                self._wait_after(problem, backoff)
                continue
            self._is_answered.set()
            started_s = time.monotonic()
            self._is_over.wait()
            self._is_over.clear()
            spent, self._client = self._client, None  # what it had fails now, and says nothing of the next one
            _let_go(spent, timeout_s=0.0)
            if time.monotonic() - started_s > _STEADY_S:
                backoff.reset()
            backoff.wait(self._closing)

    def _wait_after(self, problem: BusError, backoff: Backoff) -> None:
        if str(problem) != str(self._problem):
            _LOG.warning("no way to send to Kafka; trying on", extra={"cause": str(problem)})
        self._problem = problem
        if isinstance(problem, BusRefused):
            self._is_answered.set()
            backoff.wait(self._closing)
        else:
            self._closing.wait(_RETRY_S)

    def _open(self) -> Any:
        """A client that knows where to send everything that we may send."""
        config = self._connection.config
        with self._connection.opening():
            client = kafka.KafkaProducer(
                **self._connection.settings(self._client_id),
                linger_ms=config.linger_ms,
                batch_size=_BATCH_BYTES,
                max_block_ms=config.request_timeout_s * 1e3,
                max_request_size=_MAX_REQUEST_BYTES,
                delivery_timeout_ms=int(config.delivery_timeout_s * 1e3),
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
            try:
                self._visible = self._visible_topics()
                for name in self._visible:
                    client.partitions_for(name)
            except KafkaError:
                _let_go(client, timeout_s=0.0)
                raise
        client.config["max_block_ms"] = _MAX_BLOCK_MS
        return client

    def _visible_topics(self) -> frozenset[str]:
        names = frozenset(self._connection.config.topic_prefix + name for name in topic_layout())
        if self._connection.login is None:
            return names
        with contextlib.closing(kafka.KafkaAdminClient(**self._connection.settings(self._client_id))) as admin:
            return names.intersection(admin.list_topics())


def _let_go(client: Any, timeout_s: float) -> None:
    with contextlib.suppress(KafkaTimeoutError):
        client.close(timeout=timeout_s)
