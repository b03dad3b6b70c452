"""Recording what LiveKit Egress writes: its playlist, its MPEG-TS files, their place on the wall clock."""
