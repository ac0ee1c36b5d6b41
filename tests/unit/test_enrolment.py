"""Who belongs to the fleet: keys, credentials, rotation, revocation, and what is told to whom is not enrolled."""

import dataclasses
import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra import cli, credentials, identity
from infra.credentials import Credential
from infra.enrolment import Enrolments
from infra.keys import PrivateKey, PublicKey, statement
from infra.roster import Role, Roster, Stamp
from policy.errors import ConfigError, SignatureRefused

SAID = statement("test", "hello")
SECOND_NS = 1_000_000_000


@pytest.fixture
def robot(tmp_path: Path) -> Credential:
    return add(tmp_path, "r1")


def add(home: Path, name: str, roles: Sequence[Role] = (Role.ROBOT,)) -> Credential:
    return Enrolments(home).add(name, roles, file=credentials.file_of(home, name), author="ann")


def check(home: Path, stamp: Stamp, *, after_s: float = 0.0, said: bytes = SAID, role: Role = Role.ROBOT) -> None:
    enrolments = Enrolments(home)
    now_ns = max(event.time_ns for event in enrolments.history())
    enrolments.roster().verify(stamp, said, {role}, now_ns + int(after_s * SECOND_NS))


def test_a_member_signs_and_nobody_else_can(tmp_path: Path, robot: Credential) -> None:
    check(tmp_path, robot.stamp(SAID))
    other = add(tmp_path, "r2")
    forged = dataclasses.replace(other.stamp(SAID), signer="r1")
    with pytest.raises(SignatureRefused, match="the key is not the signer's"):
        check(tmp_path, forged)
    with pytest.raises(SignatureRefused, match="altered"):
        check(tmp_path, dataclasses.replace(forged, key_id=robot.key.public.key_id))
    with pytest.raises(SignatureRefused, match="altered"):
        check(tmp_path, robot.stamp(SAID), said=SAID + b"!")
    with pytest.raises(SignatureRefused, match="may not sign this"):
        check(tmp_path, robot.stamp(SAID), role=Role.SERVICE)
    with pytest.raises(SignatureRefused, match="nobody who is enrolled; touchline robot add"):
        Roster(()).verify(robot.stamp(SAID), SAID, {Role.ROBOT}, 0)


def test_statements_differ_when_any_part_does() -> None:
    said = {
        statement("a", "bc"),
        statement("ab", "c"),
        statement("a", "b", "c"),
        statement("abc"),
        statement("a", "bc", ""),
    }
    assert len(said) == 5


def test_what_the_old_key_signed_counts_until_the_overlap_is_over(tmp_path: Path, robot: Credential) -> None:
    file = credentials.file_of(tmp_path, "r1")
    renewed = Enrolments(tmp_path).rotate("r1", overlap_s=60, file=file, author="ann")
    assert renewed.token != robot.token
    assert credentials.read(file).key.to_text() == renewed.key.to_text()
    check(tmp_path, robot.stamp(SAID), after_s=59)
    with pytest.raises(SignatureRefused, match="overlap is over"):
        check(tmp_path, robot.stamp(SAID), after_s=61)
    check(tmp_path, renewed.stamp(SAID), after_s=61)


def test_a_second_rotation_does_not_make_the_first_overlap_longer(tmp_path: Path, robot: Credential) -> None:
    file = credentials.file_of(tmp_path, "r1")
    for overlap_s in (60, 6_000):
        Enrolments(tmp_path).rotate("r1", overlap_s=overlap_s, file=file, author="ann")
    with pytest.raises(SignatureRefused, match="overlap is over"):
        check(tmp_path, robot.stamp(SAID), after_s=100)


def test_nothing_of_a_revoked_member_counts_and_it_comes_back_with_another_key(
    tmp_path: Path, robot: Credential
) -> None:
    enrolments = Enrolments(tmp_path)
    later_ns = enrolments.history()[-1].time_ns + 3_600 * SECOND_NS
    add(tmp_path, "r2")
    enrolments.revoke("r2", author="ann", reason="leaves at noon", at_ns=later_ns)
    check(tmp_path, credentials.read(credentials.file_of(tmp_path, "r2")).stamp(SAID))
    with pytest.raises(SignatureRefused, match="revoked"):
        check(tmp_path, credentials.read(credentials.file_of(tmp_path, "r2")).stamp(SAID), after_s=4_000)

    enrolments.revoke("r1", author="ann", reason="stolen")
    with pytest.raises(SignatureRefused, match="revoked"):
        check(tmp_path, robot.stamp(SAID))
    with pytest.raises(ConfigError, match="revoked already; touchline robot add r1"):
        enrolments.rotate("r1", overlap_s=1, file=tmp_path / "out", author="ann")
    again = add(tmp_path, "r1")
    check(tmp_path, again.stamp(SAID))
    with pytest.raises(SignatureRefused, match="the key is not the signer's"):
        check(tmp_path, robot.stamp(SAID))
    last = [(event.action, event.name, event.author, event.reason) for event in enrolments.history()][-2:]
    assert last == [("revoke", "r1", "ann", "stolen"), ("add", "r1", "ann", "")]


def test_secrets_are_the_owners_and_nowhere_else(tmp_path: Path, robot: Credential) -> None:
    file = credentials.file_of(tmp_path, "r1")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    members = (tmp_path / "members.json").read_text()
    assert robot.key.to_text() not in members + repr(robot)
    assert robot.token not in members + repr(robot)
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="others may read the credential; chmod 600"):
        credentials.read(file)
    file.chmod(0o600)
    file.write_text("{}")
    with pytest.raises(ConfigError, match="not a credential; touchline robot rotate"):
        credentials.read(file)


def test_many_processes_enrol_at_once_and_nobody_is_lost(tmp_path: Path) -> None:
    def enrol(number: int) -> None:
        identity.robot(tmp_path, f"r{number % 6}", is_simulated=True)

    threads = [threading.Thread(target=enrol, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    members = Enrolments(tmp_path).roster().members
    assert set(members) == {*identity.SERVICES, *(f"r{number}" for number in range(6))}
    for name, member in members.items():
        held = credentials.read(credentials.file_of(tmp_path, name))
        for role in member.roles:
            check(tmp_path, held.stamp(SAID), role=role)


def test_a_real_robot_is_told_how_to_be_enrolled(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not enrolled: run touchline robot add arm-7 on the machine"):
        identity.robot(tmp_path, "arm-7", is_simulated=False)
    fleet, own = tmp_path / "fleet", tmp_path / "own"
    assert cli.main(["robot", "add", "arm-7", "--home", str(fleet)]) == 0
    carried = credentials.file_of(own, "arm-7")
    carried.parent.mkdir(parents=True)
    credentials.file_of(fleet, "arm-7").rename(carried)
    held = identity.robot(own, "arm-7", is_simulated=False)
    check(fleet, held.stamp(SAID))
    assert {member.name for member in held.trusted} == {name for name, roles in identity.SERVICES.items() if roles}


def test_a_name_is_taken_once_and_fits_a_file(tmp_path: Path, robot: Credential) -> None:
    with pytest.raises(ConfigError, match="already enrolled; touchline robot rotate r1"):
        add(tmp_path, "r1")
    for name in ("", "../r1", "a/b", "-r", "r 1", "r" * 65):
        with pytest.raises(ConfigError, match="a name is"):
            add(tmp_path, name)


def test_a_damaged_file_is_told_at_start_and_changes_nothing_later(tmp_path: Path, robot: Credential) -> None:
    enrolments = Enrolments(tmp_path)
    assert set(enrolments.roster().members) == {"r1"}
    (tmp_path / "members.json").write_text('{"format": 1, "members": [')
    assert set(enrolments.roster().members) == {"r1"}
    with pytest.raises(ConfigError, match="the file of members is damaged"):
        Enrolments(tmp_path).roster()


def test_the_command_lists_rotates_and_revokes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def say(*arguments: str) -> str:
        assert cli.main(["robot", "--home", str(tmp_path), *arguments]) == 0
        return capsys.readouterr().out

    assert "nobody is enrolled" in say("list")
    elsewhere = tmp_path / "usb" / "r1.json"
    assert str(elsewhere) in say("add", "r1", "--out", str(elsewhere))
    assert "an older one counts until" in (say("rotate", "r1"), say("list"))[1]
    say("revoke", "r1", "--author", "ann", "--reason", "sold")
    assert "revoked from" in say("list")
    assert "ann  sold" in say("list", "--history").splitlines()[-1]
    assert cli.main(["robot", "--home", str(tmp_path), "rotate", "r9"]) == 2
    assert "touchline robot add r9" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{}", "[]", "[" * 9_000, '{"signer": 1, "key_id": "a", "signature": ""}', "\x00"])
def test_what_is_no_stamp_is_refused(text: str) -> None:
    with pytest.raises(SignatureRefused, match="not a signature"):
        Stamp.from_text(text)


def test_keys_survive_their_text_and_nothing_else_is_one() -> None:
    key = PrivateKey.generate()
    again = PrivateKey.from_text(key.to_text())
    assert PublicKey.from_text(again.public.text).fits(key.sign(SAID), SAID)
    for text in ("", "AAAA", "not base64!", json.dumps(key.to_text())):
        with pytest.raises(ConfigError, match="not a private key"):
            PrivateKey.from_text(text)
        with pytest.raises(ConfigError, match="not a public key"):
            PublicKey.from_text(text)
