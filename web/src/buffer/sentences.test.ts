import { describe, expect, it } from "vitest";

import type { Clip, Session, TimelineGap } from "../api/types";
import { gapQuestion, gapTitle, pickSession, savedSentence, stateSentence } from "./sentences";

const T0 = new Date(2026, 2, 10, 20, 14, 0).getTime();
const iso = (ms: number) => new Date(ms).toISOString();

const session = (more: Partial<Session>): Session => ({
  sessionId: "s",
  roomName: "demo",
  communityId: null,
  userId: "u",
  participantIdentity: null,
  source: "whip",
  status: "recording",
  reason: null,
  startedAt: iso(T0),
  endedAt: null,
  drainsAt: null,
  bufferedFrom: null,
  bufferedUntil: null,
  bufferedSeconds: 0,
  window: { promisedSeconds: 600, availableSeconds: 0, shortenedBy: null },
  sizeBytes: 0,
  video: null,
  audio: null,
  gaps: [],
  ...more,
});

function clip(requested: [number, number], delivered: [number, number]): Clip {
  const interval = ([start, end]: [number, number]) => ({ start: iso(T0 + start), end: iso(T0 + end) });
  return {
    requested: interval(requested),
    delivered: interval(delivered),
    durationSeconds: (delivered[1] - delivered[0]) / 1000,
  } as Clip;
}

describe("a saved clip", () => {
  it("says how long it took and where it ends", () => {
    const saved = clip([-60_000, 0], [-60_400, -400]);
    const press = { tookMs: 12.3, upToNow: true };
    expect(savedSentence(saved, press)).toBe("Clip saved in 12 ms. It ends 0.4 s before you pressed.");
  });

  it("says when less was there than asked for", () => {
    const saved = clip([-600_000, 0], [-42_000, 0]);
    expect(savedSentence(saved, { tookMs: 9, upToNow: true })).toBe("Clip saved in 9 ms. Only 42 s were buffered.");
  });

  it("of a fixed range says its length", () => {
    const saved = clip([0, 27_000], [0, 27_000]);
    expect(savedSentence(saved, { tookMs: null, upToNow: false })).toBe("Clip saved. 27 s, exact to the frame.");
  });
});

describe("every state has its sentence", () => {
  it("stopped: until when it is kept", () => {
    const sentence = stateSentence(session({ status: "draining", drainsAt: iso(T0 + 11 * 60_000) }));
    expect(sentence).toBe("Stopped. The last minutes can still be saved; they are kept until 20:25.");
  });

  it("failed: why", () => {
    const sentence = stateSentence(session({ status: "failed", reason: "Nobody is sharing a screen in this room" }));
    expect(sentence).toBe("Nothing was recorded: nobody is sharing a screen in this room.");
  });

  it("recording: nothing to add, unless something is wrong", () => {
    expect(stateSentence(session({}))).toBeNull();
    expect(stateSentence(session({ reason: "The disk is full" }))).toBe("The disk is full.");
  });
});

describe("gaps", () => {
  const gap: TimelineGap = { startMs: T0, endMs: T0 + 6000, track: "all", cause: "reconnect" };

  it("have a title with the cause in words", () => {
    expect(gapTitle(gap)).toBe("6 s at 20:14:00: the share was interrupted");
    expect(gapTitle({ ...gap, track: "audio", cause: "loss" })).toContain("without sound");
  });

  it("are asked about before they go into a clip", () => {
    expect(gapQuestion([gap])).toBe(
      "The range has 1 gap of 6 s (6 s at 20:14:00: the share was interrupted). The picture would hold still there.",
    );
  });
});

describe("which buffer to show", () => {
  const old = session({ sessionId: "old", status: "draining" });
  const running = session({ sessionId: "running" });
  const failed = session({ sessionId: "failed", status: "failed" });

  it("the chosen one, else the running one, else the newest", () => {
    expect(pickSession([old, running], "old")).toBe(old);
    expect(pickSession([failed, old, running], null)).toBe(running);
    expect(pickSession([failed, old], "gone")).toBe(failed);
    expect(pickSession([old, failed], null)).toBe(old);
    expect(pickSession([], null)).toBeUndefined();
  });
});
