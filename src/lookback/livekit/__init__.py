"""The LiveKit server, as the program sees it."""
