import pytest

from infra.metrics import METRICS, Metrics


def test_names_follow_the_conventions() -> None:
    for name, row in METRICS.items():
        assert name.startswith("touchline_")
        assert (row.kind == "counter") == name.endswith("_total"), name
        if row.kind == "histogram":
            assert name.endswith("_seconds"), name


def test_every_kind_is_written_and_shown() -> None:
    metrics = Metrics()
    metrics.count("touchline_interventions_total", task="t", version="1", trigger="stuck")
    metrics.count("touchline_interventions_total", 2, task="t", version="1", trigger="stuck")
    metrics.set("touchline_spool_bytes", 7)
    metrics.observe("touchline_tick_seconds", 0.02)
    assert metrics.value("touchline_interventions_total", task="t", version="1", trigger="stuck") == 3
    assert metrics.value("touchline_spool_bytes") == 7
    assert metrics.value("touchline_robot_up", robot="nobody") == 0
    assert b"touchline_tick_seconds_count 1.0" in metrics.exposition()


def test_a_name_that_is_not_in_the_table_is_an_error() -> None:
    with pytest.raises(KeyError):
        Metrics().count("touchline_typo_total")
    with pytest.raises(KeyError):
        Metrics().count("touchline_spool_bytes")
