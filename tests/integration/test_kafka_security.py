"""The real broker with TLS, SCRAM accounts and its own authorizer: who gets in, and what each may do there."""

import contextlib
import dataclasses
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import kafka
import pytest
from kafka.admin import ResourceType

from actor.journal import read_counts
from actor.recorder import Recorder, RecorderConfig
from infra import access, acl_command, connect, identity
from infra.bus import Bus
from infra.credentials import Credential
from infra.home import Home
from infra.java import find_java
from infra.kafka_jars import ensure_jars
from infra.kafka_login import PASSWORD_VARIABLE, Login
from infra.metrics import Metrics
from infra.processes import Launch, running
from infra.signing import service_signer
from infra.topics import EPISODES, LABELS, RELEASES, STEPS
from policy.errors import BusError, BusRefused
from storage.audit import audit
from storage.tables import Lake
from tests.actor_process import ROOT, delivered_by_boot
from tests.actor_rig import step, wait_for
from tests.authority import Authority
from tests.kafka_rig import ADMIN_PASSWORD, SecureKafka, secure_kafka
from tests.lake_rig import make_label, make_step

DEADLINE_S = 120.0
PICTURES = ()


class Site:
    """A home whose members have their accounts at the broker."""

    def __init__(self, broker: SecureKafka, home: Home) -> None:
        self.broker, self.home = broker, home
        identity.enrol_services(home.path)
        self.services = {name: identity.service(home.path, name) for name in identity.SERVICES}
        self.r1, self.r2 = self.robot("r1"), self.robot("r2")
        broker.admit(*self.services.values(), self.r1, self.r2)
        with self.bus(self.services["ingest"]) as bus:
            bus.ensure_topics(DEADLINE_S)

    def robot(self, name: str) -> Credential:
        return identity.robot(self.home.path, name, is_simulated=True)

    @contextlib.contextmanager
    def bus(self, held: Credential, **changed: object) -> Iterator[Bus]:
        config = dataclasses.replace(self.broker.config, **changed)  # type: ignore[arg-type]
        with contextlib.closing(connect.bus(config, held)) as bus:
            yield bus

    def send(self, held: Credential, *topics: str) -> None:
        """A message to each, acknowledged; raises what the producer said."""
        answers: list[Exception | None] = []
        with self.bus(held) as bus, contextlib.closing(bus.producer(held.name, wait_s=DEADLINE_S)) as producer:
            for topic in topics:
                producer.send_bytes(topic, [(b"k", b"x")], {}, answers.append)  # type: ignore[attr-defined]
            wait_for(lambda: len(answers) == len(topics), DEADLINE_S)
        for error in filter(None, answers):
            raise error

    def read(self, held: Credential, topic: str) -> int:
        """How many messages of a topic a member gets."""
        with self.bus(held) as bus, contextlib.closing(bus.consumer(topic, "earliest")) as consumer:
            wanted, found = sum(consumer.end_offsets().values()), 0
            while True:
                found += len(consumer.poll(1.0))
                if found >= wanted:
                    return found

    def environ(self) -> dict[str, str]:
        """All that a process of the fleet is told of the broker."""
        config = self.broker.config
        return {
            "TOUCHLINE_HOME": str(self.home.path),
            "TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS": config.bootstrap_servers,
            "TOUCHLINE_KAFKA__SECURITY_PROTOCOL": config.security_protocol,
            "TOUCHLINE_KAFKA__CA_FILE": config.ca_file,
            "TOUCHLINE_KAFKA__TOPIC_PREFIX": config.topic_prefix,
            "TOUCHLINE_INGEST__FLUSH_S": "0.1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with secure_kafka(tmp_path_factory.mktemp("secure-kafka")) as broker:
        yield Site(broker, Home(tmp_path_factory.mktemp("secure-home")))


def test_the_broker_itself_allows_each_member_what_the_table_says_and_nothing_else(site: Site) -> None:
    """Asked as each member, of every topic: `Write` and `Read` each bring `Describe`."""
    for held in (*site.services.values(), site.r1):
        allowed = access.SERVICES.get(held.name, access.ROBOT)
        expected = {name: {"DESCRIBE"} for name in allowed.writes | allowed.reads | allowed.creates}
        for operation, names in (("WRITE", allowed.writes), ("READ", allowed.reads), ("CREATE", allowed.creates)):
            for name in names:
                expected[name].add(operation)
        config = site.broker.config
        with contextlib.closing(
            kafka.KafkaAdminClient(
                bootstrap_servers=config.bootstrap_servers,
                security_protocol="SASL_SSL",
                ssl_cafile=config.ca_file,
                sasl_mechanism=config.sasl_mechanism,
                sasl_plain_username=held.name,
                sasl_plain_password=held.kafka_password,
            )
        ) as asked:
            found = {
                topic["name"].removeprefix(config.topic_prefix): set(topic["authorized_operations"])
                for topic in asked.describe_topics()
            }
        assert found == expected, held.name


def test_a_robot_writes_rollouts_reads_releases_and_nothing_else(site: Site) -> None:
    site.send(site.r1, *access.ROBOT.writes)
    site.send(site.services["judge"], RELEASES.name)
    assert site.read(site.r1, RELEASES.name) >= 1
    for topic, words in ((RELEASES.name, "ACLs refuse this"), (LABELS.name, "ACLs hide it")):
        with pytest.raises(BusRefused, match=rf"{words}.*touchline acl render.*username='r1'.*{topic}"):
            site.send(site.r1, topic)
    with pytest.raises(BusRefused, match="ACLs"):
        site.read(site.r1, STEPS.name)  # which it writes
    with pytest.raises(BusRefused, match="ACLs hide it"):
        site.read(site.r1, LABELS.name)


def test_each_service_does_its_own_work_and_nobody_elses(site: Site) -> None:
    for name, allowed in access.SERVICES.items():
        held = site.services[name]
        site.send(held, *allowed.writes)
        if allowed.reads:
            site.read(held, STEPS.name)
        else:
            with pytest.raises(BusRefused):
                site.read(held, STEPS.name)
        with pytest.raises(BusRefused):
            site.send(held, STEPS.name)
    with site.bus(site.services["judge"]) as bus, pytest.raises(BusRefused, match="ACLs"):
        bus.ensure_topics(DEADLINE_S)  # what it may not see, it would make


def test_one_refusal_does_not_end_a_producer(site: Site) -> None:
    """The client library's own would fail all that follows, whatever it is."""
    with site.bus(site.services["judge"]) as bus, contextlib.closing(bus.producer("judge", wait_s=60.0)) as producer:
        answers: list[Exception | None] = []
        producer.send(LABELS, [make_label(0, "e", "success", 1)], on_delivery=answers.append)
        wait_for(lambda: bool(answers), DEADLINE_S)
        assert isinstance(answers.pop(), BusRefused)

        def is_taken() -> bool:
            with contextlib.suppress(BusError):
                producer.send_bytes(RELEASES.name, [(b"k", b"x")], {}, answers.append)  # type: ignore[attr-defined]
                producer.flush(5.0)
            return None in answers

        wait_for(is_taken, DEADLINE_S)


REFUSALS = {
    "wrong password": "does not know this account, or not with this password.*PASSWORD",
    "account removed": "does not know this account",
    "another authority": "certificate is not believed.*kafka.ca_file",
    "plaintext": "it speaks TLS, and we do not; mend kafka.security_protocol",
    "no TLS there": "it does not speak TLS; mend kafka.security_protocol",
    "another mechanism": "does not offer SCRAM-SHA-256: mend kafka.sasl_mechanism",
}


@pytest.mark.parametrize("case", REFUSALS)
def test_who_may_not_come_in_is_told_why(
    case: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, changed = site.r2, dict[str, object]()
    match case:
        case "wrong password":
            monkeypatch.setenv(PASSWORD_VARIABLE, "a guess")
        case "account removed":
            held = site.robot("r3")
            site.broker.admit(held)
            site.send(held, STEPS.name)
            site.broker.remove_account("r3")
        case "another authority":
            changed = {"ca_file": str(Authority(tmp_path, "another").file)}
        case "plaintext":
            changed = {"security_protocol": "PLAINTEXT", "ca_file": "", "request_timeout_s": 1.0}
        case "no TLS there":
            changed = {"bootstrap_servers": site.broker.controller_address}
        case _:
            changed = {"sasl_mechanism": "SCRAM-SHA-256"}
    with site.bus(held, **changed) as bus:
        with pytest.raises(BusRefused, match=REFUSALS[case]):
            bus.ensure_topics(DEADLINE_S)
        with pytest.raises(BusRefused, match=REFUSALS[case]):
            bus.consumer(RELEASES.name, "latest")
        producer = bus.producer("r", wait_s=DEADLINE_S)
        with contextlib.closing(producer), pytest.raises(BusRefused, match=REFUSALS[case]):
            producer.send(STEPS, [make_step()])


def test_a_refused_robot_keeps_its_records_and_sends_them_when_it_may(site: Site, tmp_path: Path) -> None:
    held = site.robot("r4")
    site.broker.set_passwords({"r4": held.kafka_password})
    with site.bus(held) as bus:
        recorder = Recorder(
            tmp_path / "actor",
            lambda: bus.producer("r4", wait_s=0, signer=service_signer(held)),
            RecorderConfig(flush_period_s=0.01),
            Metrics(),
        )
        for seq in range(20):
            recorder.put(STEPS, step(seq), PICTURES)
        wait_for(lambda: sum(counts.num_waiting for counts in read_counts(tmp_path)) == 20, DEADLINE_S)
        site.broker.allow(access.rules(["r4"], topic_prefix=site.broker.config.topic_prefix))
        assert recorder.drain(DEADLINE_S) == 0
        recorder.close()
    (counts,) = read_counts(tmp_path)
    assert (counts.num_delivered, counts.num_dropped) == (20, 0)


def test_a_robot_and_ingest_work_by_configuration_alone(site: Site) -> None:
    """Two processes that know where the broker is and whom to believe; each logs in with its own credential."""
    site.broker.admit(site.robot("shown-0"))
    home = ("--home", str(site.home.path))
    ingest = Launch(name="ingest", command=(sys.executable, "-m", "storage", *home), environ=site.environ())
    words = ("--demonstrate", "1", "--name", "shown", "--robots", "1", "--task", "plug_insertion")
    robot = Launch(name="shown", command=(sys.executable, "-m", "actor", *home, *words), environ=site.environ())
    lake = Lake(str(site.home.lake))
    with running(ingest, site.home.logs), running(robot, site.home.logs) as process:
        wait_for(lambda: process.exit_code() is not None, DEADLINE_S)
        assert process.exit_code() == 0, process.log_file.read_text()
        sent = {c.topic: c.num_delivered for c in read_counts(site.home.spool) if c.robot_id == "shown-0"}
        assert sent[STEPS.name] > 5
        assert sent[EPISODES.name] == 1
        by_boot = delivered_by_boot(site.home, STEPS)
        table = site.home.lake / STEPS.name / "_delta_log"
        wait_for(lambda: table.exists() and audit(lake, by_boot).num_in_lake == sent[STEPS.name], DEADLINE_S)
        assert audit(lake, by_boot).is_exact


def run_as_printed(lines: list[str], site: Site, tmp_path: Path) -> str:
    """Run printed lines in bash, Kafka's scripts replaced by the Java that they start; returns what they said."""
    login = f'username="admin" password="{ADMIN_PASSWORD}"'
    admin = tmp_path / "admin.properties"
    admin.write_text(
        "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nssl.truststore.type=PEM\n"
        f"ssl.truststore.location={site.broker.ca_file}\n"
        f"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required {login};\n"
    )
    java = (str(find_java()), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", str(ensure_jars() / "*"))
    commands = {
        "kafka-configs.sh": (*java, "kafka.admin.ConfigCommand"),
        "kafka-acls.sh": (*java, "org.apache.kafka.tools.AclCommand"),
        "touchline": (sys.executable, "-m", "infra.cli"),
    }
    functions = [f'{name}() {{ {shlex.join(command)} "$@"; }}' for name, command in commands.items()]
    script = "\n".join(["set -e", *functions, *lines])
    environ = os.environ | site.environ() | {"BOOTSTRAP": site.broker.address, "ADMIN": str(admin)}
    done = subprocess.run(["bash", "-c", script], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_rendered_lines_make_an_account_with_kafkas_own_tool(site: Site, tmp_path: Path) -> None:
    held = site.robot("r5")
    found = acl_command.accounts(site.home.path, site.broker.config)
    lines = [line for line in acl_command.as_lines(found) if "--entity-name r5 " in line]
    assert len(lines) == 1
    assert held.kafka_password not in "".join(acl_command.as_lines(found))
    assert held.kafka_password not in run_as_printed(lines, site, tmp_path)
    with site.bus(held) as bus, pytest.raises(BusRefused, match="ACLs"):
        bus.consumer(RELEASES.name, "latest")  # it is let in, and may do nothing yet


def test_the_rendered_lines_give_the_rights_with_kafkas_own_tool(site: Site, tmp_path: Path) -> None:
    """A robot's, against those of one that the admin API gave; and the consumer groups of several ingests."""
    site.robot("r6")
    found = acl_command.accounts(site.home.path, site.broker.config, group="several")
    lines = [line for line in acl_command.as_lines(found) if "User:r6 " in line or "--group " in line]
    assert len(lines) == 3
    run_as_printed(lines, site, tmp_path)
    assert site.broker.bindings("r6") == site.broker.bindings("r2") != set()
    groups = {name for kind, name, *_ in site.broker.bindings("ingest") if kind is ResourceType.GROUP}
    assert groups == {rule.name for rule in found.rules if rule.resource == "group"} != set()


def test_secrets_are_in_no_text(site: Site) -> None:
    shown = repr((site.broker.config, site.r1, Login(username="r1", password=site.r1.kafka_password)))
    assert site.r1.kafka_password not in shown
