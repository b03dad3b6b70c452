"""The addresses: parse, call one service method, present."""
