"""Builders and tools shared by the tests."""
