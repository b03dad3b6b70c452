"""TLS alerts as sentences: why a DTLS handshake failed and what the publisher can do (RFC 8446 section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    116: "certificate_required",
    120: "no_application_protocol",
}
_ABOUT_THE_CERTIFICATE = frozenset({40, 42, 43, 47})
_CURE = (
    "FFmpeg and PyAV make a secp224r1 certificate by default, which cannot be used: "
    "pass cert_file and key_file with a P-256 certificate"
)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a handshake: its description number and which way it went."""

    number: int
    received: bool

    def __str__(self) -> str:
        way = "the publisher sent" if self.received else "we sent"
        return f"{way} alert {self.number} ({_NAMES.get(self.number, 'unknown')})"


def failure_sentence(alerts: Sequence[Alert]) -> str:
    """Why a handshake failed, for the publisher's user; without an alert only one reason is left."""
    fatal = [alert for alert in alerts if alert.number]
    if not fatal:
        return "The DTLS handshake failed: the certificate is not the one that the offer's fingerprint names"
    reason = f"The DTLS handshake failed: {', '.join(map(str, fatal))}"
    if any(not alert.received and alert.number in _ABOUT_THE_CERTIFICATE for alert in fatal):
        return f"{reason}. {_CURE}"
    return reason
