"""The rolling buffer on disk: its directory is its database (docs/design.md)."""
