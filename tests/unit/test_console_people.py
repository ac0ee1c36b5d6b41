"""Who somebody is: users, roles, sessions, tickets, guessing, origins, the one-time link."""

import dataclasses
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from console import pages
from console.config import ConsoleConfig
from console.people.origins import Origins
from console.people.roles import Person, Role
from console.people.sessions import Sessions
from console.people.sign_in_limit import FREE_TRIES, SignInLimit
from console.people.tickets import LIFETIME_S, Tickets
from console.people.users import UserFile
from infra import console_link
from infra.home import Home
from policy.errors import ConfigError
from tests.console_rig import CHEAP, PASSWORD

ANN = Person(name="ann", role=Role.OPERATOR)


@dataclasses.dataclass
class Clock:
    now_s: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def users(tmp_path: Path) -> UserFile:
    return UserFile(tmp_path / "users.json", CHEAP)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_each_role_includes_those_before_it() -> None:
    assert [role for role in Role if Role.ENGINEER.includes(role)] == [Role.VIEWER, Role.OPERATOR, Role.ENGINEER]
    assert not Role.VIEWER.includes(Role.OPERATOR)
    with pytest.raises(ConfigError, match="viewer, operator, engineer, admin"):
        Role.of("root")


def test_a_password_is_checked_and_lies_nowhere_in_the_file(users: UserFile, tmp_path: Path) -> None:
    assert users.add("ann", PASSWORD, Role.OPERATOR) == ANN
    assert users.check("ann", PASSWORD) == ANN
    assert users.check("ann", PASSWORD + "!") is None
    assert users.check("bob", PASSWORD) is None
    file = tmp_path / "users.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert PASSWORD not in file.read_text()
    assert json.loads(file.read_text())[0]["hash"].startswith("$argon2id$")


def test_another_process_sees_a_user_at_once(users: UserFile, tmp_path: Path) -> None:
    other = UserFile(tmp_path / "users.json", CHEAP)
    other.add("ann", PASSWORD, Role.OPERATOR)
    assert users.check("ann", PASSWORD) == ANN
    users.add("ann", "another one", Role.ENGINEER)
    assert other.check("ann", PASSWORD) is None
    assert other.check("ann", "another one") == Person(name="ann", role=Role.ENGINEER)


def test_many_writers_lose_nobody(users: UserFile) -> None:
    writers = [threading.Thread(target=users.add, args=(f"p{n}", PASSWORD, Role.VIEWER)) for n in range(12)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(users.people()) == 12


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 65, "ä" * 33, "\u202eevil"])
def test_a_name_that_would_garble_a_screen_is_refused(users: UserFile, name: str) -> None:
    with pytest.raises(ConfigError, match="a name has 1 to 64 bytes"):
        users.add(name, PASSWORD, Role.VIEWER)


def test_short_passwords_and_twin_names_are_refused(users: UserFile) -> None:
    with pytest.raises(ConfigError, match="8 to 1024 characters"):
        users.add("ann", "short", Role.VIEWER)
    users.add("ann", PASSWORD, Role.VIEWER)
    with pytest.raises(ConfigError, match="differs from 'ann' only in capitals"):
        users.add("Ann", PASSWORD, Role.VIEWER)


def test_the_last_admin_stays(users: UserFile) -> None:
    users.add("ann", PASSWORD, Role.ADMIN)
    with pytest.raises(ConfigError, match="the last admin"):
        users.remove("ann")
    users.add("bob", PASSWORD, Role.ADMIN)
    users.remove("ann")
    assert [person.name for person in users.people()] == ["bob"]
    with pytest.raises(ConfigError, match="there is no user 'ann'; there are: bob"):
        users.remove("ann")


def test_a_damaged_list_is_named_with_its_path(users: UserFile, tmp_path: Path) -> None:
    (tmp_path / "users.json").write_text("{]")
    with pytest.raises(ConfigError, match=r"damaged.*users\.json"):
        users.check("ann", PASSWORD)


def test_sessions_end_when_idle_too_old_or_taken_away(clock: Clock) -> None:
    sessions = Sessions(idle_s=10, lifetime_s=25, clock=clock)
    cookie, session = sessions.start(ANN)
    for _ in range(2):
        clock.now_s += 9
        assert sessions.find(cookie) is session
    clock.now_s += 8
    assert sessions.find(cookie) is None
    assert session.is_over
    idle, _ = sessions.start(ANN)
    clock.now_s += 11
    assert sessions.find(idle) is None
    first, second = (sessions.start(ANN)[0] for _ in range(2))
    other, _ = sessions.start(Person(name="bob", role=Role.VIEWER))
    sessions.end_all("ann")
    assert [sessions.find(word) is None for word in (first, second, other)] == [True, True, False]
    assert sessions.find("forged") is None


def test_sessions_survive_a_restart_without_their_cookies_on_disk(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "sessions.json"
    sessions = Sessions(idle_s=10, lifetime_s=25, file=file, clock=clock)
    cookie, session = sessions.start(ANN)
    sessions.close()
    assert cookie not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = Sessions(idle_s=10, lifetime_s=25, file=file, clock=clock).find(cookie)
    assert again is not None
    assert (again.person, again.csrf) == (ANN, session.csrf)
    sessions.end(session)
    assert Sessions(idle_s=10, lifetime_s=25, file=file, clock=clock).find(cookie) is None


def test_who_is_taken_off_the_list_by_another_process_is_signed_out(clock: Clock) -> None:
    sessions = Sessions(idle_s=10, lifetime_s=25, clock=clock)
    ann, _ = sessions.start(ANN)
    bob, _ = sessions.start(Person(name="bob", role=Role.ADMIN))
    guest, _ = sessions.start(Person(name="root", role=Role.ADMIN), is_listed=False)
    sessions.keep([ANN, Person(name="bob", role=Role.VIEWER)], {})
    assert [sessions.find(word) is None for word in (ann, bob, guest)] == [False, True, False]


def test_a_new_password_ends_the_sessions_of_before(tmp_path: Path, clock: Clock) -> None:
    users = UserFile(tmp_path / "users.json", CHEAP, clock=clock)
    sessions = Sessions(idle_s=100, lifetime_s=100, clock=clock)
    for name in ("ann", "bob"):
        users.add(name, "correct horse", Role.OPERATOR)
    clock.now_s += 1
    ann, bob = (sessions.start(Person(name=name, role=Role.OPERATOR))[0] for name in ("ann", "bob"))
    sessions.keep(users.people(), users.changed_s())
    assert sessions.find(ann) is not None
    clock.now_s += 1
    users.add("ann", "battery staple", Role.OPERATOR)
    clock.now_s += 1
    anew, _ = sessions.start(Person(name="ann", role=Role.OPERATOR))
    sessions.keep(users.people(), users.changed_s())
    assert [sessions.find(word) is None for word in (ann, bob, anew)] == [True, False, False]


@pytest.mark.parametrize("text", ["{", "[1]", '[{"key": "k"}]', '[{"key": "k", "name": "a", "role": "king"}]'])
def test_sessions_that_cannot_be_read_sign_nobody_in(tmp_path: Path, text: str) -> None:
    (tmp_path / "sessions.json").write_text(text)
    sessions = Sessions(idle_s=10, lifetime_s=25, file=tmp_path / "sessions.json")
    assert sessions.find("k") is None
    cookie, _ = sessions.start(ANN)
    assert sessions.find(cookie) is not None


def test_a_ticket_is_good_once_and_for_a_short_while(clock: Clock) -> None:
    _, session = Sessions(idle_s=10, lifetime_s=25, clock=clock).start(ANN)
    tickets = Tickets(clock)
    ticket = tickets.issue(session)
    assert tickets.redeem(ticket) is session
    assert tickets.redeem(ticket) is None
    assert tickets.redeem("forged") is None
    late = tickets.issue(session)
    clock.now_s += LIFETIME_S
    assert tickets.redeem(late) is None


def test_tickets_that_nobody_uses_do_not_pile_up(clock: Clock) -> None:
    _, session = Sessions(idle_s=10, lifetime_s=25, clock=clock).start(ANN)
    tickets = Tickets(clock)
    for _ in range(100):
        tickets.issue(session)
        clock.now_s += 1
    assert len(tickets._waiting) <= LIFETIME_S + 1


def test_guesses_wait_longer_and_longer_by_name_and_by_address(clock: Clock) -> None:
    limit = SignInLimit(clock)
    for _ in range(FREE_TRIES):
        assert limit.wait_s("ann", "10.0.0.1") == 0
        limit.tried("ann", "10.0.0.1")
    first_s = limit.wait_s("ann", "10.0.0.2")
    assert first_s > 0, "another address guesses the same name"
    assert limit.wait_s("bob", "10.0.0.1") == first_s, "the same address guesses another name"
    assert limit.wait_s("bob", "10.0.0.2") == 0
    clock.now_s += first_s
    assert limit.wait_s("ann", "10.0.0.1") == 0
    limit.tried("ann", "10.0.0.1")
    assert limit.wait_s("ann", "10.0.0.1") == 2 * first_s
    for _ in range(50):
        limit.tried("ann", "10.0.0.1")
    assert limit.wait_s("ann", "10.0.0.1") == 300


def test_a_right_password_forgives_the_name_but_not_the_place(clock: Clock) -> None:
    limit = SignInLimit(clock)
    for _ in range(FREE_TRIES + 1):
        limit.tried("ann", "10.0.0.1")
    limit.succeeded("ann", "10.0.0.1")
    assert limit.wait_s("ann", "10.0.0.2") == 0
    assert limit.wait_s("ann", "10.0.0.1") > 0
    fresh = SignInLimit(clock)
    for _ in range(10 * FREE_TRIES):
        fresh.tried("ann", "10.0.0.1")
        fresh.succeeded("ann", "10.0.0.1")
    assert fresh.wait_s("ann", "10.0.0.1") == 0


def test_only_our_own_addresses_are_origins_and_hosts() -> None:
    origins = Origins.of(scheme="http", host="127.0.0.1", port=8780, more=["https://touchline.example.org"])
    assert origins.allows("http://localhost:8780")
    assert origins.allows("HTTPS://Touchline.example.org")
    for stranger in ("", "null", "http://127.0.0.1", "https://127.0.0.1:8780", "http://evil.example:8780"):
        assert not origins.allows(stranger)
    assert origins.allows_host("127.0.0.1:8780")
    assert origins.allows_host("touchline.example.org")
    assert not origins.allows_host("evil.example:8780")
    usual = Origins.of(scheme="https", host="10.1.2.3", port=443)
    assert usual.allows("https://10.1.2.3")


def test_a_one_time_key_opens_once(tmp_home: Home) -> None:
    with pytest.raises(ConfigError, match="no console runs"):
        console_link.new_link(tmp_home)
    tmp_home.path.mkdir(parents=True)
    console_link.write_address(tmp_home, "http://127.0.0.1:8780")
    link = console_link.new_link(tmp_home)
    address, _, key = link.partition("/sign-in?key=")
    assert address == "http://127.0.0.1:8780"
    assert stat.S_IMODE((tmp_home.path / console_link.KEY_FILE).stat().st_mode) == 0o600
    assert not console_link.take_key(tmp_home, "guess")
    assert console_link.take_key(tmp_home, key), "a wrong guess does not use it up"
    assert not console_link.take_key(tmp_home, key)


def test_an_old_one_time_key_opens_nothing(tmp_home: Home) -> None:
    tmp_home.path.mkdir(parents=True)
    console_link.write_address(tmp_home, "http://127.0.0.1:8780")
    key = console_link.new_link(tmp_home).partition("key=")[2]
    file = tmp_home.path / console_link.KEY_FILE
    os.utime(file, (0, 0))
    assert not console_link.take_key(tmp_home, key)
    assert not file.exists()


def test_listening_beyond_this_machine_needs_tls(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"set console\.tls_cert and console\.tls_key"):
        ConsoleConfig(host="0.0.0.0")
    with pytest.raises(ConfigError, match="go together"):
        ConsoleConfig(tls_cert="cert.pem")
    with pytest.raises(ConfigError, match="names no file"):
        ConsoleConfig(tls_cert="cert.pem", tls_key="key.pem")
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).touch()
    config = ConsoleConfig(host="0.0.0.0", tls_cert=str(tmp_path / "cert.pem"), tls_key=str(tmp_path / "key.pem"))
    assert config.is_secure
    with pytest.raises(ConfigError, match=r"console\.origins"):
        ConsoleConfig(origins=("touchline.example.org",))


def test_what_a_stranger_types_comes_back_as_text() -> None:
    body = bytes(pages.sign_in(problem="<b>", name='"><script>alert(1)</script>', after="//evil.example").body).decode()
    assert "<script" not in body
    assert "&lt;script&gt;" in body
    assert 'name="next" value="/"' in body


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:1", "/a\nb", "/sign-in?key=x"]
)
def test_signing_in_leads_to_our_own_pages_only(path: str) -> None:
    assert pages.local_path(path) == "/"
    assert pages.local_path("/episodes?task=plug") == "/episodes?task=plug"
