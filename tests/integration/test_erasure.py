"""Erased is gone: from rows, files and the learner's ring, and it stays away."""

import dataclasses
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from infra import wire
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.metrics import Metrics
from infra.topics import AUDIT, EPISODES, INTERVENTIONS, LABELS, STEPS
from policy.errors import ConfigError, LakeError
from policy.schema import AuditEntry
from storage import data, retention
from storage.disk import DiskConfig, LakeDisk
from storage.embodiments import EmbodimentGuard
from storage.erasure import carry_out, erase_episode, erase_operator, shred_all
from storage.ingest import IngestConfig, TopicIngest
from storage.maintenance import MaintenanceConfig, maintain
from storage.pin import DataPin
from storage.removals import ERASED, Removals
from storage.replay import Replay
from storage.retention import RetentionConfig
from storage.sweep import Sweeper
from storage.tables import KEPT_TOPICS, Lake
from storage.tail import Tail
from storage.writer import TableWriter
from tests.history_rig import make_intervention
from tests.lake_rig import Filler, delivered, make_label, make_run, make_step, raw, toy_spec

DAY_NS = 86_400 * 10**9
DEADLINE_S = 60.0
PERSON = "Ann Example"


@pytest.fixture
def filler(tmp_path: Path) -> Filler:
    filler = Filler(Lake(str(tmp_path / "lake")))
    for number in range(3):
        filler.put_run(number, 4, instruction=f"task of e{number}")
    filler.put_label(0, "b0/e1", "failure", 5)
    return filler


def files_with(folder: Path, text: str) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_an_erased_episode_is_in_no_row_and_no_file(filler: Filler) -> None:
    lake, folder = filler.lake, Path(filler.lake.url)
    assert files_with(folder, "task of e1")
    done = erase_episode(lake, Removals(lake), "b0/e1", author="ann", reason="asked")
    assert (done.num_rows["steps"], done.num_rows["episodes"], done.num_rows["labels"]) == (4, 1, 1)
    assert not done.unfinished
    for topic in (STEPS, EPISODES, LABELS):
        assert "b0/e1" not in lake.read(topic, ["episode_id"]).column("episode_id").to_pylist()
    assert files_with(folder, "task of e1")  # readers under way may still need them
    shred_all(lake)
    assert files_with(folder, "task of e1") == []
    assert len(delivered(lake)) == 8
    with pytest.raises(ConfigError, match="no row"):
        erase_episode(lake, Removals(lake), "b0/e1", author="ann", reason="asked")


def ingest_once(lake: Lake, bus: MemoryBus, until: Any) -> None:
    """Ingest the steps until something holds, then stop."""
    stopping, metrics = threading.Event(), Metrics()
    disk = LakeDisk(lake.url, DiskConfig(warn_free_bytes=0, min_free_bytes=0), metrics)
    ingest = TopicIngest(
        STEPS, lake, bus, config=IngestConfig(flush_s=0.02), metrics=metrics, stopping=stopping,
        guard=EmbodimentGuard(None), removals=Removals(lake), disk=disk,
    )  # fmt: skip
    thread = threading.Thread(target=ingest.run)
    thread.start()
    deadline = time.monotonic() + DEADLINE_S
    while not until():
        assert time.monotonic() < deadline, ingest.problem
        threading.Event().wait(0.02)
    stopping.set()
    thread.join()


def test_it_stays_away_after_restart_redelivery_and_compaction(tmp_path: Path) -> None:
    lake, bus = Lake(str(tmp_path / "lake")), MemoryBus()
    bus.ensure_topics()
    robot = bus.producer("robot")
    runs = [make_run(number, 4)[0] for number in range(3)]
    for steps in runs:
        robot.send(STEPS, steps)
    ingest_once(lake, bus, lambda: len(delivered(lake)) == 12)
    erase_episode(lake, Removals(lake), "b0/e1", author="ann", reason="asked")
    # Sent again by a robot that never heard that it had arrived; the ledger's memory of it is gone, too.
    again = [dataclasses.replace(step, boot_id="b1") for step in runs[1]]
    robot.send(STEPS, runs[1] + again)
    robot.send(STEPS, [make_step(9000, episode_id="b0/e9")])
    ingest_once(lake, bus, lambda: len(delivered(lake)) >= 9)
    maintain(lake, STEPS, MaintenanceConfig(), retention_h=0)
    assert set(lake.read(STEPS, ["episode_id"]).column("episode_id").to_pylist()) == {"b0/e0", "b0/e2", "b0/e9"}
    assert len(delivered(lake)) == 9


def test_a_commit_that_was_under_way_is_swept_too(filler: Filler) -> None:
    lake = filler.lake
    removals = Removals(lake)
    sweeper = Sweeper(lake, removals, {})
    late = TableWriter(lake, STEPS)
    late.take(0, 100, record_batch(make_run(1, 4, boot_id="b7")[0]))
    erase_episode(lake, removals, "b0/e1", author="ann", reason="asked")
    assert late.next_offsets[0] == 101
    late.take(0, 101, record_batch([make_step(500, episode_id="b0/e1", boot_id="b8")]))
    late.commit()  # met the sweep: a fresh handle, and again
    assert sweeper.tick([STEPS]) == 1
    assert removals.unswept()
    assert sweeper.tick([STEPS]) == 0
    removals.refresh()
    assert removals.unswept() == []
    assert "b0/e1" not in lake.read(STEPS, ["episode_id"]).column("episode_id").to_pylist()


def record_batch(steps: list[Any]) -> Any:
    return wire.decode(STEPS, wire.encode(steps))


def test_a_reader_that_follows_the_log_is_not_shown_what_went(filler: Filler) -> None:
    tail = Tail(filler.lake, EPISODES, ["instruction"])
    assert sum(batch.num_rows for batch in tail.read()) == 3
    erase_episode(filler.lake, Removals(filler.lake), "b0/e1", author="ann", reason="asked")
    assert tail.read() == []


def test_the_learners_ring_forgets_it_in_its_files_as_well(filler: Filler, tmp_path: Path) -> None:
    lake, folder = filler.lake, tmp_path / "replay"
    filler.put_run(7, 4, frames=(raw(201), raw(202)), operator_id=PERSON)
    replay = Replay(lake, folder, toy_spec(), 100)
    replay.refresh()
    pin = replay.pin()
    picture = bytes([201]) * 192
    assert picture in (folder / "frames.bin").read_bytes()
    erase_episode(lake, Removals(lake), "b0/e7", author="ann", reason="asked")
    replay.refresh(makes_room=False)  # while a training round looks at the rows
    assert "b0/e7" not in replay.episodes["episode_id"]
    assert picture in (folder / "frames.bin").read_bytes()
    replay.refresh()
    assert picture not in (folder / "frames.bin").read_bytes()
    assert sorted(replay.episodes["episode_id"]) == ["b0/e0", "b0/e1", "b0/e2"]
    assert replay.view().gather(replay.view().step_rows, 1).state[:, 0].tolist() == [
        1000.0 * number + step for number in range(3) for step in range(4)
    ]
    with pytest.raises(LakeError, match="erased"):
        replay.view(pin)
    replay.close()
    again = Replay(lake, folder, toy_spec(), 100)
    again.refresh()
    assert len(again.episodes) == 3
    again.close()


def test_an_operator_who_is_erased_is_nobody_in_every_table_file_and_ring(filler: Filler, tmp_path: Path) -> None:
    lake, folder = filler.lake, Path(filler.lake.url)
    filler.put_run(7, 4, operator_id=PERSON, outcome_author=PERSON)
    filler.put(INTERVENTIONS, [dataclasses.replace(make_intervention(0, "b0/e7", 1, 2), operator_id=PERSON)])
    filler.put(LABELS, [dataclasses.replace(make_label(9, "b0/e7", "failure", 9), author=PERSON)])
    audit = AuditEntry(
        boot_id="c", seq=0, time_ns=1, author="bob", role="admin", action="take_over", subject="r0", reason="",
        detail=json.dumps({"given_by": PERSON, "holder": "bob"}),
    )  # fmt: skip
    filler.put(AUDIT, [audit])
    replay = Replay(lake, tmp_path / "replay", toy_spec(), 100)
    replay.refresh()
    done = erase_operator(lake, Removals(lake), PERSON, author="ann", reason="asked")
    assert [done.num_rows[name] for name in ("steps", "episodes", "interventions", "labels", "audit")] == [
        4,
        1,
        1,
        1,
        1,
    ]
    replay.refresh()
    assert set(replay.episodes["operator_id"]) == {"", ERASED}
    replay.close()
    shred_all(lake)
    assert files_with(folder, PERSON) == files_with(tmp_path / "replay", PERSON) == []
    (detail,) = lake.read(AUDIT, ["detail"]).column("detail").to_pylist()
    assert json.loads(str(detail)) == {"given_by": ERASED, "holder": "bob"}
    removals = Removals(lake)
    removals.refresh()
    late = removals.cleaned(STEPS, record_batch([make_step(1, operator_id=PERSON), make_step(2, operator_id="bob")]))
    assert late.column("operator_id").to_pylist() == [ERASED, "bob"]


def test_retention_goes_by_source_and_age_and_spares_what_the_champion_was_trained_on(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    filler = Filler(lake)
    now_ns = 100 * DAY_NS
    ages = [("rollout", 40, 0), ("rollout", 40, 0), ("rollout", 20, 0), ("rollout", 90, 3), ("evaluation", 8, 0),
            ("demonstration", 99, 0)]  # fmt: skip
    for number, (source, age, corrections) in enumerate(ages):
        ended_ns = now_ns - age * DAY_NS
        filler.put_run(number, 4, source=source, ended_ns=ended_ns, num_correction_steps=corrections)
    replay = Replay(lake, tmp_path / "replay", toy_spec(), 100)
    replay.refresh()
    pin = dataclasses.replace(replay.pin(), offsets={"episodes": {0: 0}})  # episode 0 alone
    replay.close()
    todo = retention.plan(lake, RetentionConfig(), now_ns, ("3", pin), spares_champion=True)
    assert {kind: [e.episode_id for e in some] for kind, some in todo.old.items()} == {
        "rollout": ["b0/e1"], "evaluation": ["b0/e4"],
    }  # fmt: skip
    assert todo.num_champion == 1
    removals = Removals(lake)
    retention.carry_out(lake, todo, removals, author="ann")
    assert carry_out(lake, removals).num_rows["steps"] == 8
    kept = set(lake.read(EPISODES, ["episode_id"]).column("episode_id").to_pylist())
    assert kept == {"b0/e0", "b0/e2", "b0/e3", "b0/e5"}
    everything = retention.plan(lake, RetentionConfig(), now_ns, ("3", pin), spares_champion=False)
    assert [e.episode_id for e in everything.episodes] == ["b0/e0"]


def test_the_champions_training_set_is_a_tag_of_its_version(tmp_path: Path) -> None:
    registry = MemoryRegistry(tmp_path / "registry")
    assert retention.champion_pin(registry) == ("", None)
    pin = DataPin(spec_id="s", offsets={"episodes": {0: 3}}, floor=-1, num_episodes=1, num_steps=4, versions={})
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "policy.json").write_text("{}")
    published = registry.publish(weights, tags={"spec_id": "s", "data_pin": pin.to_json()})
    registry.set_alias("champion", published.version)
    assert retention.champion_pin(registry) == (published.version, pin)


def test_the_commands_say_what_would_go_and_do_it_when_told(
    filler: Filler, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--home", str(tmp_path), "--url", filler.lake.url]
    assert data.main(["retain", *place, "--even-champion"]) == 0
    assert "nothing was removed" in capsys.readouterr().out
    assert len(delivered(filler.lake)) == 12
    assert data.main(["retain", *place]) == 2
    assert "--even-champion" in capsys.readouterr().err
    assert data.main(["erase", *place, "--episode", "b0/e1", "--reason", "asked", "--now"]) == 0
    said = capsys.readouterr().out
    assert "steps: 4 rows" in said
    assert "Kafka keeps" in said
    assert files_with(Path(filler.lake.url), "task of e1") == []
    assert data.main(["retain", *place, "--even-champion", "--yes"]) == 0  # episodes of 1970
    assert delivered(filler.lake) == []
    assert data.main(["show", *place]) == 0
    assert "3 episodes" in capsys.readouterr().out
    assert all(len(filler.lake.read(topic, ["seq"])) == 0 for topic in KEPT_TOPICS if topic is not AUDIT)
