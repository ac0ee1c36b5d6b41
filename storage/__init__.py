"""The lake: what the fleet did, each step exactly once, and the replay that learners draw from.

Reading order: `README.md` (the delivery contract), `offsets` (the exactly-once rule alone), `tables`
and `writer` (Delta), `ingest` (Kafka to Delta), `tail` and `replay` (Delta to the learner).
"""
