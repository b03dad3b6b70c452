import { expect, it } from "vitest";

import { GB } from "../app/words";
import { countsOf, disksOf, goneOf, lagOf, shortenedSentence, sourceOf, stateOf, verdictOf } from "./sentences";

const disk = (name: "buffer" | "storage", free: number) => ({
  name,
  freeBytes: free * GB,
  totalBytes: 100 * GB,
  floorBytes: 2 * GB,
});

it("says where a share comes from, and what it is as far as that is known", () => {
  const video = { codec: "h264", width: 1920, height: 1080 };
  expect(sourceOf({ source: "livekit", video })).toBe("LiveKit, H.264 1080p");
  expect(sourceOf({ source: "whip", video: { ...video, width: null } })).toBe("WHIP, H.264");
  expect(sourceOf({ source: "synthetic", video: null })).toBe("Demo");
});

it("says why a session is as it is", () => {
  expect(stateOf({ status: "recording", reason: null })).toBe("recording");
  expect(stateOf({ status: "failed", reason: "No picture came" })).toBe("failed: No picture came");
});

it("counts sessions by state, in the order they come", () => {
  const sessions = (["recording", "failed", "recording"] as const).map((status) => ({ status }));
  expect(countsOf(sessions, false)).toBe("2 recording · 1 failed");
  expect(countsOf(sessions, true)).toBe("newest 3: 2 recording · 1 failed");
  expect(countsOf([], false)).toBe("");
});

it("tells a session that is not recorded from one of which nothing is known", () => {
  expect(lagOf({ recorded: "yes", lagSeconds: 0 })).toBe("0 s");
  expect(lagOf({ recorded: "no", lagSeconds: null })).toBe("not recorded");
  expect(lagOf({ recorded: "unknown", lagSeconds: null })).toBe("not known");
});

it.each<[("ok" | "warning" | "broken")[], string]>([
  [["ok", "ok"], "All is well"],
  [["warning", "ok"], "1 to mind"],
  [["broken", "warning", "broken"], "2 broken, 1 to mind"],
])("%s: %s", (levels, said) =>
  expect(verdictOf({ findings: levels.map((level) => ({ id: "x", level, sentence: "", todo: null })) })).toBe(said),
);

it("names two disks, and one that is both", () => {
  expect(disksOf({ disks: [disk("buffer", 10), disk("storage", 20)] }).map((one) => one.name)).toEqual([
    "Buffer disk",
    "Clip disk",
  ]);
  expect(disksOf({ disks: [disk("buffer", 10), disk("storage", 10)] })).toEqual([
    { name: "Disk", free: "10 GB free", rest: "of 100 GB, 2 GB stay free" },
  ]);
});

it("says what goes and why", () => {
  expect(goneOf({ segments: 0, sizeBytes: 0, reasons: [] })).toBe("nothing");
  const reasons = [{ reason: "age" as const, segments: 1, sizeBytes: GB }];
  expect(goneOf({ segments: 1, sizeBytes: GB, reasons })).toBe("1 segment, 1 GB: 1 older than is kept");
});

it("says when less is kept than was promised", () => {
  expect(shortenedSentence({ shortenedSessions: 0, shortestWindowSeconds: null })).toBeNull();
  expect(shortenedSentence({ shortenedSessions: 2, shortestWindowSeconds: 460 })).toBe(
    "2 buffers reach less far back than was promised, the shortest 7 min 40 s.",
  );
});
