"""What pages ask over HTTP: one file per subject, each a function that returns its router."""
