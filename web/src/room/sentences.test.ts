import { expect, it } from "vitest";

import type { RoomStatus } from "../api/types";
import { bufferSentence, pillOf } from "./sentences";

const buffer = (status: "recording" | "starting", userId = "alice"): RoomStatus["buffers"][number] => ({
  userId,
  participantIdentity: null,
  since: "2026-11-25T01:00:00Z",
  status,
});

it("the pill says whether the room is buffered", () => {
  expect(pillOf([], { reconnecting: false }).label).toBe("Not buffered");
  expect(pillOf([buffer("starting")], { reconnecting: false }).label).toBe("Starting");
  expect(pillOf([buffer("starting"), buffer("recording")], { reconnecting: false }).tone).toBe("live");
  expect(pillOf([buffer("recording")], { reconnecting: true }).label).toBe("Reconnecting");
});

it("everybody is told who is buffered", () => {
  const said = bufferSentence([buffer("recording"), buffer("recording", "bob")], { recording: true, sharing: false });
  expect(said).toContain("alice, bob");
  expect(said).toContain("shows everybody");
  expect(bufferSentence([], { recording: false, sharing: true })).toContain("Nothing is kept of your share");
});
