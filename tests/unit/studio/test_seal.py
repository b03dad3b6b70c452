"""The cookie of /studio."""

from __future__ import annotations

import pytest

from lookback.studio.door import Seal

SECRET = "s" * 32
TOKEN = "head.body.signature"


def test_a_token_comes_back_out_of_its_cookie() -> None:
    assert Seal(SECRET).opened(Seal(SECRET).closed(TOKEN)) == TOKEN


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        ".",
        TOKEN,
        f"{TOKEN}.",
        f"{TOKEN}.ü",
        Seal("t" * 32).closed(TOKEN),
        Seal(SECRET).closed(TOKEN)[:-1],
        "x" + Seal(SECRET).closed(TOKEN),
    ],
)
def test_what_was_not_signed_here_is_no_token(cookie: str) -> None:
    assert Seal(SECRET).opened(cookie) is None
