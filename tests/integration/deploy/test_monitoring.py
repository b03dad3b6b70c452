"""What the dashboard and the alert rules ask for is there in the program that runs."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.support.installation import ROOT, one_installation
from tests.support.publishers import sharing
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.installation import Installation

DEPLOY = ROOT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "lookback.json").read_text())
RULES = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
OF_PROMETHEUS = {"up", "job", "instance"}  # Prometheus makes them for whatever it asks
_SELECTOR = re.compile(r"([a-z_][a-z0-9_]*)\{([^}]*)\}")
_LABEL = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"")
_BY = re.compile(r"\bby \(([^)]*)\)")
LIVEKIT_AWAY = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "a-secret-of-enough-bytes-for-hs256",
}


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression, and where it stands."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield f"panel {panel['title']}", target["expr"]
    for rule in RULES:
        yield rule["alert"], rule["expr"]


def names(expression: str) -> set[str]:
    """The metrics that it asks for."""
    return set(re.findall(r"\b(?:lookback|process)_[a-z0-9_]+\b", expression))


Series = dict[str, list[dict[str, str]]]


def series_of(text: str) -> Series:
    """What was scraped: the labels of every series, by name."""
    found: Series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(dict(sample.labels))
    return found


async def scraped(server: Installation) -> str:
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get("/metrics")
        assert answer.status_code == 200
        return answer.text


async def a_working_server(server: Installation) -> str:
    """Metrics of a server on which somebody has shared and saved, and everything was looked at once."""
    async with server.person("alice") as alice, sharing(alice, "office") as share:
        await alice.sees_buffered(share.session, 2.5)
        await alice.captures(share.session, durationSeconds=2)

        async def counted() -> str | None:
            text = await scraped(server)
            there = series_of(text)
            wanted = {"lookback_clips", "lookback_segment_lag_seconds"} <= there.keys()
            return text if wanted and {"source": "whip"} in there["lookback_shares"] else None

        text = await eventually(counted, within=30, what="figures")
        assert text is not None
        return text


async def a_quiet_server(server: Installation) -> str:
    """Metrics of a server that has looked at everything once."""

    async def looked() -> str | None:
        text = await scraped(server)
        return text if "lookback_healthy" in series_of(text) else None

    text = await eventually(looked, within=30, what="a look at everything")
    assert text is not None
    return text


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    with one_installation(tmp_path_factory.mktemp("home")) as server:
        return asyncio.run(a_working_server(server))


@pytest.fixture(scope="module")
def text_of_livekit(tmp_path_factory: pytest.TempPathFactory) -> str:
    with one_installation(tmp_path_factory.mktemp("home"), **LIVEKIT_AWAY) as server:
        return asyncio.run(a_quiet_server(server))


@pytest.fixture
def there(text: str, text_of_livekit: str) -> Series:
    """What was scraped from both."""
    return series_of(text_of_livekit) | series_of(text)


def test_everything_that_deploy_asks_for_is_there(there: Series) -> None:
    for where, expression in expressions():
        assert names(expression) | OF_PROMETHEUS & set(re.findall(r"[a-z_]+", expression)), where
        for name in names(expression):
            assert name in there, f"{where} asks for {name}, which is not there"


def test_every_label_that_deploy_asks_for_is_there(there: Series) -> None:
    for where, expression in expressions():
        for name, selector in _SELECTOR.findall(expression):
            for label, value in _LABEL.findall(selector):
                if name in OF_PROMETHEUS or label in OF_PROMETHEUS:
                    continue
                values = {labels.get(label) for labels in there[name]}
                assert None not in values, f"{where}: {name} has no label {label}"
                if value == "total":
                    assert value in values, f"{where}: {name} has no {label} {value}"
        grouped = {label.strip() for group in _BY.findall(expression) for label in group.split(",")}
        for label in grouped:
            assert any(label in labels for name in names(expression) for labels in there[name]), f"{where}: by {label}"


def shown() -> Iterator[tuple[str, set[str], str]]:
    """Texts with labels in them, the metrics they stand beside, and where."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["legendFormat"].replace("{{", "{{ $labels."), names(target["expr"]), panel["title"]
    for rule in RULES:
        yield rule["annotations"]["summary"], names(rule["expr"]), rule["alert"]


def test_every_label_that_is_shown_is_there(there: Series) -> None:
    for words, asked, where in shown():
        for label in set(re.findall(r"\$labels\.(\w+)", words)) - OF_PROMETHEUS:
            assert all(label in labels for name in asked for labels in there[name]), f"{where} shows {label}"


def test_no_series_is_there_twice(text: str) -> None:
    lines = [line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    assert [line for line, count in Counter(lines).items() if count > 1] == []


def test_names_follow_the_convention(text: str) -> None:
    for family in text_string_to_metric_families(text):
        if not family.name.startswith("lookback_"):
            continue
        assert family.documentation, family.name
        assert not re.search(r"_(ms|us|milliseconds|minutes|kb|mb)(_|$)", family.name), "base units only"
        if family.type == "counter":
            assert all(s.name.endswith(("_total", "_created")) for s in family.samples), family.name
        else:
            assert not family.name.endswith("_total"), family.name


def test_a_capture_is_measured_by_its_steps(text: str) -> None:
    steps = {labels["step"] for labels in series_of(text)["lookback_capture_seconds_count"]}
    assert steps == {"find", "commit", "queue", "plan", "reserve", "write", "row", "total"}


def test_what_is_away_is_said(text_of_livekit: str) -> None:
    healthy: dict[str, Any] = {}
    for family in text_string_to_metric_families(text_of_livekit):
        healthy |= {s.labels["part"]: s.value for s in family.samples if s.name == "lookback_healthy"}
    assert healthy == {"database": 1, "buffer": 1, "storage": 1, "livekit": 0}


def test_every_alert_says_what_to_do() -> None:
    for rule in RULES:
        assert {"summary", "action"} <= rule["annotations"].keys(), rule["alert"]
        assert rule["labels"]["severity"] in {"warning", "critical"}
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
