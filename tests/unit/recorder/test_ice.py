"""The rules of a publisher's place at the endpoint, without sockets."""

from __future__ import annotations

from lookback.recorder.ice import IDLE_TICKS, Address, IceSession, Route


class FakeSocket:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.routes: dict[Address, Route] = {}
        self.sent: list[tuple[bytes, Address]] = []

    def send(self, datagram: bytes, address: Address) -> None:
        self.sent.append((datagram, address))


class Place:
    """A session with its tables and two sockets."""

    def __init__(self) -> None:
        self.sessions: dict[bytes, IceSession] = {}
        self.sources: dict[bytes, IceSession] = {}
        self.session = IceSession(self.sessions, self.sources)
        self.socket, self.other_socket = FakeSocket(), FakeSocket()

    def prove(self, port: int, *, nominated: bool = False, ufrag: str | None = None) -> Route:
        route = self.session.add_route(self.socket, ("192.0.2.7", port))
        self.session.proved((ufrag or self.session.ufrag).encode(), route, nominated=nominated)
        return route

    def sent_to(self) -> list[int]:
        return [address[1] for _, address in self.socket.sent]


def test_nothing_is_sent_before_an_address_has_proved_itself() -> None:
    place = Place()
    place.session.send(b"hello")
    assert place.socket.sent == []
    assert not place.session.reached.is_set()


def test_the_first_proved_address_is_used_before_nomination() -> None:
    place = Place()
    place.prove(1)
    place.session.send(b"hello")
    assert place.sent_to() == [1]
    assert place.session.reached.is_set()


def test_a_nominated_address_takes_over_until_media_flows() -> None:
    place = Place()
    first = place.prove(1)
    second = place.prove(2, nominated=True)
    assert place.session.path is second
    place.session.media_on(first)
    place.prove(3, nominated=True)
    assert place.session.path is first


def test_the_path_follows_the_media() -> None:
    place = Place()
    place.session.media_on(place.prove(1))
    moved = place.session.add_route(place.other_socket, ("192.0.2.7", 9))
    place.session.media_on(moved)
    place.session.send(b"x")
    assert place.other_socket.sent == [(b"x", ("192.0.2.7", 9))]


def test_addresses_are_bounded_and_the_one_in_use_stays() -> None:
    place = Place()
    used = place.prove(0)
    for port in range(1, 100):
        place.prove(port)
    assert len(place.socket.routes) == 8
    assert used.address in place.socket.routes
    assert place.session.path is used


def test_an_unused_restart_does_not_pile_up_credentials() -> None:
    place = Place()
    first = place.session.ufrag
    for _ in range(10):
        place.session.restart()
    assert set(place.sessions) == {first.encode(), place.session.ufrag.encode()}


def test_old_credentials_work_until_the_new_ones_are_used() -> None:
    place = Place()
    old = place.session.ufrag
    place.session.restart()
    place.prove(1, ufrag=old)
    assert place.session.password_for_check(old.encode(), verified=True)
    place.prove(2)
    assert set(place.sessions) == {place.session.ufrag.encode()}


def test_guessing_passwords_is_limited_per_tick_and_does_not_lock_the_publisher_out() -> None:
    place = Place()
    ufrag = place.session.ufrag.encode()
    tries = 0
    while place.session.password_for_check(ufrag, verified=False):
        place.session.password_was_wrong(verified=False)
        tries += 1
    assert tries == 20
    assert place.session.password_for_check(ufrag, verified=True)
    place.session.tick()
    assert place.session.password_for_check(ufrag, verified=False)


def test_silence_is_reported_once() -> None:
    place = Place()
    told: list[str] = []
    place.session.on_silent = lambda: told.append("silent")
    for _ in range(IDLE_TICKS - 1):
        place.session.tick()
    place.session.heard = True
    for _ in range(IDLE_TICKS):
        place.session.tick()
    assert told == []
    for _ in range(3):
        place.session.tick()
    assert told == ["silent"]


def test_connectivity_checks_alone_keep_a_publisher() -> None:
    place = Place()
    told: list[str] = []
    place.session.on_silent = lambda: told.append("silent")
    route = place.prove(1)
    for _ in range(10 * IDLE_TICKS):
        place.session.proved(place.session.ufrag.encode(), route, nominated=False)
        place.session.tick()
    assert told == []


def test_a_publisher_is_lively_for_five_ticks() -> None:
    place = Place()
    place.session.heard = True
    lively = []
    for _ in range(7):
        lively.append(place.session.lively)
        place.session.tick()
    assert lively == [True] * 6 + [False]


def test_closing_leaves_nothing_behind() -> None:
    place = Place()
    other = IceSession(place.sessions, place.sources)
    place.prove(1)
    place.session.restart()
    place.session.own_source(b"abcd")
    other.own_source(b"efgh")
    place.session.close()
    place.session.send(b"x")
    assert place.socket.sent == []
    assert place.socket.routes == {}
    assert set(place.sessions) == {other.ufrag.encode()}
    assert place.sources == {b"efgh": other}


def test_an_ssrc_belongs_to_whoever_had_it_first() -> None:
    place = Place()
    other = IceSession(place.sessions, place.sources)
    place.session.own_source(b"abcd")
    other.own_source(b"abcd")
    assert place.sources[b"abcd"] is place.session
