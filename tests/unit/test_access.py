"""Who may do what at Kafka: one table, the lines made from it, and as whom a process logs in."""

import json
from pathlib import Path

import pytest

from infra import access, acl_command, cli, connect, identity
from infra.access import Rule
from infra.bus import KafkaConfig
from infra.credentials import Credential
from infra.enrolment import Enrolments
from infra.home import Home
from infra.kafka_login import PASSWORD_VARIABLE, login_of
from infra.roster import Role
from infra.signing import writers_of
from infra.topics import DEAD_LETTERS, ROBOT_TOPICS, TOPICS
from policy.errors import ConfigError

SECURE = KafkaConfig(bootstrap_servers="kafka.example:9093", security_protocol="SASL_SSL", topic_prefix="plant-")


@pytest.fixture
def held(tmp_home: Home) -> Credential:
    return identity.robot(tmp_home.path, "r1", is_simulated=True)


def test_the_table_agrees_with_whose_signatures_count() -> None:
    """Whoever may write a topic at the broker may sign for it, and somebody does write each."""
    assert access.SERVICES.keys() == identity.SERVICES.keys()
    assert access.ROBOT.writes == ROBOT_TOPICS
    for topic in TOPICS:
        writers = {name for name, found in access.SERVICES.items() if topic.name in found.writes}
        assert all(writers_of(topic) & set(identity.SERVICES[name]) for name in writers), topic.name
        assert bool(writers) == (Role.SERVICE in writers_of(topic)), topic.name
        assert (topic.name in access.SERVICES["ingest"].reads) == topic.is_kept
    assert [name for name, found in access.SERVICES.items() if DEAD_LETTERS in found.writes] == ["ingest"]


def test_a_robot_gets_its_own_topics_by_their_full_names() -> None:
    rules = access.rules(["r1"], topic_prefix="plant-", group="crew")
    assert {(rule.principal, rule.resource) for rule in rules} == {("User:r1", "topic")}
    granted = {operation: {r.name for r in rules if r.operation == operation} for operation in ("Write", "Read")}
    assert granted == {"Write": {f"plant-{name}" for name in ROBOT_TOPICS}, "Read": {"plant-releases"}}
    assert len(rules) == len(ROBOT_TOPICS) + 1


def test_several_ingests_get_their_groups() -> None:
    (steps,) = (r for r in access.rules(["ingest"], topic_prefix="p-", group="crew") if r.name == "p-crew-steps")
    assert steps == Rule(principal="User:ingest", resource="group", name="p-crew-steps", operation="Read")
    assert all(rule.resource == "topic" for rule in access.rules(["ingest"], topic_prefix="p-"))


def test_lines_for_every_member_and_a_revoked_ones_account_goes(tmp_home: Home, held: Credential) -> None:
    identity.robot(tmp_home.path, "r2", is_simulated=True)
    Enrolments(tmp_home.path).revoke("r2", author="ann", reason="stolen")
    lines = list(acl_command.as_lines(acl_command.accounts(tmp_home.path, SECURE)))
    assert {line.split()[0] for line in lines} == {"kafka-configs.sh", "kafka-acls.sh"}
    made = [line for line in lines if "--add-config-file" in line]
    assert [line.split("--entity-name ")[1].split()[0] for line in made] == [*sorted(identity.SERVICES), "r1"]
    (gone,) = (line for line in lines if "r2" in line)
    assert "--entity-name r2 --delete-config SCRAM-SHA-512" in gone
    ending = "--add --allow-principal User:r1 --operation Read --topic plant-releases"
    assert [line for line in lines if line.endswith(ending)]
    assert held.kafka_password not in "\n".join(lines)


def test_the_same_as_data(tmp_home: Home, held: Credential, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["acl", "render", "--format", "json", "--home", str(tmp_home.path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accounts"] == [*sorted(identity.SERVICES), "r1"]
    assert {
        "principal": "User:r1", "resource": "topic", "name": "steps", "operation": "Write",
        "host": "*", "permission": "Allow", "pattern": "literal",
    } in found["acls"]  # fmt: skip


def test_a_password_goes_to_a_pipe_and_nowhere_else(
    tmp_home: Home, held: Credential, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["acl", "secret", "r1", "--home", str(tmp_home.path)]
    assert cli.main(words) == 0
    assert capsys.readouterr().out == f"SCRAM-SHA-512=password={held.kafka_password}\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert cli.main(words) == 2
    assert cli.main(["acl", "secret", "r9", "--home", str(tmp_home.path)]) == 2
    assert held.kafka_password not in repr(held)
    monkeypatch.undo()
    monkeypatch.setenv(PASSWORD_VARIABLE, "another secret")
    assert cli.main(["config", "kafka", "--home", str(tmp_home.path)]) == 0
    assert "secret" not in capsys.readouterr().out


def test_a_process_logs_in_as_the_member_that_it_is(tmp_home: Home, held: Credential) -> None:
    own = login_of(SECURE, held, {})
    assert own is not None
    assert (own.username, own.password) == ("r1", held.kafka_password)
    assert own.password not in repr(own)
    told = login_of(SECURE, held, {PASSWORD_VARIABLE: "from the environment"})
    assert told is not None
    assert (told.username, told.password) == ("r1", "from the environment")
    assert login_of(KafkaConfig(bootstrap_servers="127.0.0.1:1"), held, {}) is None
    renewed = Enrolments(tmp_home.path).rotate(
        "r1", overlap_s=1.0, file=tmp_home.path / "credentials" / "r1.json", author="ann"
    )
    assert renewed.kafka_password != held.kafka_password


@pytest.mark.parametrize("username", ["", "plant"])
def test_no_password_is_said(username: str) -> None:
    config = KafkaConfig(bootstrap_servers="kafka.example:9093", security_protocol="SASL_SSL", username=username)
    with pytest.raises(ConfigError, match=PASSWORD_VARIABLE):
        login_of(config, None, {})


def test_settings_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ca_file needs kafka\.security_protocol"):
        KafkaConfig(ca_file=str(tmp_path))
    with pytest.raises(ConfigError, match=r"kafka\.ca_file names no file"):
        KafkaConfig(ca_file=str(tmp_path / "none"), security_protocol="SSL")
    (tmp_path / "none.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match="holds no certificate"):
        connect.bus(KafkaConfig(bootstrap_servers="k:1", security_protocol="SSL", ca_file=str(tmp_path / "none.pem")))
    with pytest.raises(ConfigError, match="host:port"):
        connect.bus(KafkaConfig(bootstrap_servers="kafka"))
