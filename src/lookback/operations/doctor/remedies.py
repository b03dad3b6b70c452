"""Every problem that the doctor knows by name, and what helps; `docs/guide/troubleshooting.md` tells more of each."""

from __future__ import annotations

from enum import StrEnum


class Problem(StrEnum):
    """`what was looked at` . `what is wrong with it`. Names are for machines, too: they stay as they are."""

    SETTINGS_WRONG = "settings.wrong"
    SETTINGS_UNKNOWN = "settings.unknown"
    SECRET_WEAK = "secret.weak"  # noqa: S105 - the name of a problem, here and below
    SECRET_READABLE = "secret.readable"  # noqa: S105
    SECRET_DAMAGED = "secret.damaged"  # noqa: S105
    HOME_UNUSABLE = "home.unusable"
    DATABASE_UNREACHABLE = "database.unreachable"
    DATABASE_REFUSED = "database.refused"
    DATABASE_MISSING = "database.missing"
    DATABASE_LOCKED = "database.locked"
    DATABASE_DAMAGED = "database.damaged"
    DATABASE_READ_ONLY = "database.read-only"
    DATABASE_NEWER = "database.newer"
    DATABASE_OLDER = "database.older"
    BUFFER_MISSING = "buffer.missing"
    BUFFER_FORBIDDEN = "buffer.forbidden"
    BUFFER_READ_ONLY = "buffer.read-only"
    BUFFER_FULL = "buffer.full"
    BUFFER_NEARLY_FULL = "buffer.nearly-full"
    BUFFER_NO_INODES = "buffer.no-inodes"
    BUFFER_NO_LINKS = "buffer.no-hard-links"
    BUFFER_SLOW = "buffer.slow"
    BUFFER_SILENT = "buffer.silent"
    BUFFER_FAILING = "buffer.failing"
    CLIPS_MISSING = "clips.missing"
    CLIPS_FORBIDDEN = "clips.forbidden"
    CLIPS_READ_ONLY = "clips.read-only"
    CLIPS_FULL = "clips.full"
    CLIPS_NEARLY_FULL = "clips.nearly-full"
    CLIPS_NO_INODES = "clips.no-inodes"
    CLIPS_SLOW = "clips.slow"
    CLIPS_SILENT = "clips.silent"
    CLIPS_FAILING = "clips.failing"
    FOLDERS_SAME = "folders.same"
    FOLDERS_APART = "folders.apart"
    CLOCK_FILES = "clock.files"
    CLOCK_WRONG = "clock.wrong"
    CLOCK_OTHERS = "clock.others"
    PORT_TAKEN = "port.taken"
    PORT_ADDRESS = "port.address"
    PORT_FORBIDDEN = "port.forbidden"
    MEDIA_PORT_TAKEN = "media-port.taken"
    MEDIA_PORT_ADDRESS = "media-port.address"
    MEDIA_PORT_FORBIDDEN = "media-port.forbidden"
    MEDIA_PORT_LOCAL = "media-port.local"
    SERVER_STOPPED = "server.stopped"
    SERVER_SILENT = "server.silent"
    RECORDER_ABSENT = "recorder.absent"
    RECORDER_SILENT = "recorder.silent"
    RECORDER_OTHER = "recorder.other"
    CODECS_MISSING = "codecs.missing"
    FILES_FEW = "open-files.few"
    ALERTS_UNREACHABLE = "alerts.unreachable"
    ALERTS_REFUSED = "alerts.refused"
    LIVEKIT_UNREACHABLE = "livekit.unreachable"
    LIVEKIT_REFUSED = "livekit.refused"
    LIVEKIT_STRANGE = "livekit.strange"
    LIVEKIT_FAILING = "livekit.failing"
    LIVEKIT_TOO_OLD = "livekit.too-old"
    LIVEKIT_OLD = "livekit.old"
    LIVEKIT_WEAK_SECRET = "livekit.weak-secret"  # noqa: S105
    LIVEKIT_OPEN = "livekit.open"
    WEBHOOKS_SILENT = "webhooks.silent"
    WEBHOOKS_REFUSED = "webhooks.refused"
    EGRESS_WITHOUT_LIVEKIT = "egress.without-livekit"
    EGRESS_PATH_MISSING = "egress.path-missing"
    EGRESS_PATH_FORBIDDEN = "egress.path-forbidden"
    EGRESS_ABSENT = "egress.absent"
    SHARE_NO_ROOM = "share.no-room"
    SHARE_NOT_IN_ROOM = "share.not-in-room"
    SHARE_NOBODY = "share.nobody-sharing"
    SHARE_ENCRYPTED = "share.encrypted"
    SHARE_CODEC = "share.codec"
    SHARE_DENIED = "share.denied"
    SHARE_CONSENT = "share.consent"
    SHARE_SWITCHED_OFF = "share.switched-off"
    SHARE_LIMIT = "share.limit"
    SHARE_ELSEWHERE = "share.elsewhere"
    SHARE_QUOTA = "share.quota"
    SHARE_UNKNOWN = "share.unknown"


_WARNINGS = frozenset(
    {
        Problem.SETTINGS_UNKNOWN,
        Problem.DATABASE_OLDER,
        Problem.BUFFER_NEARLY_FULL,
        Problem.BUFFER_SLOW,
        Problem.CLIPS_NEARLY_FULL,
        Problem.CLIPS_SLOW,
        Problem.FOLDERS_APART,
        Problem.MEDIA_PORT_LOCAL,
        Problem.SERVER_STOPPED,
        Problem.FILES_FEW,
        Problem.LIVEKIT_OLD,
        Problem.LIVEKIT_WEAK_SECRET,
        Problem.LIVEKIT_OPEN,
        Problem.WEBHOOKS_SILENT,
        Problem.WEBHOOKS_REFUSED,
        Problem.SHARE_QUOTA,
    }
)
BROKEN = frozenset(Problem) - _WARNINGS
"""The problems that keep something from working; the others are warnings."""

_FREE = "Free space on this disk, or move the folder to a larger one."
_WRITABLE = "Let the server's user write there: chown it to that user."
_REMOUNT = "Look in the kernel's log for why the file system became read-only, repair it and mount it read-write."
_MOUNT = "Mount the disk that belongs there, or set {} to where it is now."
_INODES = "Remove small files from this file system, or make one with more inodes."
_FAILING = "Look in the kernel's log for errors of this disk, and replace it or bring the network mount back."
_SILENT = "Bring its server or the network to it back; what hangs then goes on by itself."
_SLOW = "Put the folder on a faster disk, or find out what else keeps this one busy."
_OTHER_PORT = "Set {} to a free port, or end the program that uses this one."
_OWN_ADDRESS = "Set {} to an address of this machine."
_HIGH_PORT = "Set {} to a port above 1023, or give the server CAP_NET_BIND_SERVICE."

REMEDIES: dict[Problem, str] = {
    Problem.SETTINGS_WRONG: "Set it right; docs/reference/settings.md says what it may be.",
    Problem.SETTINGS_UNKNOWN: "Correct its name; as it is, it does nothing.",
    Problem.SECRET_WEAK: "Set LOOKBACK_JWT_SECRET to the output of `openssl rand -hex 32`, and restart.",
    Problem.SECRET_READABLE: "Run `chmod 600` on the file `secret` in LOOKBACK_HOME.",
    Problem.SECRET_DAMAGED: "Remove the file `secret` in LOOKBACK_HOME and restart; everybody signs in anew.",
    Problem.HOME_UNUSABLE: "Set LOOKBACK_HOME to a folder that the server's user may write.",
    Problem.DATABASE_UNREACHABLE: "Start the database, or set DATABASE_URL to where it is.",
    Problem.DATABASE_REFUSED: "Set DATABASE_URL to a user and password that the database accepts.",
    Problem.DATABASE_MISSING: "Create the database that DATABASE_URL names; it may be empty.",
    Problem.DATABASE_LOCKED: "End the program that holds the database's lock.",
    Problem.DATABASE_DAMAGED: "Stop the server and restore the database from a backup.",
    Problem.DATABASE_READ_ONLY: "Let the server's user write the database: its file and folder, or a primary server.",
    Problem.DATABASE_NEWER: "Install the version of Lookback that this database was last used with, or a later one.",
    Problem.DATABASE_OLDER: "Restart the server: every start brings the tables up to date.",
    Problem.BUFFER_MISSING: _MOUNT.format("REPLAY_BUFFER_PATH"),
    Problem.BUFFER_FORBIDDEN: _WRITABLE,
    Problem.BUFFER_READ_ONLY: _REMOUNT,
    Problem.BUFFER_FULL: _FREE,
    Problem.BUFFER_NEARLY_FULL: _FREE,
    Problem.BUFFER_NO_INODES: _INODES,
    Problem.BUFFER_NO_LINKS: "Put REPLAY_BUFFER_PATH on a file system with hard links, such as ext4 or XFS.",
    Problem.BUFFER_SLOW: _SLOW,
    Problem.BUFFER_SILENT: _SILENT,
    Problem.BUFFER_FAILING: _FAILING,
    Problem.CLIPS_MISSING: _MOUNT.format("REPLAY_STORAGE_PATH"),
    Problem.CLIPS_FORBIDDEN: _WRITABLE,
    Problem.CLIPS_READ_ONLY: _REMOUNT,
    Problem.CLIPS_FULL: _FREE,
    Problem.CLIPS_NEARLY_FULL: _FREE,
    Problem.CLIPS_NO_INODES: _INODES,
    Problem.CLIPS_SLOW: _SLOW,
    Problem.CLIPS_SILENT: _SILENT,
    Problem.CLIPS_FAILING: _FAILING,
    Problem.FOLDERS_SAME: "Set REPLAY_BUFFER_PATH and REPLAY_STORAGE_PATH to two folders, neither inside the other.",
    Problem.FOLDERS_APART: "Nothing, if it is meant so; else put both folders on one file system.",
    Problem.CLOCK_FILES: "Let the machine that serves this folder and this one keep the same time (chrony, NTP).",
    Problem.CLOCK_WRONG: "Set this machine's clock, and let a time service (chrony, NTP) keep it.",
    Problem.CLOCK_OTHERS: "Let both machines keep the same time (chrony, NTP).",
    Problem.PORT_TAKEN: _OTHER_PORT.format("LOOKBACK_PORT"),
    Problem.PORT_ADDRESS: _OWN_ADDRESS.format("LOOKBACK_HOST"),
    Problem.PORT_FORBIDDEN: _HIGH_PORT.format("LOOKBACK_PORT"),
    Problem.MEDIA_PORT_TAKEN: _OTHER_PORT.format("LOOKBACK_RTC_PORT"),
    Problem.MEDIA_PORT_ADDRESS: _OWN_ADDRESS.format("LOOKBACK_RTC_ADDRESSES"),
    Problem.MEDIA_PORT_FORBIDDEN: _HIGH_PORT.format("LOOKBACK_RTC_PORT"),
    Problem.MEDIA_PORT_LOCAL: "Set LOOKBACK_RTC_ADDRESSES or LOOKBACK_RTC_ADVERTISE to an address that people reach.",
    Problem.SERVER_STOPPED: "Start it: `lookback serve`.",
    Problem.SERVER_SILENT: "Restart the server; what is being recorded goes on meanwhile.",
    Problem.RECORDER_ABSENT: "Look at the server's log for `recorder.unusable`, which says why it does not start.",
    Problem.RECORDER_SILENT: "Restart the server; it replaces a recorder that hangs.",
    Problem.RECORDER_OTHER: "Restart the server: settings are read when it starts.",
    Problem.CODECS_MISSING: "Install PyAV as this project's requirements name it, with all of FFmpeg in it.",
    Problem.FILES_FEW: "Raise the hard limit of open files (LimitNOFILE, ulimit -n) to 65536.",
    Problem.ALERTS_UNREACHABLE: "Set LOOKBACK_ALERT_WEBHOOK to where alerts are taken, and see that it answers.",
    Problem.ALERTS_REFUSED: "Look at its log: it must answer a signed POST with a status from 200 to 299.",
    Problem.LIVEKIT_UNREACHABLE: "Set LIVEKIT_URL to where LiveKit is, and see that it runs.",
    Problem.LIVEKIT_REFUSED: "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET as they are in LiveKit's configuration.",
    Problem.LIVEKIT_STRANGE: "Set LIVEKIT_URL to the address of LiveKit itself; something else answers there.",
    Problem.LIVEKIT_FAILING: "Look at LiveKit's log: it answers that it cannot do what it is asked.",
    Problem.LIVEKIT_TOO_OLD: "Install a current LiveKit.",
    Problem.LIVEKIT_OLD: "Install a current LiveKit, or set the recorder of communities to egress.",
    Problem.LIVEKIT_WEAK_SECRET: "Give LiveKit a key with a secret from `livekit-server generate-keys`.",
    Problem.LIVEKIT_OPEN: "Set LOOKBACK_LIVEKIT_JOIN to false; your own backend lets people into rooms.",
    Problem.WEBHOOKS_SILENT: "Name http://HOST:PORT/webhooks/livekit under `webhook` in LiveKit's configuration.",
    Problem.WEBHOOKS_REFUSED: "Name the key that LiveKit signs webhooks with in LIVEKIT_KEYS.",
    Problem.EGRESS_WITHOUT_LIVEKIT: "Set LIVEKIT_URL with its key and secret, or unset LOOKBACK_EGRESS_PATH.",
    Problem.EGRESS_PATH_MISSING: "Mount the folder that Egress writes to at LOOKBACK_EGRESS_PATH.",
    Problem.EGRESS_PATH_FORBIDDEN: "Let the server's user read and write LOOKBACK_EGRESS_PATH.",
    Problem.EGRESS_ABSENT: "Run LiveKit and LiveKit Egress with the same Redis.",
    Problem.SHARE_NO_ROOM: "Join the room first; mind that its name is written alike everywhere.",
    Problem.SHARE_NOT_IN_ROOM: "Join the room as this user: identity or `userId` in the metadata must be this id.",
    Problem.SHARE_NOBODY: "Share a screen, not a camera: the track's source must be screen_share.",
    Problem.SHARE_ENCRYPTED: "Switch end-to-end encryption off in this room, or do without its buffer.",
    Problem.SHARE_CODEC: "Share with H.264 or VP8.",
    Problem.SHARE_DENIED: "Give the user a role with ENABLE_REPLAY_BUFFER, or give it to `everybody`.",
    Problem.SHARE_CONSENT: "Only the user can allow it: PUT /livekit-replay/me/consent.",
    Problem.SHARE_SWITCHED_OFF: "Switch buffers on again in the community's settings (`enabled`).",
    Problem.SHARE_LIMIT: "Raise the community's `maxConcurrent`, or end one of its buffers.",
    Problem.SHARE_ELSEWHERE: "End the buffer that runs: POST /livekit-replay/stop/{sessionId}.",
    Problem.SHARE_QUOTA: "Delete some of the user's clips, or give them a larger quota.",
    Problem.SHARE_UNKNOWN: "Bring back what does not answer, and ask again.",
}
