"""How routes describe their errors in the OpenAPI document."""

from typing import Any

from lookback.api.errors import CONTENT_TYPE

_TITLES = {
    400: "The request makes no sense as it is",
    401: "Not signed in",
    403: "Permission denied",
    404: "Not found, or not yours",
    409: "Not possible in this state",
    412: "Another version is meant",
    413: "Too large",
    415: "Unsupported media type",
    416: "The range lies outside",
    422: "Understood, but cannot be done",
    425: "Too early",
    428: "If-Match is missing",
    429: "Too much at once, or too often",
    503: "Not now",
    507: "Not enough room",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that may fail in these ways."""
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _TITLES[status], "content": content} for status in sorted(statuses)}


def complete(operation: dict[str, Any]) -> None:
    """Add to an operation of the document what every operation of its kind may answer, whatever its route says."""
    implied = set() if "operations" in operation["tags"] else {503}  # everything else asks the database
    if "security" in operation:
        implied.add(401)
    if "requestBody" in operation:
        implied |= {400, 413}
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        implied.add(404)
    if any(_may_be_wrong(parameter) for parameter in operation.get("parameters", ())):
        implied.add(400)
    responses = operation["responses"]
    for status, response in problems(*implied).items():
        responses.setdefault(str(status), response)
    operation["responses"] = dict(sorted(responses.items()))


def _may_be_wrong(parameter: dict[str, Any]) -> bool:
    """Whether there is a value that is refused: not of a text that may be anything."""
    allowed = parameter["schema"]
    return allowed.get("type") != "string" or bool(
        allowed.keys() & {"pattern", "maxLength", "minLength", "enum", "format"}
    )


def download(kind: str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that sends a file of this kind."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": "The file", "content": content}}


def media(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that serves bytes of these kinds, with ranges."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    return {
        200: {"description": "All of it", "content": content},
        206: {"description": "The range asked for", "content": content},
        304: {"description": "Not modified"},
        **problems(401, 404, 412, 416),
    }
