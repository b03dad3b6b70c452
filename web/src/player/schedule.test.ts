import { describe, expect, it } from "vitest";

import type { Segment } from "../api/types";
import {
  edgeOf,
  evictions,
  followEdge,
  isBuffered,
  jumpOver,
  keysIn,
  keysOf,
  type Needs,
  nextPiece,
  stalledAt,
} from "./schedule";

/** A segment of 10 s: 20 fragments of 500 ms and 100 bytes behind a header of 50. */
function segment(number: number, startMs = number * 10_000, count = 20): Segment {
  const fragments = Array.from({ length: count }, (_, i) => ({
    offset: 50 + i * 100,
    size: 100,
    start: startMs + i * 500,
    end: startMs + (i + 1) * 500,
  }));
  return {
    number,
    container: "mp4",
    mimeType: "video/mp4",
    runId: "a",
    start: startMs,
    end: startMs + count * 500,
    sizeBytes: 50 + count * 100,
    initSize: 50,
    mediaUrl: `/media/${number}`,
    thumbnailUrl: null,
    fragments,
  };
}

const SEGMENTS = [segment(0), segment(1), segment(2)];

const needs = (more: Partial<Needs>): Needs => ({
  segments: SEGMENTS,
  have: new Set(),
  cursor: null,
  positionMs: 0,
  aheadMs: 2000,
  maxBytes: 10_000,
  ...more,
});

const firstOf = (number: number, count: number) =>
  Array.from({ length: count }, (_, i) => `${number}:${50 + i * 100}`);

describe("what to fetch next", () => {
  it("enters a segment at its beginning, header and all", () => {
    const piece = nextPiece(needs({ positionMs: 14_000 }));
    expect(piece).toMatchObject({ first: 0, from: 0, fresh: true, segment: { number: 1 } });
    expect(piece?.to).toBe(50 + 13 * 100); // to 2 s past 14 s, the fragment that begins there included
  });

  it("goes on in the middle right behind what was appended last", () => {
    const have = new Set(firstOf(1, 13));
    const piece = nextPiece(needs({ positionMs: 15_000, have, cursor: { segment: 1, next: 13 } }));
    expect(piece).toMatchObject({ first: 13, from: 50 + 1300, fresh: false });
  });

  it("starts the segment over when something else was appended meanwhile", () => {
    const have = new Set(firstOf(1, 13));
    const piece = nextPiece(needs({ positionMs: 15_000, have, cursor: { segment: 2, next: 4 } }));
    expect(piece).toMatchObject({ first: 0, from: 0, fresh: true });
    expect(piece?.last).toBeGreaterThan(13);
  });

  it("goes on with the next segment", () => {
    const have = new Set([...firstOf(0, 20)]);
    const piece = nextPiece(needs({ positionMs: 9000, have, cursor: { segment: 0, next: 20 } }));
    expect(piece).toMatchObject({ fresh: true, segment: { number: 1 } });
  });

  it("wants nothing when enough is there, nor at the very edge", () => {
    expect(nextPiece(needs({ positionMs: 500, have: new Set(firstOf(0, 20)) }))).toBeNull();
    expect(nextPiece(needs({ positionMs: 30_000 }))).toBeNull();
    expect(nextPiece(needs({ segments: [] }))).toBeNull();
  });

  it("keeps requests bounded but always moves on", () => {
    const piece = nextPiece(needs({ positionMs: 0, aheadMs: 9000, maxBytes: 450 }));
    expect(piece?.last).toBe(4);
    expect(nextPiece(needs({ positionMs: 0, maxBytes: 1 }))?.last).toBe(1);
  });

  it("a piece knows its fragments", () => {
    const piece = nextPiece(needs({ positionMs: 0, aheadMs: 0 }));
    expect(piece && keysOf(piece)).toEqual(["0:50"]);
  });
});

describe("what to keep", () => {
  it("drops what is far behind and far ahead", () => {
    expect(evictions([{ start: 0, end: 100 }], 60, 30, 20)).toEqual([
      { start: 0, end: 30 },
      { start: 80, end: 100 },
    ]);
    expect(evictions([{ start: 35, end: 70 }], 60, 30, 20)).toEqual([]);
    expect(evictions([{ start: 0, end: 10 }], 60, 30, 20)).toEqual([{ start: 0, end: 10 }]);
  });

  it("names the fragments that go with it", () => {
    expect(keysIn(SEGMENTS, { start: 9600, end: 10_400 })).toEqual(["0:1950", "1:50"]);
  });
});

describe("holes", () => {
  const have = new Set([...firstOf(0, 20), ...firstOf(2, 20)]);

  it("jumps over a gap between runs", () => {
    const segments = [segment(0), segment(2)];
    const stall = {
      segments,
      have,
      buffered: [
        { start: 0, end: 10_000 },
        { start: 20_000, end: 30_000 },
      ],
      positionMs: 10_000,
    };
    expect(jumpOver(stall)).toBe(20_000);
  });

  it("goes to where there will be something when it is not fetched yet", () => {
    const segments = [segment(0), segment(2)];
    expect(jumpOver({ segments, have: new Set(firstOf(0, 20)), buffered: [], positionMs: 10_000 })).toBe(20_000);
  });

  it("waits for what is still to come", () => {
    expect(jumpOver({ segments: [segment(0)], have: new Set(), buffered: [], positionMs: 4000 })).toBeNull();
    expect(jumpOver({ segments: [segment(0)], have, buffered: [], positionMs: 10_000 })).toBeNull();
  });

  it("skips what was fetched and gave no picture", () => {
    const buffered = [
      { start: 0, end: 4000 },
      { start: 6000, end: 10_000 },
    ];
    expect(jumpOver({ segments: [segment(0)], have, buffered, positionMs: 4000 })).toBe(6000);
  });

  it("the end of a range shows nothing", () => {
    expect(isBuffered([{ start: 1000, end: 4000 }], 4000)).toBe(false);
    expect(isBuffered([{ start: 1000, end: 4000 }], 950)).toBe(true);
  });

  it("begin a little before the end of a range when the element starves there", () => {
    const buffered = [{ start: 1000, end: 4000 }];
    expect(stalledAt(buffered, 3940, false)).toBeNull();
    expect(stalledAt(buffered, 3940, true)).toBeGreaterThan(4000);
    expect(stalledAt(buffered, 2000, true)).toBeNull();
    expect(stalledAt(buffered, 5000, false)).toBe(5000);
  });

  it("are not where the next bytes are just late", () => {
    const buffered = [{ start: 0, end: 4000 }];
    const positionMs = stalledAt(buffered, 3940, true) ?? 0;
    const arrived = new Set(firstOf(0, 8));
    expect(jumpOver({ segments: [segment(0)], have: arrived, buffered, positionMs })).toBeNull();
  });
});

describe("the live edge", () => {
  it("is the end of the newest fragment", () => {
    expect(edgeOf(SEGMENTS)).toBe(30_000);
    expect(edgeOf([segment(0), { ...segment(1), fragments: [] }])).toBe(10_000);
    expect(edgeOf([])).toBeNull();
  });

  it("is followed without anybody hearing it, and jumped to from afar", () => {
    expect(followEdge(1000)).toEqual({ seek: false, rate: 1 });
    expect(followEdge(2000)).toEqual({ seek: false, rate: 1.08 });
    expect(followEdge(200)).toEqual({ seek: false, rate: 0.96 });
    expect(followEdge(9000)).toEqual({ seek: true, rate: 1 });
    expect(followEdge(-2000).seek).toBe(true);
  });
});
