/** What the page says about a buffer in a room. Pure. */

import type { RoomStatus } from "../api/types";
import type { PillWords } from "../app/Pill";
import type { Seen } from "./live";

type Buffers = RoomStatus["buffers"];

export function pillOf(running: Buffers, seen: Pick<Seen, "reconnecting">): PillWords {
  if (seen.reconnecting) return { label: "Reconnecting", tone: "wait" };
  if (running.some((one) => one.status === "recording")) return { label: "Buffering", tone: "live" };
  return running.length ? { label: "Starting", tone: "wait" } : { label: "Not buffered", tone: "still" };
}

/** Consent is visible: who is buffered, and that everybody is shown it. */
export function bufferSentence(running: Buffers, seen: Pick<Seen, "recording" | "sharing">): string {
  if (running.length === 0) {
    return seen.sharing
      ? "Nothing is kept of your share. Start a buffer, and its last minutes can be saved."
      : "Nothing is kept. Share a screen, start a buffer, and its last minutes can be saved.";
  }
  const who = [...new Set(running.map((one) => one.participantIdentity ?? one.userId))].join(", ");
  const flag = seen.recording ? " LiveKit shows everybody in the room that it is recorded." : "";
  return `The last minutes of ${who} are kept; only what is saved stays.${flag}`;
}
