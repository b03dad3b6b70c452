"""What somebody can do about the cause of a session's failure, interruption or end."""

from __future__ import annotations

# By how a cause begins: what to do about it.
NEXT_STEPS = (
    ("No picture came", "Let the publisher send key frames (FFmpeg: -g 60), and see that its UDP packets arrive here."),
    ("The publisher stopped sending", "Look at the publisher's network: packets stopped coming without a word."),
    ("LiveKit's media port cannot be reached", "Let this machine send UDP to the address that LiveKit advertises."),
    ("The LiveKit server", "See that LiveKit runs and that LIVEKIT_URL is its address; `lookback doctor` asks it."),
    ("LiveKit refuses", "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to those of the server."),
    ("LiveKit Egress did not find", "Share the screen before the buffer is started."),
    (
        "LiveKit Egress reached its longest",
        "Raise the session limits of LiveKit Egress, or record with the recorder direct.",
    ),
    ("LiveKit does not know its Egress", "Look at the log of LiveKit Egress, or record with the recorder direct."),
    ("LiveKit Egress is short of CPU", "Give LiveKit Egress more CPU, or record with the recorder direct."),
    ("LiveKit Egress", "Look at the log of LiveKit Egress, or record with the recorder direct."),
    ("The disk that LiveKit Egress", "Free space on the disk that LiveKit Egress writes to."),
    ("Nobody is sharing", "Share a screen first."),
    ("The screen share is end-to-end encrypted", "Share without end-to-end encryption: nobody else can record it."),
    ("The share is end-to-end encrypted", "Share without end-to-end encryption: nobody else can record it."),
    ("LiveKit cannot send the screen share in a codec", "Publish with the video codec H.264 or VP8."),
    ("Replay buffers are switched off", "Switch them on in the community's settings."),
    ("Its user has forbidden", "Nothing: they can allow it again on their own page."),
    ("The recorder has lost the session", "Look at the log for recorder.exited before this."),
    ("The recorder stopped unexpectedly", "Look at the log for recorder.exited; it has the reason."),
    (
        "LiveKit does not know the room",
        "See that the room is on the server at LIVEKIT_URL, and that this is 1.9.2 or newer.",
    ),
    (
        "What answers at the LiveKit",
        "Set LIVEKIT_URL to LiveKit's own address: something else answers there.",
    ),
    ("LiveKit answers with the error", "Look at LiveKit's log at this time."),
    ("LiveKit's answer cannot", "Use a LiveKit version that `lookback doctor` finds good."),
    ("LiveKit did not send", "See that the share is not paused, and that LiveKit's UDP packets arrive here."),
    ("The participant does not allow", "Let the app's subscription permissions of the sharer include the recorder."),
    ("This participant is not sharing", "Share a screen first."),
    ("The server was restarted", "Let the publisher connect again; look at the log for why it was restarted."),
    (
        "The publisher did not come back",
        "Share again; LOOKBACK_GRACE_SECONDS says how long is waited.",
    ),
    ("Nothing has come from the publisher", "Look at the publisher and its network, and start again."),
    ("Receiving from the publisher failed", "Look at the recorder's log at this time; it has the error."),
    ("The recorder could not handle", "Look at the recorder's log at this time; it has the error."),
    ("The connection to LiveKit was lost", "Look at the network between here and LiveKit, and at LiveKit's log."),
    ("The recorder was removed from", "See who removes participants from the room: the recorder is one of them."),
    ("Another recorder took", "Let only one Lookback server use this LiveKit project, or give each its own."),
    ("LiveKit has sent the recorder away", "See who removes participants from the room: the recorder is one of them."),
    ("Somebody else has stopped LiveKit Egress", "See who stops Egress in this LiveKit project, and start again."),
    ("The disk is full", "Free space, or keep less: `lookback sweep --dry-run` says what could go."),
    ("The disk quota is used up", "Raise the quota of the server's system user on the buffer's disk."),
    ("The buffer is read-only", "Mount REPLAY_BUFFER_PATH writable; the system's log says why it is not."),
    ("The recorder may not write", "Let the server's system user own REPLAY_BUFFER_PATH."),
    ("The buffer's directory has vanished", "See who deletes below REPLAY_BUFFER_PATH: only the server may."),
    ("The disk reports errors", "Look at the system's log for the disk below REPLAY_BUFFER_PATH, and replace it."),
    ("The buffer's disk is not mounted", "Mount REPLAY_BUFFER_PATH again; recording goes on by itself."),
    ("The buffer's network mount", "Mount REPLAY_BUFFER_PATH again; recording goes on by itself."),
    ("The buffer cannot be written", "Run `lookback doctor`: it tries the buffer's disk and says what is wrong."),
    ("Not enough disk space", "Free space, or keep less: `lookback sweep --dry-run` says what could go."),
)


def next_step(cause: str) -> str | None:
    """Say what to do about a cause, or None."""
    return next((step for beginning, step in NEXT_STEPS if cause.startswith(beginning)), None)
