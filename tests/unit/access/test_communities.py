from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.access.communities import (
    Community,
    CommunityConfig,
    InstanceRules,
    community_by_pattern,
    community_in_metadata,
)
from lookback.errors import InvalidConfigError

PATTERN = re.compile(r"(?P<community>[^:]+):.*")
RULES = InstanceRules(longest_window_minutes=30)


@pytest.mark.parametrize(
    ("metadata", "community"),
    [
        (None, None),
        ("", None),
        ("not json", None),
        ("[]", None),
        ("3", None),
        ("{}", None),
        ('{"communityId": "c1"}', "c1"),
        ('{"communityId": "c1", "more": [1]}', "c1"),
        ('{"communityId": ""}', None),
        ('{"communityId": 7}', None),
        ('{"communityId": null}', None),
        (json.dumps({"communityId": "x" * 256}), None),
        (json.dumps({"communityId": "a\u0000b"}), None),
        (json.dumps({"communityId": "a/b"}), None),
    ],
)
def test_the_community_in_a_rooms_metadata(metadata: str | None, community: str | None) -> None:
    assert community_in_metadata(metadata) == community


@given(st.text())
def test_any_metadata_are_understood_or_not(metadata: str) -> None:
    found = community_in_metadata(metadata)
    assert found is None or found.isprintable()


@pytest.mark.parametrize(
    ("room", "community"),
    [("c1:daily", "c1"), ("c1:", "c1"), (":daily", None), ("daily", None), ("c1:a:b", "c1"), ("a/b:daily", None)],
)
def test_the_community_in_a_rooms_name(room: str, community: str | None) -> None:
    assert community_by_pattern(room, PATTERN) == community
    assert community_by_pattern(room, None) is None


def test_the_pattern_must_fit_the_whole_name() -> None:
    assert community_by_pattern("x c1-daily", re.compile(r"(?P<community>c\d)-")) is None
    assert community_by_pattern("daily", re.compile(r"(?P<community>c\d)?.*")) is None


def test_a_community_has_the_defaults_where_it_says_nothing() -> None:
    defaults = CommunityConfig(max_concurrent=3, window_minutes=7)
    config = Community("c1", settings={"enabled": False, "max_concurrent": None, "gone": 1}).config(defaults)
    assert config == CommunityConfig(enabled=False, max_concurrent=None, window_minutes=7)
    assert (config.window_us, config.max_clip_us) == (420_000_000, 600_000_000)
    assert CommunityConfig(max_clip_minutes=None).max_clip_us is None


def test_a_change_leaves_the_rest_as_it_is() -> None:
    before = Community("c1", "One", {"window_minutes": 5})
    after = RULES.changed(before, "Two", {"enabled": False})
    assert after == Community("c1", "Two", {"window_minutes": 5, "enabled": False})


def test_no_community_keeps_more_than_the_operator_allows() -> None:
    assert RULES.changed(Community("c1"), None, {"window_minutes": 30}).settings == {"window_minutes": 30}
    with pytest.raises(InvalidConfigError, match="at most 30"):
        RULES.changed(Community("c1"), None, {"window_minutes": 30.5})
