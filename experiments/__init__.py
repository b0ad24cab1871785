"""Scripts that reproduce studies; run from a checkout by `python -m`."""
