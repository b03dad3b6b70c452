/** The timeline's scale: which stretch of time the film shows, its labels, its tiles. Pure; epoch milliseconds. */

import type { Segment } from "../api/types";
import { clock } from "../app/words";

/** The stretch `[startMs, startMs + spanMs)` that the whole width stands for. */
export interface View {
  startMs: number;
  spanMs: number;
}

const SPANS = [1, 2, 5, 10, 12, 15, 20, 30, 60, 120, 240].map((minutes) => minutes * 60_000);
/** A full buffer breathes by a segment; its scale must not flap between two spans. */
const TOLERANCE = 1.04;

/**
 * A growing buffer fills the width from the left, so that nothing moves; a full one runs with the clock.
 */
export function viewOf(fromMs: number, untilMs: number): View {
  const length = untilMs - fromMs;
  const spanMs = SPANS.find((span) => length <= span * TOLERANCE) ?? length;
  return { startMs: Math.max(fromMs, untilMs - spanMs), spanMs };
}

/** Where an instant stands, as a fraction of the width; outside the view it is clamped. */
export function fractionOf(view: View, ms: number): number {
  return Math.min(1, Math.max(0, (ms - view.startMs) / view.spanMs));
}

export function instantAt(view: View, fraction: number): number {
  return view.startMs + Math.min(1, Math.max(0, fraction)) * view.spanMs;
}

export interface Tick {
  ms: number;
  label: string;
}

const STEPS_SECONDS = [5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/** Labels at round local times, at most `most` of them. */
export function ticksOf(view: View, most: number): Tick[] {
  const wanted = view.spanMs / 1000 / Math.max(1, most);
  const step = (STEPS_SECONDS.find((one) => one >= wanted) ?? 3600) * 1000;
  const zone = new Date(view.startMs).getTimezoneOffset() * 60_000;
  const first = Math.ceil((view.startMs - zone) / step) * step + zone;
  const ticks: Tick[] = [];
  for (let ms = first; ms <= view.startMs + view.spanMs; ms += step) {
    ticks.push({ ms, label: clock(ms, { seconds: step < 60_000 }) });
  }
  return ticks;
}

export interface Tile {
  key: number;
  left: number;
  width: number;
  url: string | null;
}

const TILE_RATIO = 16 / 9;

/**
 * Pictures side by side over the recorded part. Tiles stand at fixed times, so a picture does not change under the eye.
 */
export function tilesOf(segments: readonly Segment[], view: View, width: number, height: number): Tile[] {
  const count = Math.max(1, Math.round(width / (height * TILE_RATIO)));
  const step = view.spanMs / count;
  const end = segments.at(-1)?.end ?? 0;
  const tiles: Tile[] = [];
  for (let n = Math.floor(view.startMs / step); n * step < Math.min(end, view.startMs + view.spanMs); n += 1) {
    const [from, to] = [Math.max(n * step, view.startMs), Math.min((n + 1) * step, end)];
    const shown = segmentAt(segments, (from + to) / 2);
    if (to <= from || !shown) continue;
    const [left, right] = [fractionOf(view, from), fractionOf(view, to)];
    tiles.push({ key: n, left, width: right - left, url: shown.thumbnailUrl ?? nearestPicture(segments, shown) });
  }
  return tiles;
}

function segmentAt(segments: readonly Segment[], ms: number): Segment | undefined {
  return segments.find((one) => one.start <= ms && ms < one.end);
}

/** The open segment has no picture yet: the one before it is the best guess within the same run. */
function nearestPicture(segments: readonly Segment[], segment: Segment): string | null {
  const before = segments.filter((one) => one.number < segment.number && one.runId === segment.runId);
  return before.findLast((one) => one.thumbnailUrl)?.thumbnailUrl ?? null;
}

/** Bytes recorded within the range, to the fragment. */
export function bytesIn(segments: readonly Segment[], startMs: number, endMs: number): number {
  let bytes = 0;
  for (const segment of segments) {
    if (segment.end <= startMs || segment.start >= endMs) continue;
    for (const one of segment.fragments) {
      const overlap = Math.min(one.end, endMs) - Math.max(one.start, startMs);
      if (overlap > 0) bytes += (one.size * overlap) / Math.max(1, one.end - one.start);
    }
  }
  return bytes;
}

const RATE_WINDOW_MS = 10_000;

/** Bits per second over the newest 10 s, or null when that is too little to tell. */
export function rateOf(segments: readonly Segment[], untilMs: number | null): number | null {
  const oldest = segments[0]?.start;
  if (untilMs === null || oldest === undefined) return null;
  const fromMs = Math.max(oldest, untilMs - RATE_WINDOW_MS);
  return untilMs - fromMs < 1000 ? null : (bytesIn(segments, fromMs, untilMs) * 8000) / (untilMs - fromMs);
}
