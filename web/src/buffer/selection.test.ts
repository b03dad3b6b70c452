import { describe, expect, it } from "vitest";

import type { Range } from "../api/types";
import { lastSeconds, markAt, moveSide, resolve, spread, survives } from "./selection";

const BOUNDS = { fromMs: 100_000, untilMs: 200_000 };
const range = (startMs: number, endMs: number): Range => ({ kind: "range", startMs, endMs });

describe("a selection", () => {
  it("of the last seconds runs with the clock, and is what there is", () => {
    expect(resolve(lastSeconds(30), BOUNDS)).toEqual({ startMs: 170_000, endMs: 200_000 });
    expect(resolve(lastSeconds(600), BOUNDS)).toEqual({ startMs: 100_000, endMs: 200_000 });
  });

  it("of a range stays, and shrinks when its beginning leaves the buffer", () => {
    expect(resolve(range(90_000, 120_000), BOUNDS)).toEqual({ startMs: 100_000, endMs: 120_000 });
    expect(survives(range(90_000, 120_000), BOUNDS)).toBe(true);
    expect(survives(range(80_000, 90_000), BOUNDS)).toBe(false);
    expect(survives(lastSeconds(30), BOUNDS)).toBe(true);
  });

  it("becomes a range when a handle moves, and never turns inside out", () => {
    expect(moveSide(lastSeconds(30), "start", 150_000, BOUNDS)).toEqual(range(150_000, 200_000));
    expect(moveSide(range(120_000, 130_000), "start", 500_000, BOUNDS)).toEqual(range(129_800, 130_000));
    expect(moveSide(range(120_000, 130_000), "end", 0, BOUNDS)).toEqual(range(120_000, 120_200));
    expect(moveSide(range(120_000, 130_000), "end", 900_000, BOUNDS)).toEqual(range(120_000, 200_000));
  });

  it("marked past its other end goes to the edge on that side", () => {
    expect(markAt(range(120_000, 130_000), "start", 150_000, BOUNDS)).toEqual(range(150_000, 200_000));
    expect(markAt(range(120_000, 130_000), "end", 110_000, BOUNDS)).toEqual(range(100_000, 110_000));
    expect(markAt(lastSeconds(30), "start", 190_000, BOUNDS)).toEqual(range(190_000, 200_000));
  });

  it("is dragged in either direction, within the buffer", () => {
    expect(spread(150_000, 120_000, BOUNDS)).toEqual(range(120_000, 150_000));
    expect(spread(0, 900_000, BOUNDS)).toEqual(range(100_000, 200_000));
  });
});
