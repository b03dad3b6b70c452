"""What is said of the address that administrators are alerted at."""

from __future__ import annotations

from typing import Literal

from lookback.operations.doctor.findings import Finding, fine, wrong
from lookback.operations.doctor.remedies import Problem

Alerting = Literal["off", "untried", "taken", "refused", "away"]
"""Nobody is alerted, there is no secret yet to sign with, or how a test that was posted ended."""

_FINE = {
    "off": "Nobody is alerted: LOOKBACK_ALERT_WEBHOOK is not set",
    "untried": "Alerts are signed with the server's secret, which its first start makes",
    "taken": "Alerts arrive at LOOKBACK_ALERT_WEBHOOK",
}


def judge_alerts(alerting: Alerting) -> Finding:
    """What is said of it."""
    if alerting == "refused":
        return wrong(Problem.ALERTS_REFUSED, "What answers at LOOKBACK_ALERT_WEBHOOK refuses alerts, or redirects them")
    if alerting == "away":
        return wrong(Problem.ALERTS_UNREACHABLE, "Nobody takes alerts at LOOKBACK_ALERT_WEBHOOK")
    return fine("alerts", _FINE[alerting])
