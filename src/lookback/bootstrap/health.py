"""What the running server says about itself: the doctor from inside."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from lookback.access.principal import Permission
from lookback.bootstrap.doctor import Folders, Processes, Wanted, examine
from lookback.bootstrap.parts import clock_us
from lookback.operations.doctor.configuration import judge_settings
from lookback.operations.doctor.livekit import WebhookFacts, judge_webhooks
from lookback.operations.doctor.running import RecorderFacts
from lookback.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookback.access.principal import Principal
    from lookback.livekit.webhooks import LivekitWebhooks
    from lookback.operations.alerts import AlertDesk
    from lookback.operations.doctor.alerts import Alerting
    from lookback.operations.doctor.findings import Finding
    from lookback.recorder.supervisor import Supervisor

_FRESH_US = 10_000_000
_LATELY_US = 300_000_000
_WEBHOOK_S, _LOOK_S = 3.0, 0.05


class Health:
    """Implements api.ports.Health. It looks once in ten seconds, however many ask: looking costs LiveKit a room.

    `webhooks` is None where LiveKit is not configured.
    """

    def __init__(
        self, settings: Settings, recorder: Supervisor, webhooks: LivekitWebhooks | None, alerts: AlertDesk
    ) -> None:
        self._settings, self._recorder, self._webhooks, self._alerts = settings, recorder, webhooks, alerts
        self._folders = Folders(settings)
        self._one_at_a_time = asyncio.Lock()
        self._found: dict[Wanted | None, tuple[int, Sequence[Finding]]] = {}

    async def findings(
        self, who: Principal, room_name: str | None, user_id: str | None
    ) -> tuple[int, Sequence[Finding]]:
        """See api.ports.Health."""
        who.require(Permission.MANAGE_REPLAY_LIMITS)
        wanted = Wanted(room_name, user_id) if room_name is not None and user_id is not None else None
        async with self._one_at_a_time:
            now_us = clock_us()
            self._found = {key: seen for key, seen in self._found.items() if now_us - seen[0] < _FRESH_US}
            if wanted not in self._found:
                self._found[wanted] = (now_us, await self._look(wanted, now_us))
            return self._found[wanted]

    async def _look(self, wanted: Wanted | None, now_us: int) -> list[Finding]:
        known = [name.upper() for name in Settings.model_fields]
        found = list(judge_settings(None, os.environ, known))
        found += await examine(
            self._settings,
            Processes("answers", self._recorder_facts(), await self._alerting()),
            self._folders,
            wanted,
        )
        reachable = any(finding.id == "livekit" for finding in found)
        if self._webhooks is not None and reachable:  # LiveKit has just seen somebody enter a room, and tells of it
            found.append(judge_webhooks(await self._heard(self._webhooks, now_us)))
        return found

    def _recorder_facts(self) -> RecorderFacts:
        status = self._recorder.status
        if not self._recorder.connected or status is None:
            return RecorderFacts("absent")
        return RecorderFacts("answers", sessions=len(status.sessions))

    async def _alerting(self) -> Alerting:
        """How the last alert ended. A test is posted only where that does not tell: somebody has to read it."""
        latest = self._alerts.latest
        return latest if latest == "taken" else await self._alerts.try_it() or "off"

    async def _heard(self, webhooks: LivekitWebhooks, began_us: int) -> WebhookFacts:
        """What came since `began_us`, or a while ago: a server that told us then does so now."""
        for _ in range(round(_WEBHOOK_S / _LOOK_S)):
            accepted_us, refused_us = webhooks.accepted_us or 0, webhooks.refused_us or 0
            if accepted_us > began_us - _LATELY_US or refused_us >= began_us:
                break
            await asyncio.sleep(_LOOK_S)
        return WebhookFacts(accepted_us > began_us - _LATELY_US, refused_us >= began_us)
