"""Bytes in, values out: RTP, codecs, containers, indexes and cuts. No I/O, no clock, no logging."""
