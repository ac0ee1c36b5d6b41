"""The lake and the weights on a real S3 server: no commit replaces another, and what a folder can do works there."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pyarrow.fs as pafs
import pytest
from botocore.exceptions import ClientError

from infra import mlflow_server, wire
from infra.bus import Bus, KafkaConfig
from infra.home import Home
from infra.mlflow_registry import MlflowRegistry
from infra.mlflow_server import MlflowServerConfig
from infra.processes import Launch, running
from infra.registry import MlflowConfig, checkpoint_sha256
from infra.topics import EPISODES, STEPS
from policy.errors import LakeError, OffsetConflict
from storage import erasure
from storage.audit import audit
from storage.maintenance import MaintenanceConfig, is_due, maintain
from storage.removals import Removals
from storage.replay import Replay
from storage.tables import Lake
from storage.tail import Tail
from storage.writer import TableWriter
from tests import object_store_rig
from tests.lake_rig import Filler, delivered, make_run, make_step, toy_spec
from tests.object_store_rig import BUCKET
from tests.signing_rig import robots_of

DEADLINE_S = 60.0
BOOT_ID = "r0-b"
NUM_COMMITS = 8
NUM_RACERS = 4
NUM_RACES = 4


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment that leads to the store; this process has it too."""
    with (
        object_store_rig.serving(tmp_path_factory.mktemp("store")) as environ,
        object_store_rig.environment(environ),
    ):
        yield environ


@pytest.fixture
def lake(store: Mapping[str, str], request: pytest.FixtureRequest) -> Lake:
    return Lake(f"s3://{BUCKET}/{request.node.name}")


def test_of_several_who_put_the_same_key_at_once_one_wins(store: Mapping[str, str]) -> None:
    """What the lake rests on; a store for which this fails is none for it."""
    client = boto3.client("s3")
    for number in range(NUM_RACES):
        start = threading.Barrier(NUM_RACERS)
        codes: dict[int, str] = {}

        def put(racer: int, key: str = f"races/{number}", start: Any = start, codes: Any = codes) -> None:
            start.wait()
            try:
                client.put_object(Bucket=BUCKET, Key=key, Body=str(racer).encode(), IfNoneMatch="*")
                codes[racer] = "won"
            except ClientError as error:
                codes[racer] = error.response["Error"]["Code"]

        in_parallel(put, NUM_RACERS)
        kept = int(client.get_object(Bucket=BUCKET, Key=f"races/{number}")["Body"].read())
        assert codes.pop(kept) == "won"
        assert set(codes.values()) <= {"PreconditionFailed", "ConditionalRequestConflict"}
    client.close()


def in_parallel(work: Callable[[int], None], num_threads: int) -> None:
    """Run it on so many threads, each told its number; whatever one raises is raised here."""
    with ThreadPoolExecutor(num_threads) as pool:
        for _ in pool.map(work, range(num_threads)):
            pass


def test_writers_who_race_for_the_same_versions_lose_nothing(lake: Lake) -> None:
    lake.open(STEPS)
    start = threading.Barrier(STEPS.num_partitions)

    def write(partition: int) -> None:
        writer = TableWriter(lake, STEPS, {partition})
        start.wait()
        for offset in range(NUM_COMMITS):
            steps = [make_step(offset, boot_id=f"b{partition}")]
            writer.take(partition, offset, wire.decode(STEPS, wire.encode(steps)))
            writer.commit()

    in_parallel(write, STEPS.num_partitions)
    assert delivered(lake) == [(f"b{p}", seq) for p in range(STEPS.num_partitions) for seq in range(NUM_COMMITS)]


def test_of_two_writers_of_a_partition_the_second_is_refused(lake: Lake) -> None:
    writers = [TableWriter(lake, STEPS) for _ in range(2)]
    for writer in writers:
        writer.take(0, 0, wire.decode(STEPS, wire.encode([make_step(0)])))
    writers[0].commit()
    with pytest.raises(OffsetConflict):
        writers[1].commit()
    assert delivered(lake) == [("b0", 0)]


def test_replay_compaction_erasure_and_clean_up(lake: Lake, store: Mapping[str, str], tmp_path: Path) -> None:
    filler = Filler(lake)
    tail = Tail(lake, STEPS, ["seq", "episode_id"])
    for number in range(4):
        filler.put_run(number, 5)
    assert sum(batch.num_rows for batch in tail.read()) == 20
    replay = Replay(lake, tmp_path / "replay", toy_spec(), 200)
    try:
        assert replay.refresh() == 4
        pin = replay.pin()
        config = MaintenanceConfig(min_small_files=2)
        assert is_due(lake, STEPS, config)
        assert maintain(lake, STEPS, config, retention_h=0) == 4
        filler.put_run(4, 5)
        assert sum(batch.num_rows for batch in tail.read()) == 5
        assert replay.refresh() == 1
        done = erasure.erase_episode(lake, Removals(lake), "b0/e0", author="ann", reason="asked")
        assert (done.num_rows["steps"], done.unfinished) == (5, {})
        assert erasure.shred_all(lake) > 0
        replay.refresh()
        assert replay.view().episodes["episode_id"].tolist() == [f"b0/e{number}" for number in range(1, 5)]
        with pytest.raises(LakeError):
            replay.view(pin)  # it named what is gone
        batch = replay.view().gather(replay.view().draw(np.random.default_rng(0), 8), 2)
        assert len(batch.state) == 8
    finally:
        replay.close()
    paths = listed(store, f"{lake.url.removeprefix('s3://')}/{STEPS.name}")
    data = {f"s3://{path}" for path in paths if path.endswith(".parquet") and "/_delta_log/" not in path}
    assert data == set(lake.open(STEPS).file_uris())


def listed(store: Mapping[str, str], folder: str) -> list[str]:
    files = object_store_rig.files(store["AWS_ENDPOINT_URL"].removeprefix("http://"))
    return [info.path for info in files.get_file_info(pafs.FileSelector(folder, recursive=True)) if info.is_file]


def test_ingest_as_it_is_configured(lake: Lake, kafka_bus: Bus, kafka_config: KafkaConfig, tmp_home: Home) -> None:
    steps, episode = make_run(0, 20, boot_id=BOOT_ID)
    producer = kafka_bus.producer("robot", signer=robots_of(tmp_home))
    launch = Launch(
        name="ingest",
        command=(sys.executable, "-m", "storage", "--home", str(tmp_home.path), "--flush-s", "0.05"),
        environ={
            "TOUCHLINE_KAFKA__BOOTSTRAP_SERVERS": kafka_config.bootstrap_servers,
            "TOUCHLINE_KAFKA__TOPIC_PREFIX": kafka_config.topic_prefix,
            "TOUCHLINE_LAKE__URL": lake.url,
        },
    )
    with running(launch, tmp_home.logs) as process:
        for _ in range(2):  # twice: as after a crash of the robot
            for first in range(0, 20, 5):
                producer.send(STEPS, steps[first : first + 5])
        producer.send(EPISODES, [episode])
        assert producer.flush(DEADLINE_S) == 0
        producer.close()
        deadline = time.monotonic() + DEADLINE_S
        while len(delivered(lake)) < 20 or not delivered(lake, EPISODES):
            assert time.monotonic() < deadline, process.log_tail()
            threading.Event().wait(0.2)
        assert process.stop(drain_s=20.0) == 0
    assert audit(lake, {BOOT_ID: 20}).is_exact


def test_weights_are_kept_there_and_fetched_through_the_server_alone(store: Mapping[str, str], tmp_path: Path) -> None:
    config = MlflowServerConfig(artifacts_url=f"s3://{BUCKET}/weights")
    launch, url = mlflow_server.launch(tmp_path / "mlflow", config)
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    (checkpoint / "weights.safetensors").write_bytes(bytes(range(256)) * 100)
    (checkpoint / "policy.json").write_text("{}")
    with running(launch, tmp_path):
        registry = MlflowRegistry(MlflowConfig(tracking_url=url))
        with object_store_rig.environment(dict.fromkeys(store, "")):  # a robot has no keys
            version = registry.publish(checkpoint, tags={"spec_id": "abc"})
            fetched = registry.fetch(version, tmp_path / "weights")
        assert checkpoint_sha256(fetched) == version.sha256
    assert sum(path.endswith("/weights.safetensors") for path in listed(store, f"{BUCKET}/weights")) == 1
    assert not (tmp_path / "mlflow" / "artifacts").exists()
