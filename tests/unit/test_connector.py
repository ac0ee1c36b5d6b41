"""The latch: resists, clicks, holds, and can be pulled out again."""

import numpy as np
import pytest

from robots.connector import ConnectorConfig, Latch
from robots.scene import Socket

SOCKET = Socket(colour="red", x_m=0, y_m=0, rim_m=0.025, latch_depth_m=0.010, latch_force_n=6.0)


@pytest.fixture
def latch() -> Latch:
    return Latch(ConnectorConfig(), SOCKET)


def push_to(latch: Latch, depth_m: float) -> float:
    return [latch.force(float(depth)) for depth in np.linspace(0, depth_m, 200)][-1]


def test_resistance_rises_to_the_peak(latch: Latch) -> None:
    assert push_to(latch, 0.0079) == 0
    assert push_to(latch, 0.009) == pytest.approx(3.0)
    assert push_to(latch, 0.010) == pytest.approx(6.0)
    assert not latch.is_latched


def test_past_the_peak_it_clicks_and_draws_in(latch: Latch) -> None:
    assert push_to(latch, 0.0112) == -ConnectorConfig().pull_in_n
    assert latch.is_latched
    assert latch.stop_depth_m == pytest.approx(0.010 + ConnectorConfig().travel_m)


def test_latched_it_resists_being_pulled_out_until_it_gives_way(latch: Latch) -> None:
    push_to(latch, 0.0112)
    assert latch.force(0.0105) == -ConnectorConfig().retention_n
    assert latch.is_latched
    latch.force(0.0095)
    assert not latch.is_latched
