"""Learning without the services: rollouts, corrections and updates in lock-step, in one process.

The science bench: the same robots, policy and learner code as the live system, minus Kafka, lake and
sockets, so that a question about learning is answered in minutes. `python -m benchmarks.learning --help`.
"""
