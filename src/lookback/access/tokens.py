"""Bearer tokens: JSON Web Tokens (RFC 7519) by a shared secret or by published keys."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import jwt
from jwt import PyJWKClient

from lookback.access.principal import Permission, Principal
from lookback.access.roles import parse_permissions
from lookback.errors import UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lookback.access.revocations import Revocations

SHARED_ALGORITHM = "HS256"
KEY_ALGORITHMS = ("RS256", "ES256")
LEEWAY_SECONDS = 30
_LONGEST_ID = 255
_LAST_SECOND = 1 << 53
_SECOND_US = 1_000_000


class KeySource(Protocol):
    """Where the public keys of RS256 and ES256 tokens come from."""

    async def key(self, token: str) -> Any:
        """Return the key that the token's header names; raises UnauthenticatedError when nobody published it."""


class JwksKeys:
    """Keys behind a JWKS URL (RFC 7517), kept for five minutes and asked for again when an unknown one is named."""

    def __init__(self, url: str) -> None:
        self._client = PyJWKClient(url, cache_jwk_set=True, lifespan=300, timeout=5)
        # Anybody may send a token with a key nobody knows: while its publisher hangs, that must not use up all threads.
        self._few = asyncio.Semaphore(2)

    async def key(self, token: str) -> Any:
        """Return the key that the token's header names; raises UnauthenticatedError when nobody published it."""
        try:
            async with self._few:
                found = await asyncio.to_thread(self._client.get_signing_key_from_jwt, token)
        except (jwt.PyJWKClientConnectionError, ValueError) as error:
            raise UnauthenticatedError("The published keys cannot be had, so the token cannot be checked") from error
        except jwt.PyJWTError as error:
            raise UnauthenticatedError("The token's key is not among the published keys") from error
        return found.key


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """Which tokens hold: signed with the secret, or with a published key; for the audience, if one is set.

    A token that does not say when it ends holds only where `require_exp` is off.
    """

    secret: str
    keys: KeySource | None = None
    audience: str | None = None
    require_exp: bool = True


class Tokens:
    """Checks tokens, and mints them for development. `clock` gives UTC microseconds.

    `revocations`: whose tokens hold no more; without them every token holds as long as it says.
    """

    def __init__(self, policy: TokenPolicy, clock: Callable[[], int], revocations: Revocations | None = None) -> None:
        self._policy = policy
        self._clock = clock
        self._revocations = revocations

    async def principal(self, token: str) -> Principal:
        """Return who the token speaks for; raises UnauthenticatedError with the reason when it does not hold."""
        algorithm = _algorithm(token)
        claims = self._decode(token, algorithm, await self._key(token, algorithm))
        self._check_times(claims)
        who = _principal(claims)
        if self._revocations is not None:
            issued = claims.get("iat")
            await self._revocations.require_later(who.user_id, None if issued is None else round(issued * _SECOND_US))
        return who

    def mint(
        self,
        user_id: str,
        *,
        name: str | None = None,
        admin: bool = False,
        communities: Mapping[str, Sequence[str]] | None = None,
        valid_seconds: int,
    ) -> str:
        """Return a token signed with the secret; `communities` are names of roles by community."""
        now = self._clock() // _SECOND_US
        claims: dict[str, Any] = {"sub": user_id, "iat": now, "exp": now + valid_seconds}
        claims |= {"name": name} if name else {}
        claims |= {"admin": True} if admin else {}
        claims |= {"communities": {place: list(roles) for place, roles in communities.items()}} if communities else {}
        claims |= {"aud": self._policy.audience} if self._policy.audience else {}
        return jwt.encode(claims, self._policy.secret, SHARED_ALGORITHM)

    async def _key(self, token: str, algorithm: str) -> Any:
        # The key is chosen by the algorithm, so that a public key can never serve as an HMAC secret.
        if algorithm == SHARED_ALGORITHM:
            return self._policy.secret
        if algorithm in KEY_ALGORITHMS and self._policy.keys:
            return await self._policy.keys.key(token)
        raise UnauthenticatedError("The token is signed in a way that is not accepted here")

    def _decode(self, token: str, algorithm: str, key: Any) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._policy.audience,
                options={"require": ["sub"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.MissingRequiredClaimError as error:
            raise UnauthenticatedError(f"The token does not say its {error.claim}") from error
        except jwt.InvalidAudienceError as error:
            raise UnauthenticatedError("The token is meant for somebody else") from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise UnauthenticatedError("The token does not hold") from error

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock() / _SECOND_US
        if self._policy.require_exp and "exp" not in claims:
            raise UnauthenticatedError("The token does not say in exp when it ends")
        if _instant(claims, "exp", now) <= now - LEEWAY_SECONDS:
            raise UnauthenticatedError("The token has expired")
        if max(_instant(claims, "nbf", now), _instant(claims, "iat", now)) > now + LEEWAY_SECONDS:
            raise UnauthenticatedError("The token is not valid yet")


def ends_at_us(token: str) -> int | None:
    """When a token that was found to hold says it ends, in UTC microseconds; None when it does not say."""
    ends = jwt.decode(token, options={"verify_signature": False}).get("exp")
    return None if ends is None else round(ends * _SECOND_US)


def _algorithm(token: str) -> str:
    try:
        return str(jwt.get_unverified_header(token).get("alg"))
    except (jwt.PyJWTError, ValueError) as error:
        raise UnauthenticatedError("The token is not a JSON Web Token") from error


def _instant(claims: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = claims.get(name, otherwise)
    # NaN and infinity pass every comparison or none; they and numbers beyond any date are no instants.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LAST_SECOND:
        raise UnauthenticatedError(f"The token's {name} is not a number of seconds")
    return float(value)


def _principal(claims: Mapping[str, Any]) -> Principal:
    user_id, name, communities = claims["sub"], claims.get("name"), claims.get("communities") or {}
    if not 0 < len(user_id) <= _LONGEST_ID or not user_id.isprintable():
        raise UnauthenticatedError("The token's sub is empty, too long or not printable")
    if not isinstance(communities, dict):
        raise UnauthenticatedError("The token's communities are not an object of role lists")
    return Principal(
        user_id=user_id,
        name=str(name) if name else None,
        admin=claims.get("admin") is True,
        communities={str(key): _roles(roles) for key, roles in communities.items()},
        token_roles=_roles(claims.get("roles")),
        token_permissions=_permissions(claims.get("permissions") or []),
    )


def _permissions(value: Any) -> dict[str | None, frozenset[Permission]]:
    """A list holds everywhere, an object of lists by community. Names that nobody knows here mean nothing."""
    if isinstance(value, list):
        return {None: parse_permissions(value)}
    if not isinstance(value, dict):
        raise UnauthenticatedError("The token's permissions are neither a list nor an object of lists")
    return {str(key): parse_permissions(names) for key, names in value.items() if isinstance(names, list)}


def _roles(value: Any) -> tuple[str, ...]:
    return tuple(str(role) for role in value) if isinstance(value, list) else ()
