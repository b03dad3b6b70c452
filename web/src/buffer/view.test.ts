import { describe, expect, it } from "vitest";

import type { Segment } from "../api/types";
import { bytesIn, fractionOf, instantAt, rateOf, ticksOf, tilesOf, viewOf } from "./view";

const MINUTE = 60_000;
const T0 = new Date(2026, 2, 10, 20, 5, 0).getTime();

function segment(number: number, thumbnailUrl: string | null = `/t/${number}`): Segment {
  const start = T0 + number * 10_000;
  const fragments = Array.from({ length: 10 }, (_, i) => ({
    offset: i * 1000,
    size: 1000,
    start: start + i * 1000,
    end: start + (i + 1) * 1000,
  }));
  return {
    number,
    container: "mp4",
    mimeType: "video/mp4",
    runId: "a",
    start,
    end: start + 10_000,
    sizeBytes: 10_000,
    initSize: 0,
    mediaUrl: "",
    thumbnailUrl,
    fragments,
  };
}

describe("the scale", () => {
  it("grows in steps, so that a growing buffer does not move", () => {
    expect(viewOf(T0, T0 + 30_000)).toEqual({ startMs: T0, spanMs: MINUTE });
    expect(viewOf(T0, T0 + 90_000)).toEqual({ startMs: T0, spanMs: 2 * MINUTE });
    expect(viewOf(T0, T0 + 9 * MINUTE)).toEqual({ startMs: T0, spanMs: 10 * MINUTE });
  });

  it("of a full buffer runs with the clock instead of flapping", () => {
    const view = viewOf(T0, T0 + 10 * MINUTE + 8000);
    expect(view).toEqual({ startMs: T0 + 8000, spanMs: 10 * MINUTE });
  });

  it("maps instants and places both ways", () => {
    const view = { startMs: T0, spanMs: 10 * MINUTE };
    expect(fractionOf(view, T0 + 5 * MINUTE)).toBe(0.5);
    expect(fractionOf(view, T0 - 1)).toBe(0);
    expect(instantAt(view, 0.5)).toBe(T0 + 5 * MINUTE);
    expect(instantAt(view, 7)).toBe(T0 + 10 * MINUTE);
  });

  it("has labels at round local times", () => {
    expect(ticksOf({ startMs: T0 + 1, spanMs: 10 * MINUTE }, 12).map((tick) => tick.label)).toEqual(
      "20:06 20:07 20:08 20:09 20:10 20:11 20:12 20:13 20:14 20:15".split(" "),
    );
    expect(ticksOf({ startMs: T0 + 1, spanMs: MINUTE }, 5).map((tick) => tick.label)).toEqual(
      "20:05:15 20:05:30 20:05:45 20:06:00".split(" "),
    );
  });
});

describe("the film", () => {
  const view = { startMs: T0, spanMs: MINUTE };

  it("covers what is recorded and nothing else", () => {
    const tiles = tilesOf([segment(0), segment(1), segment(2)], view, 1000, 72);
    expect(tiles[0]?.left).toBe(0);
    const last = tiles.at(-1);
    expect((last?.left ?? 0) + (last?.width ?? 0)).toBeCloseTo(0.5);
  });

  it("shows the picture before when there is none yet", () => {
    const tiles = tilesOf([segment(0), segment(1, null)], view, 1000, 72);
    expect(tiles.at(-1)?.url).toBe("/t/0");
  });

  it("leaves holes open", () => {
    const tiles = tilesOf([segment(0), segment(4)], view, 1000, 72);
    expect(tiles.some((tile) => tile.left > 0.2 && tile.left < 0.5)).toBe(false);
  });
});

describe("bytes", () => {
  it("are counted to the part of a fragment", () => {
    expect(bytesIn([segment(0)], T0 + 500, T0 + 2500)).toBe(2000);
    expect(bytesIn([segment(0)], T0 - 10, T0)).toBe(0);
  });

  it("per second make the bitrate", () => {
    expect(rateOf([segment(0), segment(1)], T0 + 20_000)).toBe(8000);
    expect(rateOf([segment(0)], T0 + 200)).toBeNull();
    expect(rateOf([], null)).toBeNull();
  });
});
