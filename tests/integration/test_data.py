"""`touchline data`: counts, versions, export, and the balance of sent against stored."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from infra.home import Home
from infra.topics import EPISODES, STEPS, VALUES
from policy.errors import ConfigError
from storage import data
from storage.audit import audit
from storage.export import export
from storage.tables import Lake, LakeConfig, lake_of, table_schema
from tests.lake_rig import Filler, make_episode, make_step


@pytest.fixture
def lake(tmp_home: Home) -> Lake:
    lake = lake_of(LakeConfig(), tmp_home)
    filler = Filler(lake)
    filler.put(STEPS, [make_step(seq, time_ns=seq * 10**9) for seq in range(10)])
    filler.put(EPISODES, [make_episode(0, 10)])
    return lake


def test_the_listing_names_every_table(lake: Lake, tmp_home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert data.main(["--home", str(tmp_home.path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lake.url
    assert {line.split()[0]: line.split()[1] for line in lines[2:]}["steps"] == "10"


def test_export_of_a_time_range(lake: Lake, tmp_home: Home, tmp_path: Path) -> None:
    target = tmp_path / "some.parquet"
    times = ["--since", "1970-01-01T00:00:03+00:00", "--until", "1970-01-01T00:00:06+00:00"]
    assert data.main(["export", "steps", "--home", str(tmp_home.path), *times, "--out", str(target)]) == 0
    rows = pq.read_table(target)
    assert rows.schema.equals(table_schema(STEPS))
    assert np.sort(rows.column("seq").to_numpy()).tolist() == [3, 4, 5]
    with pytest.raises(ConfigError, match="exists"):
        export(lake, STEPS, target)


def test_export_without_a_range_takes_all_and_a_table_without_time_says_so(lake: Lake, tmp_path: Path) -> None:
    assert export(lake, EPISODES, tmp_path / "episodes.parquet") == 1
    assert export(lake, VALUES, tmp_path / "values.parquet") == 0
    with pytest.raises(ConfigError, match="no time"):
        export(lake, VALUES, tmp_path / "never.parquet", since_ns=0)


def test_a_mistake_is_one_line_and_exit_code_2(
    lake: Lake, tmp_home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "export",
        "values",
        "--home",
        str(tmp_home.path),
        "--since",
        "2030-01-01",
        "--out",
        str(tmp_path / "x"),
    ]
    assert data.main(arguments) == 2
    assert capsys.readouterr().err.startswith("touchline data: ")


def test_the_balance(lake: Lake) -> None:
    exact = audit(lake, {"b0": 10})
    assert exact.is_exact
    assert exact.num_in_lake == 10
    short = audit(lake, {"b0": 12, "never": 1})
    assert (short.num_lost, short.is_exact) == (3, False)
    assert audit(lake, {"b0": 9}).num_unannounced == 1
