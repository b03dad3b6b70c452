"""Screen shares of LiveKit rooms: a hidden participant of our own receives them, undecoded."""
