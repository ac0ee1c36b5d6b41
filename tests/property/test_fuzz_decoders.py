"""Ten thousand damaged inputs at every door: only errors that have a name, quickly, in little memory."""

from benchmarks.fuzz import fuzz

NUM_INPUTS = 10_000
MAX_GROWTH_BYTES = 200 << 20
MAX_PROCESSOR_S = 5.0


def test_only_named_errors_and_bounded_memory() -> None:
    for name, finding in fuzz(NUM_INPUTS, seed=1).items():
        assert not finding.faults, (name, finding.faults)
        assert finding.num_inputs > 100
        assert finding.refusals, name  # the mutations are not all harmless
        assert finding.grown_bytes < MAX_GROWTH_BYTES, name
        assert finding.longest_s < MAX_PROCESSOR_S, name
