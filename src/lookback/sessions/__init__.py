"""The life of a replay session: start, stop, status and its legal moves."""
