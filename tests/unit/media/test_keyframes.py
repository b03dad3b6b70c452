"""When a key frame is asked for."""

from __future__ import annotations

from dataclasses import replace

from tests.support.publisher import Listener, Publisher

from lookback.media.keyframes import KeyFrameRequests, StreamState
from lookback.media.rtcp import PictureLoss

WELL = StreamState(lost=False, missing_us=None, silent_us=0, changed=True)
LOST = replace(WELL, lost=True)
SECOND = 1_000_000


def asked_at(requests: KeyFrameRequests, state: StreamState, start_us: int, end_us: int) -> list[int]:
    """Return when requests go out while the state stays."""
    return [now_us for now_us in range(start_us, end_us, 20_000) if requests.due(state, now_us)]


def after_a_key_frame(*, sfu: bool = False) -> KeyFrameRequests:
    requests = KeyFrameRequests(sfu=sfu)
    requests.stream_started(0)
    requests.key_frame_came(0)
    return requests


def test_a_new_stream_gets_time_for_the_key_frame_it_opens_with() -> None:
    requests = KeyFrameRequests(sfu=False)
    requests.stream_started(0)
    assert asked_at(requests, LOST, 0, SECOND)[0] == 200_000


def test_a_lost_reference_asks_at_once_and_then_ever_less_often() -> None:
    times = asked_at(after_a_key_frame(), LOST, SECOND, 10 * SECOND)
    assert times == [SECOND, 1_500_000, 2_500_000, 4_500_000, 6_500_000, 8_500_000]


def test_a_key_frame_ends_the_waiting() -> None:
    requests = after_a_key_frame()
    assert requests.due(LOST, SECOND)
    requests.key_frame_came(1_100_000)
    assert asked_at(requests, LOST, 1_100_000, 2 * SECOND) == [1_500_000]


def test_every_two_seconds_when_all_is_well() -> None:
    requests = after_a_key_frame()
    times = []
    for now_us in range(0, 10 * SECOND, 20_000):
        if requests.due(WELL, now_us):
            times.append(now_us)
            requests.key_frame_came(now_us)
    assert times == [2 * SECOND, 4 * SECOND, 6 * SECOND, 8 * SECOND]


def test_a_publisher_that_ignores_requests_is_asked_no_more_often() -> None:
    assert len(asked_at(after_a_key_frame(), WELL, 0, 60 * SECOND)) <= 30


def test_not_while_something_is_missing_nor_paused_nor_unchanged() -> None:
    for state in (
        replace(WELL, missing_us=100_000),
        replace(WELL, silent_us=6 * SECOND),
        replace(WELL, changed=False),
    ):
        assert asked_at(after_a_key_frame(), state, 0, 20 * SECOND) == []


def test_a_static_screen_is_still_asked() -> None:
    assert asked_at(after_a_key_frame(), replace(WELL, silent_us=SECOND), 0, 3 * SECOND) == [2 * SECOND]


def test_an_unanswered_nack_asks_once_per_hole() -> None:
    requests = after_a_key_frame()
    times = [
        now_us
        for now_us in range(SECOND, 2 * SECOND, 20_000)
        if requests.due(replace(WELL, missing_us=now_us - SECOND), now_us)
    ]
    assert times == [1_260_000]
    assert requests.due(replace(WELL, missing_us=300_000), 3 * SECOND)


def test_an_sfu_is_asked_only_when_nothing_can_be_repaired() -> None:
    requests = after_a_key_frame(sfu=True)
    requests.wish()
    assert not requests.due(replace(WELL, missing_us=900_000), SECOND)
    assert requests.due(replace(LOST, missing_us=100_000), SECOND)


def test_a_wish_is_granted_within_the_rules() -> None:
    requests = after_a_key_frame()
    requests.wish()
    assert asked_at(requests, WELL, 0, 1_900_000) == [200_000, 700_000, 1_700_000]
    requests.key_frame_came(1_800_000)
    assert asked_at(requests, WELL, 1_800_000, 2 * SECOND) == []


def test_nobody_is_asked_when_nobody_is_there() -> None:
    assert asked_at(after_a_key_frame(), replace(LOST, silent_us=11 * SECOND), 0, 60 * SECOND) == []


def test_the_freeze_after_loss_is_as_short_as_the_publisher_allows() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture(key=True))
    listener.wait(300_000)
    lost_us = listener.now_us
    listener.hear(video.picture()[1:])
    for _ in range(60):
        listener.hear(video.picture(key=bool(listener.requests(PictureLoss))))
        listener.wait(33_333)
    whole = [frame.arrival_us - lost_us for frame in listener.frames[1:] if not frame.reference_lost]
    assert whole
    keys = [frame for frame in listener.frames[1:] if frame.key]
    assert keys[0].rtp_time - listener.frames[0].rtp_time < 90_000 * 4 // 10
    assert len(listener.requests(PictureLoss)) == 1


def test_a_new_stream_is_asked_only_after_its_first_key_frame_had_time() -> None:
    video = Publisher()
    listener = Listener(video=video)
    listener.hear(video.picture())
    listener.wait(180_000)
    assert listener.requests(PictureLoss) == []
    listener.wait(60_000)
    assert len(listener.requests(PictureLoss)) == 1


def test_a_publisher_that_answers_is_asked_every_two_seconds() -> None:
    video = Publisher()
    listener = Listener(video=video)
    asked = 0
    for number in range(300):
        listener.hear(video.picture(key=number == 0 or len(listener.requests(PictureLoss)) > asked))
        asked = len(listener.requests(PictureLoss))
        listener.wait(33_333)
    assert asked == 4
    assert listener.stats.video.key_frames == 5
