"""Which tracks of whom are recorded."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.protocol import models

from lookback.errors import EncryptedError, LivekitUnavailableError, UnsupportedCodecError
from lookback.recorder.livekit.share import NOBODY, NOT_SHARING, Roster, Share, Wish, codec_refusal

ALICE = Wish("alice")
GONE = models.ParticipantInfo.DISCONNECTED


def video(sid: str = "V1", **more: Any) -> models.TrackInfo:
    usual: dict[str, Any] = {"type": models.VIDEO, "source": models.SCREEN_SHARE, "mime_type": "video/H264"}
    return models.TrackInfo(sid=sid, **usual | more)


def audio(sid: str = "A1", source: int = models.SCREEN_SHARE_AUDIO, **more: Any) -> models.TrackInfo:
    return models.TrackInfo(sid=sid, type=models.AUDIO, source=source, mime_type="audio/opus", **more)  # type: ignore[arg-type]


def person(*tracks: models.TrackInfo, identity: str = "alice", sid: str = "P1", **more: Any) -> models.ParticipantInfo:
    return models.ParticipantInfo(identity=identity, sid=sid, tracks=tracks, **more)


def roster(*people: models.ParticipantInfo) -> Roster:
    made = Roster()
    made.replace(people)
    return made


def test_a_share_is_the_screen_and_its_sound() -> None:
    found = roster(person(audio(), video())).share(ALICE)
    assert found == Share("P1", "V1", "A1")
    assert found.track_sids == ("V1", "A1")


def test_a_screen_without_sound_is_one_track() -> None:
    found = roster(person(video())).share(ALICE)
    assert found is not None
    assert found.track_sids == ("V1",)


def test_camera_and_microphone_are_not_the_screen() -> None:
    tracks = video(source=models.CAMERA), audio(source=models.MICROPHONE)
    assert roster(person(*tracks)).share(ALICE) is None


@pytest.mark.parametrize(
    ("wanted", "sources", "expected"),
    [
        (False, [models.MICROPHONE], None),
        (True, [models.MICROPHONE], "A0"),
        (True, [models.MICROPHONE, models.SCREEN_SHARE_AUDIO], "A1"),
        (True, [models.SCREEN_SHARE_AUDIO, models.MICROPHONE], "A0"),
        (False, [models.MICROPHONE, models.SCREEN_SHARE_AUDIO], "A1"),
    ],
)
def test_the_microphone_is_taken_when_wanted_and_the_share_is_silent(
    wanted: bool, sources: list[int], expected: str | None
) -> None:
    sounds = [audio(f"A{place}", source) for place, source in enumerate(sources)]
    found = roster(person(video(), *sounds)).share(Wish("alice", include_microphone=wanted))
    assert found is not None
    assert found.audio_sid == expected


def test_encrypted_sound_is_left_out() -> None:
    found = roster(person(video(), audio(encryption=models.Encryption.GCM))).share(ALICE)
    assert found == Share("P1", "V1", None)


def test_what_publishes_by_whip_has_a_camera_for_a_screen() -> None:
    tracks = video(source=models.CAMERA), audio(source=models.MICROPHONE), video("V2")
    assert roster(person(*tracks)).share(Wish("alice", camera=True)) == Share("P1", "V1", "A1")


def test_only_the_wanted_person_counts() -> None:
    room = roster(person(video("VB"), identity="bob", sid="PB"), person(identity="alice"))
    assert room.share(ALICE) is None
    assert room.refusal(ALICE).detail == NOT_SHARING
    assert room.share(Wish("bob")) == Share("PB", "VB", None)


def test_why_there_is_nothing_depends_on_who_is_there() -> None:
    assert roster().refusal(ALICE).detail == NOBODY
    assert roster(person()).refusal(ALICE).detail == NOBODY
    assert roster(person(video(), identity="bob", sid="PB")).refusal(ALICE).detail == NOBODY


def test_the_current_share_stays_while_it_is_there() -> None:
    room = roster(person(video("V1"), video("V2")))
    assert room.share(ALICE) == Share("P1", "V1", None)
    assert room.share(ALICE, Share("P1", "V2", None)) == Share("P1", "V2", None)
    assert room.share(ALICE, Share("P1", "V9", None)) == Share("P1", "V1", None)


def test_the_goodbye_of_an_earlier_connection_does_not_end_the_later_one() -> None:
    room = roster(person(video("old"), sid="P1", joined_at_ms=1000))
    room.update([person(video("new"), sid="P2", joined_at_ms=2000)])
    assert room.share(ALICE) == Share("P2", "new", None)
    room.update([person(sid="P1", state=GONE)])
    assert room.share(ALICE) == Share("P2", "new", None)
    room.update([person(sid="P2", state=GONE)])
    assert not room.here("alice")
    assert room.share(ALICE) is None


@pytest.mark.parametrize(
    ("reason", "vanished"),
    [
        (models.CLIENT_INITIATED, False),
        (models.PARTICIPANT_REMOVED, False),
        (models.CONNECTION_TIMEOUT, True),
        (models.DUPLICATE_IDENTITY, True),
        (models.UNKNOWN_REASON, True),
    ],
)
def test_whoever_says_nothing_has_vanished(reason: models.DisconnectReason, vanished: bool) -> None:
    room = roster(person(video()))
    assert not room.vanished("P1")
    room.update([person(state=GONE, disconnect_reason=reason)])
    assert room.vanished("P1") is vanished


def test_a_complete_list_forgets_who_is_not_in_it() -> None:
    room = roster(person(video()), person(identity="bob", sid="PB"))
    room.replace([person(identity="bob", sid="PB")])
    assert room.here("bob")
    assert not room.here("alice")


def test_an_encrypted_screen_is_refused() -> None:
    with pytest.raises(EncryptedError):
        roster(person(video(encryption=models.Encryption.GCM))).share(ALICE)


@pytest.mark.parametrize("mime", ["video/AV1", "video/VP9", "video/H265"])
def test_a_codec_that_cannot_be_recorded_is_refused(mime: str) -> None:
    with pytest.raises(UnsupportedCodecError) as refused:
        roster(person(video(mime_type=mime))).share(ALICE)
    assert refused.value.facts == {"offered": [mime.partition("/")[2]], "supported": ["H264", "VP8"]}
    assert mime.partition("/")[2] in refused.value.detail


@pytest.mark.parametrize("mime", ["", "video/h264", "video/VP8"])
def test_names_of_codecs_are_read_in_any_case_and_may_be_missing(mime: str) -> None:
    assert roster(person(video(mime_type=mime))).share(ALICE) is not None


def test_a_second_encoding_that_can_be_recorded_is_enough() -> None:
    codecs = [models.SimulcastCodecInfo(mime_type=mime) for mime in ("video/AV1", "video/VP8")]
    assert roster(person(video(mime_type="video/AV1", codecs=codecs))).share(ALICE) is not None


def test_a_screen_that_can_be_recorded_comes_before_one_that_cannot() -> None:
    room = roster(person(video("V1", mime_type="video/AV1"), video("V2")))
    assert room.share(ALICE) == Share("P1", "V2", None)


def test_what_the_server_refuses_is_refused_until_it_allows_it() -> None:
    room = roster(person(video()))
    room.refuse("V1", LivekitUnavailableError("No"))
    with pytest.raises(LivekitUnavailableError):
        room.share(ALICE)
    room.allow("V1")
    assert room.share(ALICE) is not None


def test_all_codecs_are_named() -> None:
    assert codec_refusal(["video/AV1", "video/VP9", "video/AV1"]).facts["offered"] == ["AV1", "VP9"]


def test_whoever_comes_again_has_taken_their_own_place_and_shares_nothing_yet() -> None:
    found = roster(person(video(), joined_at_ms=1000))
    found.update([person(sid="P2", joined_at_ms=2000)])
    assert found.share(ALICE) is None
    assert found.here("alice")
    assert found.vanished("P1")
    assert not found.vanished("P2")


def test_late_news_of_the_connection_before_are_no_news() -> None:
    found = roster(person(video("V2"), sid="P2", joined_at_ms=2000))
    found.update([person(video(), joined_at_ms=1000)])
    share = found.share(ALICE)
    assert share is not None
    assert (share.participant_sid, share.video_sid) == ("P2", "V2")
