from __future__ import annotations

import asyncio

import pytest

from lookback.access.rates import Kind, RateLimits
from lookback.errors import RateLimitError


async def test_of_many_at_once_as_many_as_may_get_through() -> None:
    rates = RateLimits({Kind.CAPTURE: 5})
    done = await asyncio.gather(*(rates.spend(Kind.CAPTURE, "alice") for _ in range(50)), return_exceptions=True)
    refused = [error for error in done if isinstance(error, RateLimitError)]
    assert (done.count(None), len(refused)) == (5, 45)
    assert refused[0].detail == "Too many captures in a minute"
    assert refused[0].facts["limit"] == 5
    assert 1 <= refused[0].facts["retryAfter"] <= 60
    assert isinstance(refused[0].facts["retryAfter"], int)


async def test_users_and_kinds_are_counted_apart() -> None:
    rates = RateLimits({Kind.CAPTURE: 1, Kind.START: 1})
    await rates.spend(Kind.CAPTURE, "alice")
    await rates.spend(Kind.CAPTURE, "bob")
    await rates.spend(Kind.START, "alice")
    await rates.spend(Kind.CAPTURE, "alice/1")
    for kind, user in ((Kind.CAPTURE, "alice"), (Kind.CAPTURE, "bob"), (Kind.START, "alice")):
        with pytest.raises(RateLimitError):
            await rates.spend(kind, user)


@pytest.mark.parametrize("per_minute", [{}, {Kind.CAPTURE: 0}])
async def test_no_limit_is_no_limit(per_minute: dict[Kind, int]) -> None:
    rates = RateLimits(per_minute)
    for _ in range(500):
        await rates.spend(Kind.CAPTURE, "alice")
