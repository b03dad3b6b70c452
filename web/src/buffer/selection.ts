/** What would be saved: the last seconds (it moves with the clock) or a fixed range. Pure; epoch milliseconds. */

import type { Range } from "../api/types";

export const PRESETS = [
  { seconds: 30, label: "30 s" },
  { seconds: 60, label: "1 min" },
  { seconds: 120, label: "2 min" },
  { seconds: 300, label: "5 min" },
  { seconds: 600, label: "10 min" },
] as const;

export const POST_ROLL_SECONDS = 10;
const SHORTEST_MS = 200;

/** What there is to select from. */
export interface Bounds {
  fromMs: number;
  untilMs: number;
}

export const lastSeconds = (seconds: number): Range => ({ kind: "last", seconds });

/** The instants that a selection stands for right now, within what is there. */
export function resolve(range: Range, { fromMs, untilMs }: Bounds): { startMs: number; endMs: number } {
  if (range.kind === "last") return { startMs: Math.max(fromMs, untilMs - range.seconds * 1000), endMs: untilMs };
  const startMs = clamp(range.startMs, fromMs, untilMs);
  return { startMs, endMs: clamp(range.endMs, startMs, untilMs) };
}

export type Side = "start" | "end";

/** Move one end; it pushes no further than the other end, and never out of the buffer. */
export function moveSide(range: Range, side: Side, toMs: number, bounds: Bounds): Range {
  const { startMs, endMs } = resolve(range, bounds);
  return side === "start"
    ? { kind: "range", startMs: clamp(toMs, bounds.fromMs, endMs - SHORTEST_MS), endMs }
    : { kind: "range", startMs, endMs: clamp(toMs, startMs + SHORTEST_MS, bounds.untilMs) };
}

/** Set in or out at the playhead: unlike a dragged handle, it may pass the other end, which then goes to the edge. */
export function markAt(range: Range, side: Side, atMs: number, bounds: Bounds): Range {
  const { startMs, endMs } = resolve(range, bounds);
  const at = clamp(atMs, bounds.fromMs, bounds.untilMs);
  if (side === "start") return spread(at, at < endMs - SHORTEST_MS ? endMs : bounds.untilMs, bounds);
  return spread(at > startMs + SHORTEST_MS ? startMs : bounds.fromMs, at, bounds);
}

/** A new range between two points of a drag, in either direction. */
export function spread(aMs: number, bMs: number, { fromMs, untilMs }: Bounds): Range {
  const [low, high] = aMs < bMs ? [aMs, bMs] : [bMs, aMs];
  const startMs = clamp(low, fromMs, untilMs - SHORTEST_MS);
  return { kind: "range", startMs, endMs: clamp(high, startMs + SHORTEST_MS, untilMs) };
}

/** A fixed range whose beginning has left the buffer shrinks; one that left as a whole is gone. */
export function survives(range: Range, bounds: Bounds): boolean {
  return range.kind === "last" || range.endMs > bounds.fromMs + SHORTEST_MS;
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, Math.max(low, high)));
}
