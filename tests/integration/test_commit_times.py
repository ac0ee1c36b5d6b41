"""When rows were committed, as the table's log says."""

import time
from pathlib import Path

import numpy as np

from infra.topics import EPISODES
from storage.commits import CommitTimes
from storage.maintenance import MaintenanceConfig, maintain
from storage.tables import Lake
from tests.lake_rig import Filler, make_episode


def test_rows_have_the_time_of_their_commit(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    filler, times = Filler(lake), CommitTimes(lake, EPISODES)
    times.refresh()
    assert times.of(np.array([0, 1])).tolist() == [0, 0]
    began_ns = time.time_ns()
    for number in range(3):
        filler.put(EPISODES, [make_episode(number, 1)])
        if number != 1:
            times.refresh()
    maintain(lake, EPISODES, MaintenanceConfig(), retention_h=0)  # commits of its own, which bring no rows
    times.refresh()
    found = times.of(np.array([0, 1, 2, 3]))
    # The log counts in milliseconds.
    assert began_ns - 2_000_000 <= found[0] <= found[1] <= found[2] <= time.time_ns()
    assert found[3] == 0
    late = CommitTimes(lake, EPISODES)
    late.refresh()
    assert late.of(np.array([2]))[0] in (0, found[2])
