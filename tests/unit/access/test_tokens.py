from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from lookback.access.principal import Permission
from lookback.access.tokens import LEEWAY_SECONDS, JwksKeys, TokenPolicy, Tokens, ends_at_us
from lookback.errors import UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "s" * 32
NOW = int(time.time())
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
JWKS = json.dumps(
    {
        "keys": [
            RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True) | {"kid": "rsa", "use": "sig"},
            ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True) | {"kid": "ec", "use": "sig"},
        ]
    }
).encode()
RSA_PEM = RSA_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@contextmanager
def published(body: bytes) -> Iterator[str]:
    """A server on loopback that publishes keys; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/keys"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def jwks_url() -> Iterator[str]:
    with published(JWKS) as url:
        yield url


def tokens(url: str | None = None, audience: str | None = None, secret: str = SECRET) -> Tokens:
    return Tokens(TokenPolicy(secret, JwksKeys(url) if url else None, audience), lambda: NOW * 1_000_000)


def signed(key: Any = SECRET, algorithm: str = "HS256", kid: str | None = None, **claims: Any) -> str:
    claims = {"sub": "alice", "exp": NOW + 60, **claims}
    return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else None)


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """A token that no library would make."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    head = b".".join(parts)
    signature = hmac.new(secret, head, hashlib.sha256).digest() if secret else b""
    return (head + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


async def refusal(token: str, checked_by: Tokens | None = None) -> str:
    with pytest.raises(UnauthenticatedError) as raised:
        await (checked_by or tokens()).principal(token)
    return raised.value.detail


async def test_a_minted_token_says_who_it_is() -> None:
    checker = tokens(audience="lookback")
    who = await checker.principal(checker.mint("alice", name="Alice", admin=True, valid_seconds=60))
    assert (who.user_id, who.name, who.admin) == ("alice", "Alice", True)
    held = await checker.principal(checker.mint("mod", communities={"c1": ("moderator",)}, valid_seconds=60))
    assert held.communities == {"c1": ("moderator",)}
    plain = await checker.principal(checker.mint("bob", valid_seconds=60))
    assert (plain.user_id, plain.name, plain.admin) == ("bob", None, False)


@pytest.mark.parametrize("value", ["true", 1, "yes", None])
async def test_only_true_makes_an_administrator(value: Any) -> None:
    assert not (await tokens().principal(signed(admin=value))).admin


async def test_roles_and_permissions_are_kept() -> None:
    who = await tokens().principal(signed(roles=["auditor", 3], permissions=["ENABLE_REPLAY_BUFFER", "FLY", 3]))
    assert who.token_roles == ("auditor", "3")
    assert who.token_permissions == {None: {Permission.ENABLE_REPLAY_BUFFER}}
    who = await tokens().principal(signed(permissions={"c1": ["CAPTURE_REPLAY:room"], "c2": "VIEW_AUDIT"}))
    assert who.token_permissions == {"c1": {Permission.CAPTURE_REPLAY_ROOM, Permission.CAPTURE_REPLAY}}
    assert (await tokens().principal(signed(roles="auditor", permissions=None))).token_roles == ()


async def test_roles_in_communities_are_kept() -> None:
    who = await tokens().principal(signed(communities={"c1": ["owner", "member"], "c2": "nonsense"}))
    assert who.communities == {"c1": ("owner", "member"), "c2": ()}


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "RS512", "EdDSA", None, 7])
async def test_other_algorithms_are_refused(algorithm: Any) -> None:
    claims = {"sub": "alice"}
    for secret in (None, SECRET.encode()):
        assert await refusal(by_hand({"alg": algorithm, "typ": "JWT"}, claims, secret))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "...", "\0", "ä.ö.ü", "e30.e30.", "W10.e30.AA", "eyJ" * 10_000])
async def test_what_is_no_token_is_refused(token: str) -> None:
    assert await refusal(token)


@pytest.mark.parametrize(
    ("claims", "word"),
    [
        ({"exp": NOW - LEEWAY_SECONDS - 1}, "expired"),
        ({"nbf": NOW + LEEWAY_SECONDS + 5}, "not valid yet"),
        ({"iat": NOW + LEEWAY_SECONDS + 5}, "not valid yet"),
        ({"exp": "tomorrow"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": float("nan")}, "exp"),
        ({"exp": float("inf")}, "exp"),
        ({"exp": 10**400}, "exp"),
        ({"nbf": [1]}, "nbf"),
        ({"aud": "somebody"}, "somebody else"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"communities": ["owner"]}, "communities"),
        ({"permissions": "VIEW_AUDIT"}, "permissions"),
    ],
)
async def test_claims_that_do_not_hold_are_refused_with_the_reason(claims: dict[str, Any], word: str) -> None:
    claims = {"sub": "alice", "exp": NOW + 60, **claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    assert word in await refusal(by_hand({"alg": "HS256"}, claims, SECRET.encode()))


@pytest.mark.parametrize("sub", [7, ["alice"], {"a": 1}])
async def test_a_sub_that_is_no_text_is_refused(sub: Any) -> None:
    assert await refusal(by_hand({"alg": "HS256"}, {"sub": sub, "exp": NOW + 60}, SECRET.encode()))


async def test_a_token_without_an_end_holds_only_where_that_is_allowed() -> None:
    endless = jwt.encode({"sub": "alice"}, SECRET, "HS256")
    assert "does not say in exp when it ends" in await refusal(endless)
    lenient = Tokens(TokenPolicy(SECRET, require_exp=False), lambda: NOW * 1_000_000)
    assert (await lenient.principal(endless)).user_id == "alice"
    assert "expired" in await refusal(signed(exp=NOW - 100), lenient)


@pytest.mark.parametrize("claims", [{"exp": NOW - 5}, {"nbf": NOW + 5}, {"iat": NOW + 5}])
async def test_clocks_may_differ_a_little(claims: dict[str, Any]) -> None:
    assert (await tokens().principal(signed(**claims))).user_id == "alice"


@pytest.mark.parametrize("audience", [None, "other", ["other"], ""])
async def test_a_token_for_another_audience_is_refused(audience: Any) -> None:
    claims = {} if audience is None else {"aud": audience}
    assert await refusal(signed(**claims), tokens(audience="lookback"))


async def test_a_token_for_several_audiences_holds() -> None:
    assert (await tokens(audience="lookback").principal(signed(aud=["x", "lookback"]))).user_id == "alice"


async def test_another_secret_is_refused() -> None:
    assert await refusal(signed("t" * 32))


async def test_a_changed_token_is_refused() -> None:
    head, _, signature = signed().split(".")
    body = base64.urlsafe_b64encode(json.dumps({"sub": "bob"}).encode()).rstrip(b"=").decode()
    assert await refusal(f"{head}.{body}.{signature}")


async def test_published_keys_check_rs256_and_es256(jwks_url: str) -> None:
    checker = tokens(jwks_url)
    assert (await checker.principal(signed(RSA_KEY, "RS256", "rsa"))).user_id == "alice"
    assert (await checker.principal(signed(EC_KEY, "ES256", "ec", sub="bob"))).user_id == "bob"
    assert (await checker.principal(signed())).user_id == "alice", "the secret holds beside them"


async def test_keys_that_are_not_published_are_refused(jwks_url: str) -> None:
    checker = tokens(jwks_url)
    stranger = ec.generate_private_key(ec.SECP256R1())
    for token in (
        signed(stranger, "ES256", "ec"),
        signed(EC_KEY, "ES256", "unknown"),
        signed(EC_KEY, "ES256"),
        signed(EC_KEY, "ES256", "rsa"),
        signed(RSA_KEY, "RS256", "ec"),
    ):
        assert await refusal(token, checker)


async def test_without_published_keys_only_the_secret_holds() -> None:
    assert "not accepted" in await refusal(signed(RSA_KEY, "RS256", "rsa"))


async def test_a_public_key_is_no_secret(jwks_url: str) -> None:
    for material in (RSA_PEM, RSA_PEM.strip(), JWKS):
        forged = by_hand({"alg": "HS256", "kid": "rsa"}, {"sub": "alice", "admin": True}, material)
        assert await refusal(forged, tokens(jwks_url))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"keys": []}', b'{"keys": [{"kty": "?"}]}', b"\xff"])
async def test_nonsense_in_place_of_keys_is_a_refusal_and_no_failure(body: bytes) -> None:
    with published(body) as url:
        assert await refusal(signed(EC_KEY, "ES256", "ec"), tokens(url))


async def test_keys_that_cannot_be_had_are_a_refusal_that_says_so() -> None:
    with published(b"") as url:
        pass
    assert "cannot be had" in await refusal(signed(EC_KEY, "ES256", "ec"), tokens(url))


def test_a_token_says_when_it_ends() -> None:
    assert (
        ends_at_us(jwt.encode({"sub": "alice", "exp": 1}, SECRET, "HS256")) == 1_000_000
    )  # long past: it is not checked
    assert ends_at_us(jwt.encode({"sub": "alice"}, SECRET, "HS256")) is None
    assert ends_at_us(jwt.encode({"sub": "alice", "exp": NOW + 0.5}, RSA_KEY, "RS256")) == NOW * 1_000_000 + 500_000
