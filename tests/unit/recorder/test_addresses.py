"""What is bound and what is advertised."""

from __future__ import annotations

import ipaddress

import pytest

from lookback.errors import SettingsError
from lookback.recorder.addresses import to_advertise, to_bind


def test_given_addresses_are_bound_once_each_in_order() -> None:
    assert to_bind(["127.0.0.2", "127.0.0.1", "127.0.0.2"]) == ("127.0.0.2", "127.0.0.1")


def test_a_wildcard_is_every_local_address_with_loopback_last() -> None:
    bound = to_bind(["0.0.0.0"])
    assert "127.0.0.1" in bound
    assert "0.0.0.0" not in bound
    loopback = [ipaddress.ip_address(text).is_loopback for text in bound]
    assert loopback == sorted(loopback)


@pytest.mark.parametrize("bad", ["example.org", "", "127.0.0.1:80", "999.1.1.1"])
def test_other_texts_are_a_mistake_in_the_settings(bad: str) -> None:
    with pytest.raises(SettingsError):
        to_bind([bad])
    with pytest.raises(SettingsError):
        to_advertise(["127.0.0.1"], ["127.0.0.1"], [bad])


def test_nothing_to_bind_is_a_mistake() -> None:
    with pytest.raises(SettingsError):
        to_bind([])


def test_what_is_bound_is_advertised_unless_told_otherwise() -> None:
    assert to_advertise(["127.0.0.1"], ["127.0.0.1"], []) == ("127.0.0.1",)
    assert to_advertise(["10.0.0.1"], ["10.0.0.1"], ["192.0.2.1", "10.0.0.1"]) == ("192.0.2.1", "10.0.0.1")


def test_a_wildcard_cannot_be_advertised() -> None:
    with pytest.raises(SettingsError):
        to_advertise(["0.0.0.0"], ["10.0.0.1"], ["0.0.0.0"])


def test_expanded_loopback_is_advertised_only_when_it_is_all_there_is() -> None:
    assert to_advertise(["0.0.0.0"], ["10.0.0.1", "127.0.0.1"], []) == ("10.0.0.1",)
    assert to_advertise(["0.0.0.0"], ["127.0.0.1"], []) == ("127.0.0.1",)
