"""The command line driver."""
