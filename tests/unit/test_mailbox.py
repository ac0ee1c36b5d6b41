"""Pictures leave at the rate that was promised, whatever the camera's own clock does."""

import dataclasses
import random

import numpy as np
import pytest

from corrections.intervention import NOBODY
from corrections.mailbox import Mailbox
from corrections.protocol import RobotInfo

PICTURES = (np.zeros((2, 2, 3), np.uint8),)


@pytest.mark.parametrize(("camera_hz", "expected_hz"), [(5, 5), (15, 15), (20, 15), (30, 15)])
def test_a_camera_that_jitters_loses_no_more_than_it_must(camera_hz: int, expected_hz: int) -> None:
    box = Mailbox(RobotInfo(robot_id="r", spec="", is_simulated=True), view=0)
    box.people = dataclasses.replace(NOBODY, is_watched=True)
    rng, num_sent, num_seconds = random.Random(0), 0, 20
    for number in range(camera_hz * num_seconds):
        box.pictures = (int((number / camera_hz + rng.uniform(-0.002, 0.002)) * 1e9) + 10**9, PICTURES)
        num_sent += len(list(box.take_pictures()))
    assert abs(num_sent - expected_hz * num_seconds) <= 3
