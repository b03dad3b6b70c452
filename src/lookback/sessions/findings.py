"""What can be wrong with sessions and their buffers, kind by kind; `docs/guide/troubleshooting.md` explains each."""

from __future__ import annotations

from lookback.buffer.findings import Kind, Mend

UNFINISHED_SESSION_FILE = Kind(
    "unfinished-session-file", "session", "a file that was never finished is left behind", Mend.DELETE, "deletes it"
)
TORN_SEGMENT = Kind(
    "torn-segment",
    "session",
    "a segment ends in what was never committed",
    Mend.CUT,
    "cuts it off, as every start does",
)
EMPTY_SEGMENT = Kind(
    "empty-segment",
    "session",
    "nothing was ever committed of a segment",
    Mend.DELETE,
    "deletes it, as every start does",
)
UNREADABLE_SEGMENT = Kind(
    "unreadable-segment",
    "session",
    "nobody can tell what is in a segment, because its index is gone or damaged",
    Mend.SET_ASIDE,
    "renames it to .damaged; it goes with the buffer's window",
)
ROTTEN_SEGMENT = Kind(
    "rotten-segment",
    "session",
    "bytes of a segment are not those that were written",
    does="nothing: look at the disk; the segment goes with the buffer's window",
)
UNENDED_SESSION = Kind(
    "unended-session", "session", "nobody records it, and session.json does not say so", Mend.SET, "notes its end"
)
UNNAMED_SESSION = Kind(
    "unnamed-session", "session", "its session.json is gone or damaged", Mend.SET, "writes it from the row"
)
EMPTY_SESSION = Kind("empty-session", "session", "its directory is empty", Mend.DELETE, "deletes it")
NOBODYS_SESSION = Kind(
    "nobodys-session",
    "session",
    "nobody knows whose it is, without session.json and row",
    does="nothing: every segment plays alone; look at them, and delete the directory",
)
MISPLACED_SESSION = Kind(
    "misplaced-session",
    "session",
    "its session.json is that of another directory",
    does="nothing: somebody has moved or copied it; move it back, or delete the copy",
)
SESSION_WITHOUT_ROW = Kind(
    "session-without-row",
    "session",
    "it is in the buffer and has no row",
    Mend.MAKE_ROW,
    "makes the row from session.json",
)
OVER_SESSION = Kind(
    "over-session",
    "session",
    "it is over, and still in the buffer",
    Mend.DELETE,
    "deletes it, as every start does; clips keep their bytes",
    "sessions",
)
LOST_BUFFER = Kind("lost-buffer", "session", "it has a row and nothing in the buffer", Mend.SET, "lets it expire")

SESSION_KINDS = (
    UNFINISHED_SESSION_FILE,
    TORN_SEGMENT,
    EMPTY_SEGMENT,
    UNREADABLE_SEGMENT,
    ROTTEN_SEGMENT,
    UNENDED_SESSION,
    UNNAMED_SESSION,
    EMPTY_SESSION,
    NOBODYS_SESSION,
    MISPLACED_SESSION,
    SESSION_WITHOUT_ROW,
    OVER_SESSION,
    LOST_BUFFER,
)
