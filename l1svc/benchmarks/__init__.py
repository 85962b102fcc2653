"""l1svc beside its peers: `python -m l1svc.benchmarks.search`, `.families`, `.every`, `.bound`."""
