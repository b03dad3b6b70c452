"""The doctor's judgements: facts in, findings out. Every problem is named by its name, and nothing beside it."""

from __future__ import annotations

import errno
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lookback.buffer.marker import MARKER, RootIdentity, recognise
from lookback.cli.doctor import as_lines
from lookback.operations.doctor.alerts import judge_alerts
from lookback.operations.doctor.clock import judge_clock
from lookback.operations.doctor.configuration import judge_settings
from lookback.operations.doctor.database import DatabaseFacts, judge_database
from lookback.operations.doctor.findings import Finding, Level, fine, worst, wrong
from lookback.operations.doctor.folders import FolderFacts, Kind, judge_folder, judge_pair, look_at_folder
from lookback.operations.doctor.livekit import (
    LivekitFacts,
    WebhookFacts,
    judge_door,
    judge_egress,
    judge_livekit,
    judge_webhooks,
)
from lookback.operations.doctor.ports import PortFacts, judge_ports, judge_reach
from lookback.operations.doctor.remedies import BROKEN, REMEDIES, Problem
from lookback.operations.doctor.running import (
    DECODERS,
    ENCODERS,
    RecorderFacts,
    judge_codecs,
    judge_open_files,
    judge_recorder,
    judge_server,
)
from lookback.operations.doctor.secrets import SecretFacts, judge_livekit_secret, judge_secret, look_at_secret
from lookback.operations.doctor.share import ShareFacts, judge_share

if TYPE_CHECKING:
    from collections.abc import Iterable

GIB = 1024**3
NOW_US = 1_764_000_000_000_000
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "troubleshooting.md"

FOLDER = FolderFacts(device=1, size_bytes=100 * GIB, free_bytes=50 * GIB, inodes_free=10**6, round_trip_us=2000)
DATABASE = DatabaseFacts(revision="0005", newest="0005", answered_us=1000)
SECRET = SecretFacts(configured=True, size=64, kinds=16)
LIVEKIT = LivekitFacts(version="1.13.5", answered_us=3000)
SHARE = ShareFacts("demo", "alice", place="sharing", codec="video/vp8")
RANDOM = "8f3ac51e07d24b96" * 4


def folder(kind: Kind = "buffer", *, began: bool = True, floor: int | None = None, **facts: object) -> list[Finding]:
    return list(judge_folder(kind, replace(FOLDER, **facts), began=began, floor_bytes=floor))  # type: ignore[arg-type]


def pair(buffer: str, clips: str, device: int = 1) -> list[Finding]:
    return list(judge_pair(Path(buffer), Path(clips), FOLDER, replace(FOLDER, device=device)))


def database(**facts: object) -> list[Finding]:
    return [judge_database(replace(DATABASE, **facts))]  # type: ignore[arg-type]


def secret(**facts: object) -> list[Finding]:
    return [judge_secret(replace(SECRET, **facts))]  # type: ignore[arg-type]


def livekit(**facts: object) -> list[Finding]:
    return [judge_livekit(replace(LIVEKIT, **facts))]  # type: ignore[arg-type]


def share(**facts: object) -> list[Finding]:
    return judge_share(replace(SHARE, **facts))  # type: ignore[arg-type]


def port(fault: int) -> list[Finding]:
    return list(judge_ports("port", [PortFacts("127.0.0.1", 3001, fault)]))


def media_port(fault: int) -> list[Finding]:
    return list(judge_ports("media-port", [PortFacts("127.0.0.1", 3002), PortFacts("10.0.0.9", 3002, fault)]))


def livekit_secret(text: str) -> list[Finding]:
    found = judge_livekit_secret(text)
    return [] if found is None else [found]


def recorder(facts: RecorderFacts) -> list[Finding]:
    found = judge_recorder(facts, "answers")
    assert found is not None
    return [found]


def ids(found: Iterable[Finding]) -> list[str]:
    return [finding.id for finding in found]


FOUND: list[tuple[str, list[Finding]]] = [
    ("settings.wrong", list(judge_settings("LOOKBACK_PORT is wrong: too high.", (), ()))),
    ("settings.unknown", list(judge_settings(None, ["LOOKBACK_RTC_PROT"], ["LOOKBACK_RTC_PORT"]))),
    ("secret.weak", secret(typical=True)),
    ("secret.weak", secret(kinds=7)),
    ("secret.readable", secret(configured=False, mode=0o640)),
    ("secret.damaged", secret(configured=False, mode=0o600, size=31)),
    ("secret.damaged", secret(configured=False, mode=0, readable=False)),
    ("database.unreachable", database(fault="unreachable")),
    ("database.refused", database(fault="refused")),
    ("database.missing", database(fault="missing")),
    ("database.locked", database(fault="locked")),
    ("database.damaged", database(fault="damaged")),
    ("database.read-only", database(fault="read-only")),
    ("database.newer", database(revision="0099", known=False)),
    ("database.older", database(revision="0004")),
    ("folders.same", pair("/data", "/data")),
    ("folders.same", pair("/data", "/data/clips")),
    ("folders.same", pair("/data/buffer", "/data")),
    ("folders.apart", pair("/data/buffer", "/data/clips", device=2)),
    ("buffer.no-hard-links", folder("buffer", hard_links=False)),
    ("clock.wrong", list(judge_clock(0, {}))),
    ("clock.wrong", list(judge_clock(NOW_US * 2, {"LiveKit": 99_000_000}))),
    ("clock.others", list(judge_clock(NOW_US, {"LiveKit": -3_100_000, "the database": 10}))),
    ("port.taken", port(errno.EADDRINUSE)),
    ("port.forbidden", port(errno.EACCES)),
    ("port.address", port(errno.EADDRNOTAVAIL)),
    ("media-port.taken", media_port(errno.EADDRINUSE)),
    ("media-port.forbidden", media_port(errno.EACCES)),
    ("media-port.address", media_port(errno.EADDRNOTAVAIL)),
    ("media-port.local", list(judge_reach("0.0.0.0", False, ["127.0.0.1"]))),
    ("media-port.local", list(judge_reach("127.0.0.1", True, ["127.0.0.1", "::1"]))),
    ("server.stopped", [judge_server("stopped")]),
    ("server.silent", [judge_server("silent")]),
    ("recorder.absent", recorder(RecorderFacts("absent"))),
    ("recorder.silent", recorder(RecorderFacts("silent"))),
    ("recorder.other", recorder(RecorderFacts("other"))),
    ("recorder.other", recorder(RecorderFacts("answers", same=False))),
    ("codecs.missing", [judge_codecs(DECODERS[1:], ENCODERS)]),
    ("codecs.missing", [judge_codecs(DECODERS, ENCODERS[:-1])]),
    ("open-files.few", [judge_open_files(4095)]),
    ("alerts.unreachable", [judge_alerts("away")]),
    ("alerts.refused", [judge_alerts("refused")]),
    ("livekit.unreachable", livekit(fault="unreachable")),
    ("livekit.refused", livekit(fault="refused")),
    ("livekit.strange", livekit(fault="strange")),
    ("livekit.failing", livekit(fault="failing")),
    ("livekit.too-old", livekit(version="1.1.9")),
    ("livekit.too-old", livekit(version="v0.15.7")),
    ("livekit.old", livekit(version="1.2.0")),
    ("livekit.old", livekit(version="1.9.1")),
    ("livekit.weak-secret", livekit_secret("secret")),
    ("livekit.weak-secret", livekit_secret("ab" * 32)),
    ("livekit.open", list(judge_door(open_to_all=True, public=True))),
    ("webhooks.silent", [judge_webhooks(WebhookFacts(accepted=False, refused=False))]),
    ("webhooks.refused", [judge_webhooks(WebhookFacts(accepted=False, refused=True))]),
    ("egress.without-livekit", [judge_egress(livekit=False, folder="missing", asked=None)]),
    ("egress.path-missing", [judge_egress(livekit=True, folder="missing", asked=False)]),
    ("egress.path-forbidden", [judge_egress(livekit=True, folder="forbidden", asked=True)]),
    ("egress.absent", [judge_egress(livekit=True, folder="fine", asked=False)]),
    ("share.no-room", share(place="no-room")),
    ("share.not-in-room", share(place="not-in-room")),
    ("share.nobody-sharing", share(place="nobody-sharing")),
    ("share.encrypted", share(encrypted=True, codec="video/vp9")),
    ("share.codec", share(codec="video/AV1")),
    ("share.denied", share(allowed=False, granted_by=("member",))),
    ("share.consent", share(consent=False)),
    ("share.switched-off", share(enabled=False)),
    ("share.limit", share(limit=2, running=2)),
    ("share.elsewhere", share(own_room="other", limit=2, running=2)),
    ("share.quota", share(quota_bytes=GIB, used_bytes=GIB)),
    ("share.unknown", share(unknown="LiveKit does not answer", consent=False)),
]
for _kind in ("buffer", "clips"):
    FOUND += [
        (f"{_kind}.missing", folder(_kind, there=False)),
        (f"{_kind}.missing", folder(_kind, there=False, began=False, fault=errno.ENODEV)),
        (f"{_kind}.forbidden", folder(_kind, fault=errno.EACCES)),
        (f"{_kind}.read-only", folder(_kind, fault=errno.EROFS)),
        (f"{_kind}.full", folder(_kind, fault=errno.ENOSPC)),
        (f"{_kind}.full", folder(_kind, fault=errno.EDQUOT)),
        (f"{_kind}.full", folder(_kind, free_bytes=0)),
        (f"{_kind}.nearly-full", folder(_kind, free_bytes=9 * GIB)),
        (f"{_kind}.nearly-full", folder(_kind, floor=60 * GIB)),
        (f"{_kind}.no-inodes", folder(_kind, inodes_free=3)),
        (f"{_kind}.slow", folder(_kind, round_trip_us=1_000_001)),
        (f"{_kind}.silent", folder(_kind, fault=errno.ETIMEDOUT)),
        (f"{_kind}.failing", folder(_kind, fault=errno.ESTALE)),
        (f"{_kind}.failing", folder(_kind, fault=errno.EIO, file_clock_us=10**9)),
    ]


@pytest.mark.parametrize(("expected", "found"), FOUND, ids=[f"{n}-{name}" for n, (name, _) in enumerate(FOUND)])
def test_it_is_named_and_nothing_else_is(expected: str, found: list[Finding]) -> None:
    assert ids(found) == [expected]
    assert found[0].todo == REMEDIES[Problem(expected)]
    assert found[0].level is (Level.BROKEN if Problem(expected) in BROKEN else Level.WARNING)
    assert not found[0].sentence.endswith(".")


def test_every_problem_is_judged_here() -> None:
    elsewhere = {Problem.HOME_UNUSABLE, Problem.CLOCK_FILES}
    assert {name for name, _ in FOUND} == set(Problem) - elsewhere
    assert REMEDIES.keys() == set(Problem)


FINE: list[tuple[str, list[Finding]]] = [
    ("settings", list(judge_settings(None, ["LOOKBACK_LIVEKIT_SERVER", "PATH", "LOOKBACK_PORT"], ["LOOKBACK_PORT"]))),
    ("secret", secret()),
    ("secret", secret(configured=False, mode=0o600)),
    ("secret", [judge_secret(SecretFacts(configured=False))]),
    ("database", database()),
    ("database", database(made=False, revision=None)),
    ("buffer", folder(there=False, began=False)),
    ("buffer", folder(free_bytes=10 * GIB)),
    ("buffer", folder(size_bytes=1000 * GIB, free_bytes=11 * GIB)),
    ("buffer", folder(free_bytes=GIB, floor=0)),
    ("buffer", folder(inodes_free=None)),
    ("clips", folder("clips", hard_links=False)),
    ("folders", pair("/data/buffer", "/data/buffers")),
    ("clock", list(judge_clock(NOW_US, {}))),
    ("clock", list(judge_clock(NOW_US, {"LiveKit": 2_999_999, "the database": None}))),
    ("port", list(judge_ports("port", [PortFacts("::", 3001, ours=True)]))),
    ("media-port", list(judge_ports("media-port", [PortFacts("127.0.0.1", 3002)]))),
    ("server", [judge_server("answers")]),
    ("recorder", recorder(RecorderFacts("answers"))),
    ("codecs", [judge_codecs(DECODERS, ENCODERS)]),
    ("open-files", [judge_open_files(None)]),
    ("open-files", [judge_open_files(4096)]),
    ("alerts", [judge_alerts("off")]),
    ("alerts", [judge_alerts("untried")]),
    ("alerts", [judge_alerts("taken")]),
    ("livekit", [judge_livekit(None)]),
    ("livekit", livekit()),
    ("livekit", livekit(version=None)),
    ("livekit", livekit(version="1.9.2")),
    ("livekit", [judge_livekit(replace(LIVEKIT, version="1.2.0"), direct=False)]),
    ("webhooks", [judge_webhooks(WebhookFacts(accepted=True, refused=True))]),
    ("egress", [judge_egress(livekit=True, folder="fine", asked=True)]),
    ("egress", [judge_egress(livekit=True, folder="fine", asked=None)]),
    ("share", share()),
    ("share", share(place=None)),
    ("share", share(own_room="demo", limit=1, running=1, place="nobody-sharing")),
    ("share", share(limit=2, running=1, quota_bytes=GIB, used_bytes=GIB - 1)),
]


@pytest.mark.parametrize(("check", "found"), FINE, ids=[f"{n}-{name}" for n, (name, _) in enumerate(FINE)])
def test_what_is_fine_is_said_to_be(check: str, found: list[Finding]) -> None:
    assert [(finding.id, finding.level, finding.todo) for finding in found] == [(check, Level.OK, None)]


@pytest.mark.parametrize(
    "found",
    [
        livekit_secret(RANDOM),
        list(judge_door(open_to_all=True, public=False)),
        list(judge_door(open_to_all=False, public=True)),
        list(judge_reach("127.0.0.1", False, ["127.0.0.1"])),
        list(judge_reach("0.0.0.0", True, ["127.0.0.1", "192.0.2.7"])),
    ],
)
def test_what_is_in_order_needs_no_words(found: list[Finding]) -> None:
    assert found == []


def test_no_recorder_is_missed_where_no_server_runs() -> None:
    assert judge_recorder(RecorderFacts("absent"), "stopped") is None


def test_where_the_disk_of_a_root_is_not_mounted_nothing_is_tried(tmp_path: Path) -> None:
    before_ns = tmp_path.stat().st_mtime_ns
    facts = look_at_folder(tmp_path, RootIdentity("mine", "/no/such/mount"))
    assert ids(judge_folder("buffer", facts, began=True)) == ["buffer.missing"]
    assert tmp_path.stat().st_mtime_ns == before_ns  # not even for a moment


def test_a_root_that_is_there_is_tried_and_nothing_is_left(tmp_path: Path) -> None:
    facts = look_at_folder(tmp_path, recognise(tmp_path))
    assert (facts.there, facts.fault, facts.round_trip_us > 0) == (True, 0, True)
    assert [path.name for path in tmp_path.iterdir()] == [MARKER]


def test_files_dated_wrongly_are_said_beside_the_folder_that_works() -> None:
    assert ids(folder(file_clock_us=2_000_001)) == ["buffer", "clock.files"]
    assert ids(folder(file_clock_us=-2_000_001)) == ["buffer", "clock.files"]
    assert ids(folder(file_clock_us=2_000_000)) == ["buffer"]


def test_every_reason_against_a_share_is_said() -> None:
    against = share(place="no-room", allowed=False, enabled=False, consent=False, limit=0)
    assert ids(against) == ["share.no-room", "share.denied", "share.switched-off", "share.consent", "share.limit"]


def test_secrets_are_looked_at_and_never_shown(tmp_path: Path) -> None:
    for word in ("change-me-change-me-change-me-change", "a" * 32):
        seen = look_at_secret(word, tmp_path)
        assert judge_secret(seen).id == "secret.weak"
        assert word not in repr(seen)
    assert judge_secret(look_at_secret(RANDOM, tmp_path)).id == "secret"
    assert judge_secret(look_at_secret(None, tmp_path)).sentence.endswith("will be made at the first start")
    (tmp_path / "secret").write_text(RANDOM)
    (tmp_path / "secret").chmod(0o644)
    assert judge_secret(look_at_secret(None, tmp_path)).id == "secret.readable"
    (tmp_path / "secret").chmod(0o600)
    assert judge_secret(look_at_secret(None, tmp_path)).id == "secret"
    (tmp_path / "secret").write_bytes(b"\xff" * 64)
    assert judge_secret(look_at_secret(None, tmp_path)).id == "secret.damaged"


def test_the_worst_finding_counts() -> None:
    ok, warning, broken = fine("x", "a"), wrong(Problem.SERVER_STOPPED, "b"), wrong(Problem.PORT_TAKEN, "c")
    assert worst([]) is worst([ok]) is Level.OK
    assert worst([ok, warning]) is Level.WARNING
    assert worst([broken, warning, ok]) is Level.BROKEN


def test_a_line_for_each_and_below_it_what_to_do() -> None:
    lines = as_lines([fine("x", "All is well"), wrong(Problem.SERVER_STOPPED, "No server runs")])
    assert lines == [
        "ok      All is well.",
        "warning No server runs.",
        "        Start it: `lookback serve`. [server.stopped]",
        "",
        "2 things looked at: 0 broken, 1 to mind.",
    ]


def test_the_guide_has_an_entry_for_every_problem_with_its_remedy() -> None:
    entries = re.split(r"^### `([a-z-]+\.[a-z-]+)`", GUIDE.read_text(), flags=re.MULTILINE)[1:]
    told = dict(zip(entries[::2], entries[1::2], strict=True))
    assert list(told) == [problem.value for problem in Problem]
    for problem in Problem:
        text = " ".join(told[problem].split())
        assert REMEDIES[problem] in text, problem
        assert ("(broken)" if problem in BROKEN else "(warning)") in text.partition("**")[0], problem
