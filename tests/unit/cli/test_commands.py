"""Commands that end at once; nothing of them is ever a traceback."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

import lookback
from lookback.cli.main import app
from lookback.cli.usage import human_bytes
from lookback.home import kept_secret, only_server
from lookback.settings import load_settings

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = [["serve"], ["check"], ["usage"], ["demo"], ["token", "--user", "alice"]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in type(load_settings()).model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("LOOKBACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    done = CliRunner().invoke(app, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def run_apart(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """The same in a process of its own, for commands that set up logging."""
    done = subprocess.run(
        [sys.executable, "-m", "lookback", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr + done.stdout
    return done.returncode, done.stdout, done.stderr


WRONG = [
    ("REPLAY_BUFFER_DURATION_MINUTES", "0"),
    ("REPLAY_BUFFER_DURATION_MINUTES", "ten"),
    ("REPLAY_BUFFER_DURATION_MINUTES", "nan"),
    ("REPLAY_CLEANUP_BUFFER_MINUTES", "5"),
    ("REPLAY_CLEANUP_BUFFER_MINUTES", "inf"),
    ("REPLAY_SEGMENT_DURATION_SECONDS", "1"),
    ("DEFAULT_USER_REPLAY_QUOTA_GB", "-5"),
    ("DATABASE_URL", "mysql://x"),
    ("DATABASE_URL", "lookback.db"),
    ("LOOKBACK_JWT_SECRET", "top-secret"),
    ("LOOKBACK_JWKS_URL", "keys.json"),
    ("LOOKBACK_HOST", "example.org"),
    ("LOOKBACK_PORT", "65536"),
    ("LOOKBACK_PORT", "http"),
    ("LOOKBACK_RTC_PORT", "-1"),
    ("LOOKBACK_RTC_ADDRESSES", "127.0.0.1, elsewhere"),
    ("LOOKBACK_RTC_ADDRESSES", ","),
    ("LOOKBACK_RTC_ADVERTISE", "300.1.1.1"),
    ("LOOKBACK_PUBLIC_URL", "replay.example.org"),
    ("LOOKBACK_CORS_ORIGINS", "https://app.example.org/path"),
    ("LOOKBACK_ROOM_PATTERN", "("),
    ("LOOKBACK_ROOM_PATTERN", "(?P<room>.*)"),
    ("LOOKBACK_COMMUNITY_MAX_CONCURRENT", "-1"),
    ("LOOKBACK_LONGEST_WINDOW_MINUTES", "0"),
    ("LOOKBACK_START_TIMEOUT_SECONDS", "601"),
    ("LOOKBACK_GRACE_SECONDS", "-1"),
    ("LOOKBACK_TRUSTED_PROXIES", "proxy.example.org"),
    ("LOOKBACK_TRUSTED_PROXIES", "10.0.0.1/8"),
    ("LOOKBACK_TRUSTED_PROXIES", "*"),
    ("LOOKBACK_AUDIT_RETENTION_DAYS", "-1"),
    ("LOOKBACK_CAPTURES_PER_MINUTE", "-1"),
    ("LOOKBACK_STARTS_PER_MINUTE", "often"),
    ("LOOKBACK_LOG_LEVEL", "loud"),
    ("LOOKBACK_LOG_FORMAT", "xml"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    code, out, err = run("serve")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith(f"{name} is wrong: ")
    assert err.endswith(".\n")
    assert "top-secret" not in err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_every_mistake_in_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("LOOKBACK_PORT", "x")
    monkeypatch.setenv("LOOKBACK_RTC_ADVERTISE", "0.0.0.0")
    code, _, err = run(*command)
    assert code == 2
    assert [line.split()[0] for line in err.splitlines()] == ["LOOKBACK_PORT", "LOOKBACK_RTC_ADVERTISE"]


@pytest.mark.parametrize("name", ["LOOKBACK_HOME", "REPLAY_BUFFER_PATH", "REPLAY_STORAGE_PATH"])
def test_a_folder_that_is_a_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv(name, str(place))
        code, _, err = run("token", "--user", "alice")
        assert (code, err.split()[0]) == (2, name)


def test_the_version_is_printed() -> None:
    assert run("version") == (0, f"{lookback.__version__}\n", "")


def test_a_minted_token_is_one_line_and_its_secret_is_kept(home: Path) -> None:
    code, out, err = run("token", "--user", "alice", "--admin", "--name", "Alice")
    assert (code, err, out.count(".")) == (0, "", 2)
    secret = home / "secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(secret.read_text().strip()) == 64
    kept = secret.read_text()
    assert run("token", "--user", "alice")[0] == 0
    assert secret.read_text() == kept == kept_secret(home) + "\n"


def test_a_minted_token_carries_roles() -> None:
    code, out, _ = run("token", "--user", "mod", "--role", "c1:moderator", "--role", "c1:auditor", "--role", "a:b:c")
    claims = jwt.decode(out.strip(), options={"verify_signature": False})
    assert (code, claims["communities"]) == (0, {"c1": ["moderator", "auditor"], "a:b": ["c"]})


@pytest.mark.parametrize(
    "arguments",
    [
        ["--user", ""],
        ["--user", "x" * 256],
        ["--user", "a", "--hours", "0"],
        ["--user", "a", "--hours", "nan"],
        ["--user", "a", "--hours", "1e300"],
        ["--user", "a", "--hours", "x"],
        ["--user", "a", "--role", "moderator"],
        ["--user", "a", "--role", "c1:"],
        [],
    ],
)
def test_a_token_that_could_not_hold_is_not_minted(arguments: list[str]) -> None:
    code, out, err = run("token", *arguments)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\xff" * 64])
def test_a_damaged_secret_signs_nothing(home: Path, content: bytes) -> None:
    home.mkdir()
    (home / "secret").write_bytes(content)
    code, out, err = run("token", "--user", "alice")
    assert (code, out, err.split()[0]) == (2, "", "LOOKBACK_HOME")


def test_a_demo_without_server_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKBACK_PORT", "1")
    code, _, err = run("demo")
    assert code == 2
    assert "lookback serve" in err


def test_an_empty_home_is_consistent() -> None:
    assert run_apart("check")[:2] == (0, "Everything is consistent.\n")


def test_a_home_without_clips_uses_nothing() -> None:
    assert run_apart("usage", "--by", "room")[:2] == (0, "room   clips  used  deleted\ntotal      0   0 B      0 B\n")
    assert run_apart("check", "--recount")[:2] == (0, "Everything is consistent.\n")


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 kB"), (5 * 1024**3, "5.0 GB"), (1 << 62, "4096.0 PB")]
)
def test_sizes_are_said_as_people_read_them(size: int, said: str) -> None:
    assert human_bytes(size) == said


def test_a_home_has_one_server(home: Path) -> None:
    home.mkdir()
    with only_server(home):
        code, out, err = run_apart("serve", LOOKBACK_PORT="0", LOOKBACK_RTC_PORT="0")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("Another server uses this LOOKBACK_HOME")


def test_the_demo_in_a_room_needs_livekit() -> None:
    code, printed, said = run("demo", "--livekit")
    assert (code, printed) == (2, "")
    assert said == "LiveKit is not configured: set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.\n"
