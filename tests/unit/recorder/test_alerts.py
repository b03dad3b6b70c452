"""Why a handshake failed, in words."""

from __future__ import annotations

from lookback.recorder.alerts import Alert, failure_sentence


def test_our_refusal_of_a_certificate_says_what_helps() -> None:
    sentence = failure_sentence([Alert(47, received=False)])
    assert "we sent alert 47 (illegal_parameter)" in sentence
    assert "pass cert_file and key_file with a P-256 certificate" in sentence


def test_the_publishers_refusal_is_named_without_advice() -> None:
    sentence = failure_sentence([Alert(70, received=True)])
    assert sentence == "The DTLS handshake failed: the publisher sent alert 70 (protocol_version)"


def test_an_unknown_number_is_still_a_number() -> None:
    assert "alert 250 (unknown)" in failure_sentence([Alert(250, received=True)])


def test_without_an_alert_the_fingerprint_was_wrong() -> None:
    assert "fingerprint" in failure_sentence([])
    assert "fingerprint" in failure_sentence([Alert(0, received=True)])
