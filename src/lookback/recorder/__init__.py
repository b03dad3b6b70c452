"""Sources that feed writers, and the process they run in."""
