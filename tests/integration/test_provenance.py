"""What is not signed by whom it claims to be from goes to dead letters with the reason, and delays nothing."""

import contextlib
import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from actor.recorder import Recorder, RecorderConfig
from infra import credentials, identity
from infra.bus import Message
from infra.credentials import Credential
from infra.enrolment import Enrolments
from infra.home import Home
from infra.memory_bus import MemoryBus
from infra.metrics import Metrics
from infra.signing import MessageSigner, service_signer
from infra.topics import AUDIT, DEAD_LETTERS, HELP_REQUESTS, LABELS, MARKS, RELEASES, STEPS, Topic
from infra.wire import encode
from policy.schema import AuditEntry, HelpRequest, Mark, Release, Step
from storage.disk import DiskConfig, LakeDisk
from storage.embodiments import EmbodimentGuard
from storage.ingest import IngestConfig, TopicIngest
from storage.provenance import Provenance
from storage.removals import Removals
from storage.tables import Lake
from tests.lake_rig import delivered, make_label, make_step
from tests.signing_rig import robots_of, service_of

DEADLINE_S = 60.0


class Site:
    """A home, a bus, and an ingest per topic that asks who sent what."""

    def __init__(self, home: Home, lake: Lake, *, accept_unsigned: bool = False) -> None:
        self.home, self.lake, self.bus = home, lake, MemoryBus()
        self.bus.ensure_topics()
        self.metrics, self.stopping = Metrics(), threading.Event()
        self.provenance = Provenance(Enrolments(home.path), accept_unsigned=accept_unsigned)
        self.robots = self.bus.producer("robots", signer=robots_of(home))
        self.r1, self.r2 = (identity.robot(home.path, name, is_simulated=True) for name in ("r1", "r2"))

    @contextlib.contextmanager
    def ingesting(self, *topics: Topic) -> Iterator[None]:
        threads = [threading.Thread(target=self._stream(topic).run) for topic in topics]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join(DEADLINE_S)
            assert not any(thread.is_alive() for thread in threads)
            self.stopping.clear()

    def _stream(self, topic: Topic) -> TopicIngest:
        return TopicIngest(
            topic,
            self.lake,
            self.bus,
            config=IngestConfig(flush_s=0.02),
            metrics=self.metrics,
            stopping=self.stopping,
            guard=EmbodimentGuard(None),
            removals=Removals(self.lake),
            disk=LakeDisk(self.lake.url, DiskConfig(), self.metrics),
            provenance=self.provenance,
        )

    def send_as(self, held: Credential, topic: Topic, records: Sequence[object]) -> None:
        """As whoever holds this credential, whatever the records say."""
        self.bus.producer("thief", signer=service_signer(held)).send(topic, records)

    def letters(self) -> list[Message]:
        return [message for log in self.bus.log(DEAD_LETTERS) for message in log]

    def reasons(self) -> list[str]:
        return [letter.headers["reason"].decode() for letter in self.letters()]

    def alter(self, topic: Topic, change: Callable[[bytes], bytes]) -> None:
        """Send the last message of the topic again, changed on the way."""
        last = max((log[-1] for log in self.bus.log(topic.name) if log), key=lambda message: message.time_ms)
        self.bus.append(topic.name, last.key, change(last.value), last.headers)


@pytest.fixture
def site(tmp_home: Home, tmp_path: Path) -> Site:
    return Site(tmp_home, Lake(str(tmp_path / "lake")))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def step(robot_id: str, seq: int, **fields: object) -> Step:
    return make_step(seq, **{"robot_id": robot_id, "boot_id": f"{robot_id}-b", **fields})


def test_only_what_a_robot_signed_about_itself_is_stored(site: Site) -> None:
    site.bus.producer("thief").send(STEPS, [step("r1", 100)])
    site.send_as(site.r2, STEPS, [step("r1", 101)])
    site.send_as(dataclasses.replace(site.r2, name="r1"), STEPS, [step("r1", 102)])
    site.send_as(site.r2, STEPS, [step("r2", 103, boot_id="r1-b")])
    stranger = dataclasses.replace(site.r2, name="r9")
    site.send_as(stranger, STEPS, [step("r9", 104)])
    site.send_as(identity.service(site.home.path, "gateway"), STEPS, [step("r1", 105)])
    site.robots.send(STEPS, [step("r1", 0)])
    site.alter(STEPS, lambda value: encode([step("r1", 106)]))
    site.bus.append(STEPS.name, b"r1", encode([step("r1", 107)]), {"signer": b"r1", "signature": b"\xff" * 64})
    site.robots.send(STEPS, [step("r1", 1), step("r1", 2), step("r2", 0)])
    with site.ingesting(STEPS):
        until(lambda: len(delivered(site.lake)) == 4)
        until(lambda: len(site.letters()) == 8)
    assert delivered(site.lake) == [("r1-b", 0), ("r1-b", 1), ("r1-b", 2), ("r2-b", 0)]
    for part in (
        "not signed",
        "records of another robot",
        "the key is not the signer's",
        "a boot id that is not the robot's",
        "signed by nobody who is enrolled; touchline robot add",
        "the signer may not sign this",
        "altered",
    ):
        assert any(reason.startswith(part) for reason in site.reasons()), part
    assert site.metrics.value("touchline_dead_letters_total", topic="steps") == 8


def test_no_robot_can_make_another_ones_steps_look_like_repeats(site: Site) -> None:
    site.send_as(site.r2, STEPS, [step("r2", seq, boot_id="r1-b") for seq in range(5)])
    site.robots.send(STEPS, [step("r1", seq) for seq in range(5)])
    with site.ingesting(STEPS):
        until(lambda: len(delivered(site.lake)) == 5)
    assert site.metrics.value("touchline_duplicates_total", topic="steps") == 0


def test_a_message_sent_again_by_a_listener_is_stored_once(site: Site) -> None:
    site.robots.send(STEPS, [step("r1", 0)])
    site.alter(STEPS, lambda value: value)
    with site.ingesting(STEPS):
        until(lambda: site.metrics.value("touchline_duplicates_total", topic="steps") == 1)
    assert delivered(site.lake) == [("r1-b", 0)]


def test_a_robots_key_is_no_good_for_what_people_and_services_say(site: Site) -> None:
    label = make_label(0, "e0", "success", 1)
    mark = Mark(boot_id="r1-b", seq=0, episode_id="e0", step_index=1, kind="flag", note="", author="ann", time_ns=1)
    release = Release(
        boot_id="r1-b", seq=0, time_ns=1, event="promote", policy_version="9", previous_version="", author="ann",
        reason="", evidence="{}",
    )  # fmt: skip
    audit = AuditEntry(
        boot_id="r1-b", seq=0, time_ns=1, author="ann", role="", action="stop", subject="r2", reason="", detail="{}"
    )
    said = {LABELS: label, MARKS: mark, RELEASES: release, AUDIT: audit}
    for topic, record in said.items():
        site.send_as(site.r1, topic, [record])
        site.bus.producer("gateway", signer=service_of(site.home, "gateway")).send(topic, [record])
    with site.ingesting(*said):
        until(lambda: all(len(delivered(site.lake, topic)) == 1 for topic in said))
        until(lambda: len(site.letters()) == len(said))
    assert {reason.partition(" [")[0] for reason in site.reasons()} == {"the signer may not sign this"}


def test_robots_and_the_gateway_ask_for_help_a_robot_for_itself_alone(site: Site) -> None:
    ask = functools.partial(
        HelpRequest,
        request_id="h",
        episode_id="e",
        kind="correct",
        trigger="no_progress",
        severity="normal",
        reason="no progress for 2.0 s",
        question="",
        options="[]",
        deadline_s=60.0,
        fallback="go_on",
        time_ns=1,
    )
    site.send_as(site.r1, HELP_REQUESTS, [ask(robot_id="r1", boot_id="r1-b", seq=0)])
    site.send_as(site.r1, HELP_REQUESTS, [ask(robot_id="r2", boot_id="r2-b", seq=0)])
    gateway = identity.service(site.home.path, "gateway")
    site.send_as(gateway, HELP_REQUESTS, [ask(robot_id="r2", boot_id="gateway", seq=0)])
    with site.ingesting(HELP_REQUESTS):
        until(lambda: len(delivered(site.lake, HELP_REQUESTS)) == 2)
        until(lambda: len(site.letters()) == 1)
    assert delivered(site.lake, HELP_REQUESTS) == [("gateway", 0), ("r1-b", 0)]


def test_a_revoked_robot_is_heard_no_more_and_the_others_are(site: Site) -> None:
    with site.ingesting(STEPS):
        site.robots.send(STEPS, [step("r1", 0)])
        until(lambda: len(delivered(site.lake)) == 1)
        Enrolments(site.home.path).revoke("r1", author="ann", reason="stolen")
        site.robots.send(STEPS, [step("r1", 1), step("r2", 0)])
        until(lambda: len(delivered(site.lake)) == 2)
        until(lambda: len(site.letters()) == 1)
    assert delivered(site.lake) == [("r1-b", 0), ("r2-b", 0)]
    assert site.reasons()[0].startswith("the signer is revoked")


def test_what_waited_in_the_spool_is_taken_after_a_rotation(site: Site, tmp_path: Path) -> None:
    """The broker is away, the robot gets a new key, a new process of it sends: nothing is lost, nothing refused."""
    config = RecorderConfig(flush_period_s=0.02)

    def recorder() -> Recorder:
        find = functools.cache(functools.partial(identity.robot, site.home.path, is_simulated=False))
        signer = MessageSigner(find)
        return Recorder(tmp_path / "spool", lambda: site.bus.producer("actor", signer=signer), config, Metrics())

    before = recorder()
    before.put(STEPS, step("r1", 0))
    assert before.drain(DEADLINE_S) == 0
    site.bus.is_available = False
    before.put(STEPS, step("r1", 1))
    assert before.close(0.2) == 1
    file = credentials.file_of(site.home.path, "r1")
    Enrolments(site.home.path).rotate("r1", overlap_s=3_600, file=file, author="ann")
    site.bus.is_available = True
    after = recorder()
    assert after.close(DEADLINE_S) == 0
    signers = {log.headers["signing_key"] for logs in site.bus.log(STEPS.name) for log in logs}
    assert len(signers) == 2
    with site.ingesting(STEPS):
        until(lambda: len(delivered(site.lake)) == 2)
    assert site.letters() == []


def test_unsigned_messages_are_stored_only_where_that_was_set_and_forged_ones_never(
    tmp_home: Home, tmp_path: Path
) -> None:
    site = Site(tmp_home, Lake(str(tmp_path / "lake")), accept_unsigned=True)
    site.bus.producer("older").send(STEPS, [step("r1", 0)])
    site.send_as(site.r2, STEPS, [step("r1", 1)])
    with site.ingesting(STEPS):
        until(lambda: len(delivered(site.lake)) == 1)
        until(lambda: len(site.letters()) == 1)
