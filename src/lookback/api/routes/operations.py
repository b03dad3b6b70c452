"""/healthz, /readyz, /metrics: for those who run the server."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

import lookback
from lookback.api.answers import CheckAnswer, HealthAnswer, ReadinessAnswer
from lookback.api.security import Has

router = APIRouter(tags=["operations"])


@router.get("/healthz", operation_id="healthz")
async def healthz() -> HealthAnswer:
    """Say that the process answers."""
    return HealthAnswer(version=lookback.__version__)


@router.get(
    "/readyz",
    operation_id="readyz",
    responses={503: {"model": ReadinessAnswer, "description": "Something that must work does not; it says what"}},
)
async def readyz(has: Has, response: Response) -> ReadinessAnswer:
    """Say whether database, buffer, storage and recorder work."""
    checks = [CheckAnswer(name=c.name, ok=c.reason is None, reason=c.reason) for c in await has.readiness.checks()]
    ready = all(check.ok for check in checks)
    response.status_code = 200 if ready else 503
    return ReadinessAnswer(ready=ready, checks=checks)


@router.get("/metrics", operation_id="metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Return the counters in the text format of Prometheus."""
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)
