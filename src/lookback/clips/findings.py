"""What can be wrong with clips, kind by kind; `docs/guide/troubleshooting.md` has an entry for each."""

from __future__ import annotations

from lookback.buffer.findings import Kind, Mend

UNFINISHED_FILE = Kind(
    "unfinished-file", "clip", "a file that was never finished is left behind", Mend.DELETE, "deletes it"
)
INCOMPLETE_CLIP = Kind(
    "incomplete-clip", "clip", "its making was cut off, and nobody was told of it", Mend.DELETE, "deletes it", "clips"
)
CLIP_WITHOUT_RECORD = Kind(
    "clip-without-record",
    "clip",
    "there is a video, and neither a row nor clip.json",
    does="nothing: look at the video, keep it elsewhere or not, and delete the directory",
)
MISSING_RECORD = Kind(
    "missing-record",
    "clip",
    "its clip.json is gone; it plays, but it would not survive the database",
    does="nothing: bring clip.json back from a backup",
)
DAMAGED_RECORD = Kind(
    "damaged-record",
    "clip",
    "its clip.json cannot be read",
    does="nothing: bring clip.json back from a backup",
)
MISPLACED_CLIP = Kind(
    "misplaced-clip",
    "clip",
    "its clip.json is that of another directory",
    does="nothing: somebody has moved or copied it; move it back, or delete the copy",
)
MISSING_ROW = Kind("missing-row", "clip", "it is whole and has no row", Mend.MAKE_ROW, "makes the row from clip.json")
HALF_DELETED = Kind(
    "half-deleted", "clip", "it was deleted, and only its row is left", Mend.DELETE, "deletes the row", "clips"
)
MISSING_FILES = Kind(
    "missing-files", "clip", "it cannot be played", Mend.SET, "marks it as failed; its files stay", "clips"
)
FOUND_AGAIN = Kind(
    "found-again", "clip", "it is marked as failed and can be played", Mend.SET, "marks it as ready again"
)
NOT_A_FILE = Kind(
    "not-a-file", "clip", "its row says that it is one file, and it is not", Mend.SET, "lets the server make it again"
)
LEFTOVER_PINS = Kind(
    "leftover-pins", "clip", "it is one file and still has pins", Mend.DELETE, "deletes the pins, not the file"
)
STALE_RECORD = Kind("stale-record", "clip", "its clip.json is behind its row", Mend.SET, "writes it again")
MISSING_POSTER = Kind("missing-poster", "clip", "its poster is gone", Mend.SET, "lets the server make it again")
MISSING_RENDITION = Kind(
    "missing-rendition", "clip", "a rendition is gone or not whole", Mend.SET, "marks the rendition as failed"
)
ORPHAN_RENDITION = Kind(
    "orphan-rendition", "clip", "there is a rendition that nobody asked for", Mend.DELETE, "deletes it", "clips"
)
ORPHAN_PINS = Kind("orphan-pins", "pins", "they belong to no clip", Mend.DELETE, "deletes them", "clips")
WRONG_SIZE = Kind(
    "wrong-size",
    "clip",
    "its file is longer than the clip",
    does="nothing: bring the file back from a backup",
)
WRONG_HASH = Kind(
    "wrong-hash",
    "clip",
    "its file is not what was stored",
    does="nothing: bring the file back from a backup",
)
SPOILT_FILE = Kind(
    "spoilt-file",
    "clip",
    "its file is not what was stored, and its pins are whole",
    Mend.SET,
    "lets the server make the file again from the pins",
)
MISCOUNTED = Kind("miscounted", "user", "the count of used bytes is wrong", Mend.SET, "counts again")

CLIP_KINDS = (
    UNFINISHED_FILE,
    INCOMPLETE_CLIP,
    CLIP_WITHOUT_RECORD,
    MISSING_RECORD,
    DAMAGED_RECORD,
    MISPLACED_CLIP,
    MISSING_ROW,
    HALF_DELETED,
    MISSING_FILES,
    FOUND_AGAIN,
    NOT_A_FILE,
    LEFTOVER_PINS,
    STALE_RECORD,
    MISSING_POSTER,
    MISSING_RENDITION,
    ORPHAN_RENDITION,
    ORPHAN_PINS,
    WRONG_SIZE,
    WRONG_HASH,
    SPOILT_FILE,
    MISCOUNTED,
)
