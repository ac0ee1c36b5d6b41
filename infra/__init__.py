"""Floor 1: the only doors to the outside, and what every process shares.

    what flows      topics -> wire -> bus (kafka_bus | memory_bus)
    what acts       registry (mlflow_registry | memory_registry) -> releases (freeze, rollout, rollback_plan) -> ledger
    a process       config, home, service (logs, metrics, threads, backoff, ports)
    this machine    broker, mlflow_server, processes (keeper) -> local -> fleet -> up
    command line    cli (up, status, release_commands, show_config)

`README.md` says how to point it at a Kafka or an MLflow that exists already.
"""
