import { describe, expect, it } from "vitest";

import { ago, clock, gapSummary, ofLength, ofRate, ofSize, pictureSize, runningTime } from "./words";

const at = (h: number, m: number, s: number, ms = 0, day = 10) => new Date(2026, 2, day, h, m, s, ms).getTime();

describe("lengths", () => {
  it.each([
    [0.42, "0.4 s"],
    [6, "6 s"],
    [9.97, "10 s"],
    [59.6, "1 min"],
    [582, "9 min 42 s"],
    [600, "10 min"],
    [3720, "1 h 2 min"],
    [-3, "0 s"],
  ])("%f s is %s", (seconds, words) => expect(ofLength(seconds)).toBe(words));

  it.each([
    [60, "1:00"],
    [59.6, "1:00"],
    [727, "12:07"],
    [3723, "1:02:03"],
  ])("a clip of %f s runs %s", (seconds, words) => expect(runningTime(seconds)).toBe(words));
});

describe("sizes and rates", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [30_700_000, "29 MB"],
    [2_040_000_000, "1.9 GB"],
    [5 * 2 ** 30, "5 GB"],
    [2 ** 30 - 1, "1 GB"],
  ])("%i bytes are %s", (bytes, words) => expect(ofSize(bytes)).toBe(words));

  it("rates change their unit", () => {
    expect(ofRate(3_810_000)).toBe("3.8 Mbit/s");
    expect(ofRate(640_000)).toBe("640 kbit/s");
  });

  it("usual pictures have their usual names", () => {
    expect(pictureSize(1920, 1080)).toBe("1080p");
    expect(pictureSize(1280, 800)).toBe("1280 × 800");
    expect(pictureSize(700, 720)).toBe("700 × 720");
  });
});

describe("times", () => {
  it("a clock never shows an instant that has not come", () => {
    expect(clock(at(20, 14, 3, 999))).toBe("20:14:03");
    expect(clock(at(20, 14, 3, 299), { tenths: true })).toBe("20:14:03.2");
    expect(clock(at(20, 14, 59), { seconds: false })).toBe("20:14");
  });

  it("age is said as people say it", () => {
    const now = at(20, 0, 0);
    expect(ago(now - 20_000, now)).toBe("just now");
    expect(ago(now - 18 * 60_000, now)).toBe("18 min ago");
    expect(ago(at(9, 5, 0), now)).toBe("today, 09:05");
    expect(ago(at(23, 0, 0, 0, 9), now)).toBe("yesterday");
    expect(ago(at(23, 0, 0, 0, 6), now)).toBe("Fri");
  });
});

it("gaps are counted and added up", () => {
  expect(gapSummary([])).toBe("");
  expect(gapSummary([6])).toBe("1 gap of 6 s");
  expect(gapSummary([6, 8.2])).toBe("2 gaps, 14 s in all");
});
