"""Bodies and tasks: the `Robot` protocol, the simulated ones, and doors for yours. See README.md."""
