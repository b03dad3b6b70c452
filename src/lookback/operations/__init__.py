"""Whether everything that must work does."""
