import datetime
from pathlib import Path

import pytest

from infra import cli, connect, freeze
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.release_commands import expiry_ns, run_rollout
from policy.errors import ConfigError

NOW_NS = 1_800_000_000 * 1_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("90m", 5_400), ("2h", 7_200), ("1d", 86_400), ("1.5h", 5_400)]
)
def test_a_freeze_may_expire_after_a_while(text: str, seconds: int) -> None:
    assert expiry_ns(text, NOW_NS) == NOW_NS + seconds * 1_000_000_000


def test_a_freeze_may_expire_at_a_time_or_never() -> None:
    assert expiry_ns("", NOW_NS) == 0
    at = datetime.datetime(2030, 1, 31, 18, tzinfo=datetime.UTC)
    assert expiry_ns("2030-01-31T18:00+00:00", NOW_NS) == int(at.timestamp()) * 1_000_000_000


@pytest.mark.parametrize("text", ["soon", "5", "2020-01-01T00:00", "h2"])
def test_an_expiry_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--expires"):
        expiry_ns(text, NOW_NS)


@pytest.mark.parametrize("arguments", [["start"], ["next", "7"]])
def test_only_start_names_a_version(arguments: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="start takes a version"):
        run_rollout([*arguments, "--home", str(tmp_path)])


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryRegistry:
    """Versions 1 to 3, 1 the champion, behind the doors that the commands open."""
    found, bus = MemoryRegistry(tmp_path / "registry"), MemoryBus()
    bus.ensure_topics()
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "weights").write_text("w")
    for _ in range(3):
        found.publish(tmp_path / "c", tags={"spec_id": "s"})
    found.set_alias("champion", "1")
    monkeypatch.setattr(connect, "registry", lambda config: found)
    monkeypatch.setattr(connect, "bus", lambda config, member: bus)
    return found


def test_a_rollout_from_the_command_line(
    desk: MemoryRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def touchline(*arguments: str) -> list[str]:
        assert cli.main([*arguments, "--home", str(tmp_path), "--fleet", "r0,r1,r2,r3,r4"]) == 0
        return capsys.readouterr().out.splitlines()

    assert touchline("rollout", "status") == ["no rollout is under way"]
    assert touchline("rollout", "start", "2", "--reason", "good", "--author", "ann") == ["canary: 2"]
    assert touchline("rollout", "pause") == ["rollout_pause: 2 (was 1)"]
    first, second = touchline("rollout", "status")
    assert first.startswith("version 2 at stage 1 of 3, on r0, paused by ")
    assert second.startswith("robots by stage: 1, 3, 5; ")
    assert second.endswith(" of at least 120 s in this stage")
    assert touchline("rollout", "next") == ["rollout_stage: 2 (was 1)"]
    assert touchline("rollout", "resume") == ["rollout_resume: 2 (was 1)"]
    assert touchline("rollout", "next") == ["promote: 2 (was 1)"]
    assert touchline("rollout", "start", "3", "--stages", "2,all") == ["canary: 3"]
    assert touchline("rollback", "--dry-run") == [
        "rollback would make 1 champion and reject 2",
        "r0: stays on 3 (canary)",
        "r1: stays on 3 (canary)",
        "r2: 2 (champion) -> 1 (champion)",
        "r3: 2 (champion) -> 1 (champion)",
        "r4: 2 (champion) -> 1 (champion)",
    ]
    assert touchline("rollout", "abort", "--reason", "smoke") == ["rollout_abort: 3 (was 2)"]
    assert desk.aliases() == {"champion": "2", "previous": "1"}
    assert desk.get("3").tags["role_reason"] == "smoke"


def test_a_shadow_from_the_command_line(
    desk: MemoryRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def touchline(*arguments: str) -> int:
        return cli.main(["shadow", *arguments, "--reason", "a look", "--home", str(tmp_path)])

    assert touchline("2") == 0
    assert touchline("3") == 0
    assert capsys.readouterr().out.splitlines() == ["shadow: 2", "shadow: 3 (was 2)"]
    assert desk.aliases() == {"champion": "1", "shadow": "3"}
    assert touchline() == touchline("3", "--clear") == touchline("1") == 2
    assert touchline("--clear") == 0
    assert capsys.readouterr().out == "shadow_end: no version (was 3)\n"
    assert desk.aliases() == {"champion": "1"}


def test_a_frozen_fleet_from_the_command_line(
    desk: MemoryRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--home", str(tmp_path)]
    assert cli.main(["freeze", "--expires", "2h", "--reason", "audit", *home]) == 0
    assert cli.main(["rollout", "start", "2", *home]) == 2
    assert "frozen" in capsys.readouterr().err
    assert cli.main(["thaw", *home]) == 0
    assert cli.main(["rollout", "start", "2", *home]) == 0
    assert freeze.freeze_state(desk) is None
