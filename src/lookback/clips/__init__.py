"""Clips: capture, library, playback, storing, renditions and posters."""
