"""Lookback: keep the last minutes of every screen share, save the moment after it happened."""

__version__ = "0.1.0"
