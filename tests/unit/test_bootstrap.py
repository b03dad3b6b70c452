"""An installation that cannot start says why, and leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lookback.bootstrap.app import App
from lookback.bootstrap.checking import Wish, check
from lookback.errors import SettingsError
from lookback.home import only_server
from lookback.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in type(load_settings()).model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


def settings_for(home: Path, database_url: str | None = None) -> Settings:
    return load_settings(lookback_home=home, database_url=database_url)


async def refusal(settings: Settings) -> str:
    with pytest.raises(SettingsError) as raised:
        async with App(settings):
            pass
    return raised.value.detail


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("postgresql://u:hunter2@127.0.0.1:1/x", "onnect"),
        ("postgresql://u:hunter2@host:port/x", "not the address of a database"),
    ],
)
async def test_a_database_that_cannot_be_used_is_one_sentence(home: Path, url: str, reason: str) -> None:
    sentence = await refusal(settings_for(home, url))
    assert sentence.startswith("DATABASE_URL is wrong: ")
    assert reason in sentence
    assert "\n" not in sentence
    assert "hunter2" not in sentence
    with only_server(home):
        pass  # the lock is free again


async def test_a_file_that_is_no_database_is_left_as_it_is(home: Path) -> None:
    (home / "lookback.db").write_text("garbage" * 1000)
    assert "not a database" in await refusal(settings_for(home))
    assert (home / "lookback.db").read_text() == "garbage" * 1000


async def test_a_home_has_one_server(home: Path) -> None:
    with only_server(home):
        assert "Another server uses this LOOKBACK_HOME" in await refusal(settings_for(home))


async def test_a_check_of_an_empty_home_finds_nothing(home: Path) -> None:
    report = await check(settings_for(home), Wish())
    assert (report.mended, report.left) == ((), ())
