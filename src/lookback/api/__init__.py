"""The HTTP driver: parse, call one service method, present."""
