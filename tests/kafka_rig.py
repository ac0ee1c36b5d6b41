"""A real broker as a fleet on several machines has it: TLS, SCRAM accounts, and an authorizer that asks for each."""

import contextlib
import dataclasses
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import kafka
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.admin import UserScramCredentialDeletion as Deletion
from kafka.admin import UserScramCredentialUpsertion as Upsertion

from infra import access
from infra.bus import KafkaConfig
from infra.credentials import Credential
from infra.java import find_java
from infra.kafka_jars import ensure_jars
from infra.ports import LOOPBACK, free_port, is_open
from infra.processes import Launch, running
from tests.authority import Authority

MECHANISM = "SCRAM-SHA-512"
ADMIN_PASSWORD = "of this test alone"
_ITERATIONS = 4096
_FORMAT_TIMEOUT_S = 240


@dataclasses.dataclass(frozen=True, kw_only=True)
class SecureKafka:
    """Where it is, and its administrator's hand."""

    address: str
    controller_address: str
    """Without TLS, as no client should find it."""
    ca_file: Path

    @property
    def config(self) -> KafkaConfig:
        """What a member of the fleet has in its settings; who it is says its credential."""
        return KafkaConfig(
            bootstrap_servers=self.address,
            security_protocol="SASL_SSL",
            ca_file=str(self.ca_file),
            topic_prefix="plant-",
            request_timeout_s=5.0,
        )

    def admit(self, *held: Credential) -> None:
        """Give members their accounts, and what the rendered table allows them."""
        names = {credential.name: credential.kafka_password for credential in held}
        self.set_passwords(names)
        self.allow(access.rules(names, topic_prefix=self.config.topic_prefix))

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Make accounts, or change their passwords."""
        with self._admin() as admin:
            wanted = [Upsertion(name, MECHANISM, secret, _ITERATIONS) for name, secret in passwords.items()]
            assert not any(admin.alter_user_scram_credentials(wanted).values())

    def remove_account(self, name: str) -> None:
        """From now on nobody logs in under this name."""
        with self._admin() as admin:
            assert not any(admin.alter_user_scram_credentials([Deletion(name, MECHANISM)]).values())

    def allow(self, rules: Iterable[access.Rule]) -> None:
        """Add ACLs."""
        with self._admin() as admin:
            assert not admin.create_acls(list(map(_acl, rules)))["failed"]

    def take_back(self, rules: Iterable[access.Rule]) -> None:
        """Remove ACLs."""
        with self._admin() as admin:
            admin.delete_acls(list(map(_acl, rules)))

    def bindings(self, name: str) -> set[tuple[object, ...]]:
        """All that the broker allows or denies one account, whoever said so."""
        anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        wanted = ACLFilter(f"User:{name}", None, ACLOperation.ANY, ACLPermissionType.ANY, anything)
        with self._admin() as admin:
            found, _ = admin.describe_acls(wanted)
        patterns = [(acl.resource_pattern, (acl.operation, acl.permission_type, acl.host)) for acl in found]
        return {(on.resource_type, on.resource_name, on.pattern_type, *what) for on, what in patterns}

    @contextlib.contextmanager
    def _admin(self) -> Iterator[kafka.KafkaAdminClient]:
        admin = kafka.KafkaAdminClient(
            bootstrap_servers=self.address,
            security_protocol="SASL_SSL",
            ssl_cafile=str(self.ca_file),
            sasl_mechanism=MECHANISM,
            sasl_plain_username="admin",
            sasl_plain_password=ADMIN_PASSWORD,
        )
        with contextlib.closing(admin):
            yield admin


@contextlib.contextmanager
def secure_kafka(directory: Path) -> Iterator[SecureKafka]:
    """Start the broker, with a certificate of an authority of its own."""
    java, class_path = find_java(), str(ensure_jars() / "*")
    authority = Authority(directory, "authority")
    port, controller_port = free_port(), free_port()
    properties = directory / "server.properties"
    properties.write_text(_properties(directory, authority, port, controller_port))
    tool = ("kafka.tools.StorageTool", "format", "--cluster-id=touchline-secure-test-", "--config", str(properties))
    account = f"{MECHANISM}=[name=admin,iterations={_ITERATIONS},password={ADMIN_PASSWORD}]"
    command = [str(java), "-cp", class_path, *tool, "--add-scram", account]
    subprocess.run(command, check=True, capture_output=True, timeout=_FORMAT_TIMEOUT_S)
    launch = Launch(
        name="secure-kafka",
        command=(str(java), "-Xmx384m", "-XX:+UseSerialGC", "-cp", class_path, "kafka.Kafka", str(properties)),
        is_ready=lambda: is_open(LOOPBACK, port),
        ready_within_s=240.0,
    )
    with running(launch, directory):
        yield SecureKafka(
            address=f"{LOOPBACK}:{port}", controller_address=f"{LOOPBACK}:{controller_port}", ca_file=authority.file
        )


def _properties(directory: Path, authority: Authority, port: int, controller_port: int) -> str:
    cert_file, key_file = authority.issue("broker")
    pem = directory / "broker.pem"
    pem.write_bytes(key_file.read_bytes() + cert_file.read_bytes())
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"SASL_SSL://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"SASL_SSL://{LOOPBACK}:{port}",
        "inter.broker.listener.name": "SASL_SSL",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            f'{login} username="admin" password="{ADMIN_PASSWORD}";'
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": pem,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority.file,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # The broker reaches its own controller as nobody, on a port that only this machine can reach.
        "super.users": "User:admin;User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "false",
        "log.dirs": directory / "log",
        "auto.create.topics.enable": "false",
        "message.max.bytes": 20 << 20,
        "replica.fetch.max.bytes": 20 << 20,
        "default.replication.factor": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "log.cleaner.dedupe.buffer.size": 8 << 20,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def _acl(rule: access.Rule) -> ACL:
    return ACL(
        principal=rule.principal,
        host="*",
        operation=ACLOperation[rule.operation.upper()],
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(ResourceType[rule.resource.upper()], rule.name),
    )
