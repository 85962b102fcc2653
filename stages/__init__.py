"""The stages of dvc.yaml, a module each."""

import pipeline  # noqa: F401  # says what Ctrl-C does, before the imports that take seconds
