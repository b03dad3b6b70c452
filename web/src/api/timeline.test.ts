import { describe, expect, it } from "vitest";

import { askAfter, mergeTimeline } from "./timeline";
import type { TimelinePart } from "./types";

const T0 = Date.parse("2026-03-10T20:00:00.000Z");
const iso = (seconds: number) => new Date(T0 + seconds * 1000).toISOString();

function segment(number: number, thumbnail = true): TimelinePart["segments"][number] {
  return {
    number,
    container: "mp4",
    mimeType: 'video/mp4; codecs="avc3.42c01f,opus"',
    runId: "a",
    start: iso(number * 10),
    end: iso(number * 10 + 10),
    sizeBytes: 1000,
    initSize: 10,
    mediaUrl: `/media/${number}`,
    thumbnailUrl: thumbnail ? `/thumbnail/${number}` : null,
    fragments: [
      { offset: 10, size: 90, start: T0 + number * 10_000, end: T0 + number * 10_000 + 500 },
      { offset: 100, size: 0, start: T0 + number * 10_000 + 500, end: T0 + number * 10_000 + 1000 },
    ],
  };
}

const part = (from: number, until: number, segments: TimelinePart["segments"]): TimelinePart => ({
  sessionId: "s",
  now: iso(until),
  bufferedFrom: iso(from),
  bufferedUntil: iso(until),
  segments,
  gaps: [],
});

describe("a timeline in parts", () => {
  it("begins with everything", () => {
    expect(askAfter(undefined)).toBeNull();
    const all = mergeTimeline(undefined, part(0, 20, [segment(0), segment(1)]), null);
    expect(all.segments.map((one) => one.number)).toEqual([0, 1]);
    expect(all.segments[0]?.start).toBe(T0);
    expect(all.untilMs).toBe(T0 + 20_000);
  });

  it("replaces the open segment and appends new ones", () => {
    const known = mergeTimeline(undefined, part(0, 15, [segment(0), segment(1)]), null);
    const merged = mergeTimeline(known, part(0, 25, [segment(1), segment(2)]), 1);
    expect(merged.segments.map((one) => one.number)).toEqual([0, 1, 2]);
  });

  it("lets go of what left the buffer", () => {
    const known = mergeTimeline(undefined, part(0, 25, [segment(0), segment(1), segment(2)]), null);
    const merged = mergeTimeline(known, part(10, 35, [segment(2), segment(3)]), 2);
    expect(merged.segments.map((one) => one.number)).toEqual([1, 2, 3]);
  });

  it("knows nothing of another session's segments", () => {
    const known = mergeTimeline(undefined, { ...part(0, 25, [segment(0)]), sessionId: "other" }, null);
    expect(mergeTimeline(known, part(0, 25, [segment(1)]), 1).segments.map((one) => one.number)).toEqual([1]);
  });

  it("leaves out fragments without bytes: they only say that the picture stood still", () => {
    const all = mergeTimeline(undefined, part(0, 10, [segment(0)]), null);
    expect(all.segments[0]?.fragments).toHaveLength(1);
  });

  it("asks again for the thumbnail of a segment that just closed, but not for ever", () => {
    const list = [segment(1, false), segment(2), segment(3), segment(4, false), segment(5), segment(6, false)];
    expect(askAfter(mergeTimeline(undefined, part(0, 60, list), null))).toBe(4);
  });
});
