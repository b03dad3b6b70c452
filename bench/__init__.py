"""Measurements: what is timed lives here, what must be true lives in tests/."""
