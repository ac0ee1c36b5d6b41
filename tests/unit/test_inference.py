"""Chunks: asked for in time, computed together, skipped, exhausted, dropped."""

import numpy as np
import pytest

from actor.chunks import ChunkConfig, Chunks, Sampling
from actor.inference import Inference, Request
from infra.metrics import Metrics
from policy.errors import ConfigError
from tests.actor_rig import FakeSampler, TinyRobot, wait_for

OBSERVATION = TinyRobot().observe()


def _answer(request: Request | None) -> None:
    assert request is not None
    request.fill(request.sampler.sample([request.observation] * len(request.seeds), request.seeds))


def _rows(chunks: Chunks, ticks: range, *, late: int = 0, is_virtual: bool) -> list[tuple[int, int] | None]:
    """(tick of the chunk, row) executed in each tick, with answers that come `late` ticks after the request."""
    due: list[tuple[int, Request]] = []
    rows: list[tuple[int, int] | None] = []
    for tick in ticks:
        if request := chunks.ask(tick, OBSERVATION):
            due.append((tick + late, request))
        for answer_tick, request in list(due):
            if answer_tick <= tick or (is_virtual and chunks.is_waiting(tick)):
                _answer(request)
                due.remove((answer_tick, request))
        proposal = chunks.propose(tick, is_virtual=is_virtual)
        if proposal is None:
            rows.append(None)
        else:
            rows.append((round(float(proposal.action[0]) * 100), round(float(proposal.action[1]) * 100)))
            assert proposal.chunk_index == rows[-1][1]  # type: ignore[index]
    return rows


def test_in_lockstep_every_chunk_is_used_from_its_first_row() -> None:
    rows = _rows(Chunks(FakeSampler(), 7, ChunkConfig()), range(9), is_virtual=True)
    assert rows == [(0, 0), (0, 1), (0, 2), (0, 3), (4, 0), (4, 1), (4, 2), (4, 3), (8, 0)]


@pytest.mark.parametrize("late", [0, 1, 2])
def test_on_its_own_clock_the_delay_is_as_configured_however_fast_the_host(late: int) -> None:
    chunks = Chunks(FakeSampler(), 7, ChunkConfig(inference_delay_ticks=2))
    rows = _rows(chunks, range(12), late=late, is_virtual=True)
    first = [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, 5)]
    assert rows == [*first, (4, 2), (4, 3), (4, 4), (4, 5), (8, 2), (8, 3)]


def test_in_real_time_the_old_chunk_goes_on_and_passed_rows_are_skipped() -> None:
    rows = _rows(Chunks(FakeSampler(), 7, ChunkConfig()), range(11), late=2, is_virtual=False)
    assert rows == [None, None, (0, 2), (0, 3), (0, 4), (0, 5), (4, 2), (4, 3), (4, 4), (4, 5), (8, 2)]


def test_in_real_time_an_exhausted_chunk_means_hold() -> None:
    chunks = Chunks(FakeSampler(), 7, ChunkConfig())
    _answer(chunks.ask(0, OBSERVATION))
    chunks.propose(0, is_virtual=False)
    chunks.ask(4, OBSERVATION)
    assert chunks.propose(7, is_virtual=False) is not None
    assert chunks.propose(8, is_virtual=False) is None
    assert chunks.is_waiting(8)


def test_a_drop_forgets_the_chunk_and_the_one_on_its_way() -> None:
    chunks = Chunks(FakeSampler(), 7, ChunkConfig())
    _answer(chunks.ask(0, OBSERVATION))
    chunks.propose(0, is_virtual=True)
    request = chunks.ask(4, OBSERVATION)
    chunks.drop()
    assert request is not None
    assert not request.is_wanted
    assert chunks.propose(4, is_virtual=False) is None
    fresh = chunks.ask(5, OBSERVATION)
    assert fresh is not None
    assert fresh.seeds == ((7, 5),)


def test_a_horizon_that_is_too_short_is_refused() -> None:
    with pytest.raises(ConfigError, match="too short"):
        Chunks(FakeSampler(horizon=4), 7, ChunkConfig(inference_delay_ticks=1))
    with pytest.raises(ConfigError):
        ChunkConfig(num_executed=2, inference_delay_ticks=3)


def test_what_was_asked_for_before_a_flush_is_one_batch_per_policy() -> None:
    inference, one, other = Inference(Metrics()), FakeSampler(), FakeSampler()
    requests = [Request(sampler=s, observation=OBSERVATION, seed=(i, 0)) for i, s in enumerate([one, other, one])]
    for request in requests:
        inference.ask(request)
    requests[1].cancel()
    assert not inference.wake.wait(0.0)
    inference.flush()
    assert inference.wake.wait(10.0)
    assert one.batches == [[(0, 0), (2, 0)]]
    assert other.batches == []
    np.testing.assert_array_equal(requests[2].result()[0, :, 1], np.arange(8, dtype=np.float32) / 100)
    inference.close()


def test_several_chunks_of_one_observation_leave_the_executed_one_and_its_neighbours_alone() -> None:
    inference, sampler = Inference(Metrics()), FakeSampler()
    sampler.doubt = 1.0
    requests = [
        Request(sampler=sampler, observation=OBSERVATION, seed=(0, tick), num_samples=num)
        for tick, num in ((1, 1), (2, 3), (3, 1))
    ]
    for request in requests:
        inference.ask(request)
    inference.flush()
    wait_for(lambda: all(request.is_done for request in requests))
    assert sampler.batches == [[(0, 1), (0, 2), (0, 2, 1), (0, 2, 2), (0, 3)]]
    assert [len(request.result()) for request in requests] == [1, 3, 1]
    assert [round(float(request.result()[0, 0, 0]) * 100) for request in requests] == [1, 2, 3]
    inference.close()


def test_samples_are_drawn_every_so_many_chunks_and_told_once() -> None:
    chunks = Chunks(FakeSampler(), 7, ChunkConfig(), Sampling(num_samples=4, every=2))
    nums = []
    for tick in (0, 4, 8):
        _answer(chunks.ask(tick, OBSERVATION))
        chunks.propose(tick, is_virtual=True)
        samples = chunks.take_samples()
        nums.append(0 if samples is None else len(samples))
        assert chunks.take_samples() is None
    assert nums == [4, 0, 4]


def test_an_urgent_request_does_not_wait_for_a_flush_nor_does_anybody_wait_for_it() -> None:
    inference, sampler = Inference(Metrics()), FakeSampler()
    sampler.may_answer.clear()
    request = Request(sampler=sampler, observation=OBSERVATION, seed=(0, 0))
    inference.ask(request, is_urgent=True)
    assert not request.is_done
    sampler.may_answer.set()
    wait_for(lambda: request.is_done)
    inference.close()


def test_a_sampler_that_fails_fails_its_requests_and_not_the_thread() -> None:
    inference, broken, sound = Inference(Metrics()), FakeSampler(), FakeSampler()
    broken.error = RuntimeError("no memory")
    requests = [Request(sampler=s, observation=OBSERVATION, seed=(0, 0)) for s in (broken, sound)]
    for request in requests:
        inference.ask(request)
    inference.flush()
    wait_for(lambda: all(request.is_done for request in requests))
    with pytest.raises(RuntimeError, match="no memory"):
        requests[0].result()
    assert requests[1].result().shape == (1, 8, 2)
    inference.close()
