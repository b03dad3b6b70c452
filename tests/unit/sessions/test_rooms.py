from __future__ import annotations

import pytest
from tests.support.livekit_rooms import a_room, a_sharer, a_watcher

from lookback.sessions.rooms import ParticipantFacts, RoomEvent, RoomFacts, TrackFacts, user_of


@pytest.mark.parametrize(
    ("metadata", "attributes", "user"),
    [
        ("", {}, "phone-1"),
        ('{"userId": "alice"}', {}, "alice"),
        ('{"userId": "alice"}', {"userId": "bob"}, "bob"),
        ("", {"userId": ""}, "phone-1"),
        ('{"userId": 7}', {}, "phone-1"),
        ('{"userId": ""}', {}, "phone-1"),
        ('["userId"]', {}, "phone-1"),
        ("{userId", {}, "phone-1"),
    ],
)
def test_the_user_is_the_identity_unless_the_backend_says_another(
    metadata: str, attributes: dict[str, str], user: str
) -> None:
    assert user_of(ParticipantFacts("phone-1", metadata=metadata, attributes=attributes)) == user


def test_a_screen_is_the_video_of_a_shared_screen() -> None:
    assert a_sharer(sid="TR_7").screen == TrackFacts(sid="TR_7", source="screen", codec="video/h264")
    assert a_watcher().screen is None
    sound = TrackFacts(sid="TR_1", source="screen", kind="audio")
    assert ParticipantFacts("alice", tracks=(sound,)).screen is None


SHARED, GONE = a_room(a_sharer(sid="TR_1")), a_room(a_watcher("alice"))


@pytest.mark.parametrize(
    ("kind", "room", "agrees"),
    [
        ("track_published", SHARED, True),
        ("track_published", GONE, False),
        ("track_published", None, False),
        ("track_unpublished", SHARED, False),
        ("track_unpublished", GONE, True),
        ("track_unpublished", None, True),
        ("participant_left", SHARED, True),
        ("room_finished", None, True),
    ],
)
def test_an_event_is_waited_for_until_it_can_be_seen(kind: str, room: RoomFacts | None, agrees: bool) -> None:
    assert RoomEvent(kind, "demo", "alice", "TR_1").agrees_with(room) is agrees
