"""Draw the generated screen share: a running clock, the frame's number, a barcode of it, and something that moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray

BACKGROUND = "#0f1216"
PANEL = "#171b21"
LINE = "#2a323c"
TEXT = "#e8ecf1"
DIM = "#93a0b0"
ACCENT = "#ffb224"

BARCODE_BITS = 16
DARK, BRIGHT = 16, 235  # luma of black and white, ITU-R BT.601 and BT.709
BEEP_US = 100_000

# Where things stand: from 0 at the left margin to 1 at the right one, and as a part of the height.
MARGIN = 0.12
LEFT, CENTRE, RIGHT = 0.0, 0.5, 1.0
HEAD_TOP, CLOCK_TOP, LABEL_TOP, RAIL_TOP = 0.22, 0.36, 0.64, 0.8


@dataclass(frozen=True, slots=True)
class Planes:
    """A picture as planar YUV 4:2:0: full luma, half chroma in both directions. Arrays of rows x columns, uint8."""

    y: NDArray[np.uint8]
    u: NDArray[np.uint8]
    v: NDArray[np.uint8]

    def put(self, tile: Planes, left: int, top: int) -> None:
        """Copy a tile in; `left` and `top` are even."""
        rows, columns = tile.y.shape
        self.y[top : top + rows, left : left + columns] = tile.y
        top, left, rows, columns = top // 2, left // 2, rows // 2, columns // 2
        self.u[top : top + rows, left : left + columns] = tile.u
        self.v[top : top + rows, left : left + columns] = tile.v

    def copy(self) -> Planes:
        """A picture of its own."""
        return Planes(self.y.copy(), self.u.copy(), self.v.copy())


def planes_of(image: Image.Image) -> Planes:
    """Convert an RGB image of even size to limited-range BT.709."""
    rgb = np.asarray(image, np.float32)
    # ITU-R BT.709-6, item 3.2 and the quantisation of item 3.4, for 8 bits
    y = rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    u = (rgb[..., 2] - y) / 1.8556
    v = (rgb[..., 0] - y) / 1.5748
    rows, columns = y.shape
    halves = [c.reshape(rows // 2, 2, columns // 2, 2).mean((1, 3)) * (224 / 255) + 128 for c in (u, v)]
    return Planes(_bytes(y * (219 / 255) + 16), _bytes(halves[0]), _bytes(halves[1]))


def draw_barcode(luma: NDArray[np.uint8], number: int) -> None:
    """Write the low 16 bits of `number` into the top 48/360 of the picture, bit b in the b-th sixteenth from the left.

    A set bit is a bright block with a dark margin, so that it survives scaling and coarse quantisation.
    """
    height, width = luma.shape
    luma[: 48 * height // 360] = DARK
    for bit in range(BARCODE_BITS):
        if number >> bit & 1:
            left, right = (bit * 40 + 2) * width // 640, (bit * 40 + 38) * width // 640
            luma[4 * height // 360 : 44 * height // 360, left:right] = BRIGHT


def read_barcode(luma: NDArray[np.uint8]) -> int:
    """The number that `draw_barcode` wrote into a decoded picture of any size."""
    height, width = luma.shape
    rows = luma[10 * height // 360 : 38 * height // 360]
    middle = (DARK + BRIGHT) // 2
    bits = (
        rows[:, (bit * 40 + 10) * width // 640 : (bit * 40 + 30) * width // 640].mean() > middle
        for bit in range(BARCODE_BITS)
    )
    return sum(1 << bit for bit, is_set in enumerate(bits) if is_set)


class Scene:
    """The picture of any frame. Only what moves is drawn again; `planes` is the canvas, valid until the next draw."""

    def __init__(self, width: int, height: int, canvas: Planes | None = None) -> None:
        self._size = (width, height)
        self._unit = _unit(width, height)
        self._static = planes_of(_backdrop(width, height))
        self.planes = canvas or self._static.copy()
        self.planes.put(self._static, 0, 0)
        self._shown: dict[tuple[int, int], Planes] = {}

    def draw(self, number: int, at_us: int) -> None:
        """Draw frame `number`, shown at `at_us` (UTC microseconds)."""
        instant = datetime.fromtimestamp(at_us // 1_000_000, UTC)
        clock = [*_styled(f"{instant:%H:%M:%S}.", 150, TEXT), *_styled(f"{at_us // 1000 % 1000:03d}", 150, ACCENT)]
        self._write(clock, CENTRE, CLOCK_TOP)
        self._write(_styled(f"{instant:%Y-%m-%d} UTC", 30, DIM), LEFT, LABEL_TOP)
        count = [*_styled("frame ", 30, DIM), *_styled(f"{number % 10**8:08d}", 30, TEXT)]
        self._write(count, RIGHT, LABEL_TOP)
        self._ball(at_us)
        self._put(_disc(_even(13 * self._unit), TEXT if at_us % 1_000_000 < BEEP_US else LINE), RIGHT, HEAD_TOP)
        draw_barcode(self.planes.y, number)

    def _write(self, text: list[tuple[str, int, str]], anchor: float, top: float) -> None:
        """Write characters; `anchor` says where in the line they stand and which side of them stands there."""
        tiles = [_glyph(character, max(8, round(size * self._unit)), colour) for character, size, colour in text]
        width = sum(tile.y.shape[1] for tile in tiles)
        x, y = self._place(anchor, width), _even(top * self._size[1])
        for tile in tiles:
            # Most characters are those of the picture before: tiles are cached, so the same tile is the same object.
            if self._shown.get((x, y)) is not tile:
                self.planes.put(tile, x, y)
                self._shown[x, y] = tile
            x += tile.y.shape[1]

    def _put(self, tile: Planes, anchor: float, top: float) -> None:
        self.planes.put(tile, self._place(anchor, tile.y.shape[1]), _even(top * self._size[1]))

    def _place(self, anchor: float, width: int) -> int:
        """Return the left edge of something `width` wide, between the margins."""
        return _even(MARGIN * self._size[0] + anchor * ((1 - 2 * MARGIN) * self._size[0] - width))

    def _ball(self, at_us: int) -> None:
        """A ball that swings across the picture every two seconds."""
        tile = _disc(_even(20 * self._unit), ACCENT)
        rail = self._window(LEFT, RIGHT, RAIL_TOP, tile.y.shape[0])
        self._put(rail, LEFT, RAIL_TOP)
        self._put(tile, (1 - math.cos(at_us % 2_000_000 / 1_000_000 * math.pi)) / 2, RAIL_TOP)

    def _window(self, left: float, right: float, top: float, rows: int) -> Planes:
        x, end, y = self._place(left, 0), self._place(right, 0), _even(top * self._size[1])
        half = np.s_[y // 2 : (y + rows) // 2, x // 2 : end // 2]
        return Planes(self._static.y[y : y + rows, x:end], self._static.u[half], self._static.v[half])


def _styled(text: str, size: int, colour: str) -> list[tuple[str, int, str]]:
    return [(character, size, colour) for character in text]


def _unit(width: int, height: int) -> float:
    """Size of everything, 1 for 1280x720."""
    return min(height / 720, width / 1280)


def _backdrop(width: int, height: int) -> Image.Image:
    """Everything that never changes."""
    image = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(image)
    unit = _unit(width, height)
    left, right = MARGIN * width, (1 - MARGIN) * width
    small, head = _font(round(26 * unit)), HEAD_TOP * height
    frame = [left - 50 * unit, 0.17 * height, right + 50 * unit, 0.94 * height]
    draw.rounded_rectangle(frame, 18 * unit, PANEL, LINE, max(1, round(2 * unit)))
    draw.arc([left, head - 4 * unit, left + 34 * unit, head + 30 * unit], 0, 290, ACCENT, max(2, round(5 * unit)))
    draw.text((left + 50 * unit, head + 13 * unit), "Lookback demo share", TEXT, small, anchor="lm")
    draw.text((right - 44 * unit, head + 13 * unit), "beep", DIM, small, anchor="rm")
    rail = RAIL_TOP * height + 20 * unit
    draw.line([left, rail, right, rail], LINE, max(1, round(3 * unit)))
    return image


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(max(size, 8))
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType")
    return font


@cache
def _glyph(character: str, size: int, colour: str) -> Planes:
    """One character on the panel's colour; digits are equally wide so that the clock does not dance."""
    font = _font(size)
    widest = max(font.getlength(digit) for digit in "0123456789")
    cell = widest if character.isdigit() else font.getlength(character)
    image = Image.new("RGB", (_even(cell + 2), _even(size * 1.3)), PANEL)
    ImageDraw.Draw(image).text((image.width / 2, 0), character, colour, font, anchor="ma")
    return planes_of(image)


@cache
def _disc(radius: int, colour: str) -> Planes:
    """A filled circle on the panel's colour, drawn four times too large for smooth edges."""
    image = Image.new("RGB", (8 * radius, 8 * radius), PANEL)
    ImageDraw.Draw(image).ellipse([4, 4, 8 * radius - 4, 8 * radius - 4], colour)
    return planes_of(image.resize((2 * radius, 2 * radius), Image.Resampling.LANCZOS))


def _even(value: float) -> int:
    return int(value) // 2 * 2


def _bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
