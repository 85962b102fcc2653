"""l1svc beside its peers: ``python -m benchmarks.search``, ``.families``."""
