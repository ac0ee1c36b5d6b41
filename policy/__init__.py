"""What is seen, done and computed: schema and network; no I/O but the checkpoint's own files.

Read `schema.py` first (what flows), then `spec.py` (whose body), then the policy in this order:
`batch` (numpy in) -> `tokens`, `transforms` -> `encoder` -> `expert` -> `network` -> `flow` -> `policy`
(numpy out) -> `checkpoint`.

Shapes, in docstrings and tensor suffixes: B batch, H horizon, A action, S state, T tactile, C cameras,
L tokens, N prefix tokens, D width, K keypoints, V value bins.
"""
