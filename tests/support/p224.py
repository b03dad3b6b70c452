"""The certificate that FFmpeg with GnuTLS makes by default: on a curve that OpenSSL's DTLS does not take."""

from __future__ import annotations

from aiortc.rtcdtlstransport import generate_certificate
from cryptography.hazmat.primitives.asymmetric import ec

from lookback.recorder.dtls import Certificate


def a_p224_certificate() -> Certificate:
    """A certificate on secp224r1."""
    key = ec.generate_private_key(ec.SECP224R1())
    return Certificate(key, generate_certificate(key))
