from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lookback.media.virtual import ByteRange, Piece, VirtualFile, piece_size

FILES = [bytes(range(256)) * 2, bytes(reversed(range(256))) * 2]

ranges = st.builds(ByteRange, st.integers(0, 1), st.integers(0, 256), st.integers(0, 256))
pieces = st.lists(st.one_of(st.binary(max_size=20), ranges), max_size=12)


def content(parts: list[Piece]) -> bytes:
    return b"".join(FILES[p.segment][p.offset : p.offset + p.length] if isinstance(p, ByteRange) else p for p in parts)


@given(pieces, st.integers(-10, 3000), st.integers(-10, 3000))
def test_a_slice_is_what_slicing_the_bytes_gives(parts: list[Piece], start: int, stop: int) -> None:
    file = VirtualFile.of(parts)
    whole = content(parts)
    assert file.size == len(whole)
    assert content(list(file.slices(start, stop))) == whole[max(start, 0) : max(stop, 0)]


@given(pieces)
def test_no_piece_is_empty_and_neighbours_are_joined(parts: list[Piece]) -> None:
    file = VirtualFile.of(parts)
    assert all(piece_size(piece) for piece in file.pieces)
    for before, after in zip(file.pieces, file.pieces[1:], strict=False):
        if isinstance(before, ByteRange) and isinstance(after, ByteRange):
            assert (before.segment, before.offset + before.length) != (after.segment, after.offset)
        else:
            assert isinstance(before, ByteRange) or isinstance(after, ByteRange)


def test_an_empty_file_has_no_slices() -> None:
    assert VirtualFile.of([b"", ByteRange(0, 5, 0)]).size == 0
    assert list(VirtualFile(()).slices(0, 10)) == []


def test_ranges_are_joined_over_nothing() -> None:
    parts: list[Piece] = [ByteRange(0, 0, 5), b"", ByteRange(0, 5, 0), ByteRange(0, 5, 5), b"a", b"", b"b"]
    assert VirtualFile.of(parts).pieces == (ByteRange(0, 0, 10), b"ab")
