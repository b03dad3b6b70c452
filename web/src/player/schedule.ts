/**
 * What a player should fetch, drop or skip next. Pure; epoch milliseconds on the timeline, seconds in media ranges.
 *
 * A segment starts with a key frame, its fragments need not. So a decoder enters a segment only at its beginning, and
 * goes on in the middle only right behind what it was given last (the cursor).
 */

import type { Fragment, Segment } from "../api/types";

/** Where the last append ended: the next fragment of that segment can follow without anything before it. */
export interface Cursor {
  segment: number;
  next: number;
}

/** Fragments `[first, last)` of one segment, in one request: bytes `[from, to)`. `fresh`: begins with the header. */
export interface Piece {
  segment: Segment;
  first: number;
  last: number;
  from: number;
  to: number;
  fresh: boolean;
}

export interface Span {
  start: number;
  end: number;
}

export interface Needs {
  segments: readonly Segment[];
  have: ReadonlySet<string>;
  cursor: Cursor | null;
  positionMs: number;
  aheadMs: number;
  maxBytes: number;
}

export const keyOf = (segment: Segment, fragment: Fragment) => `${segment.number}:${fragment.offset}`;

/** The next bytes to fetch, or null when everything up to `aheadMs` past the position is there. */
export function nextPiece(needs: Needs): Piece | null {
  const horizon = needs.positionMs + needs.aheadMs;
  for (const segment of needs.segments) {
    if (segment.end <= needs.positionMs) continue;
    if (segment.start > horizon) return null;
    const missing = segment.fragments.findIndex(
      (one) => one.end > needs.positionMs && one.start <= horizon && !needs.have.has(keyOf(segment, one)),
    );
    if (missing >= 0) return pieceFrom(segment, missing, horizon, needs);
  }
  return null;
}

function pieceFrom(segment: Segment, missing: number, horizon: number, needs: Needs): Piece {
  const follows = needs.cursor?.segment === segment.number && needs.cursor.next === missing;
  const first = follows ? missing : 0;
  const from = first === 0 ? 0 : (segment.fragments[first]?.offset ?? 0);
  let last = first;
  let to = from;
  for (const fragment of segment.fragments.slice(first)) {
    const end = fragment.offset + fragment.size;
    const wanted = last <= missing || (fragment.start <= horizon && !needs.have.has(keyOf(segment, fragment)));
    if (!wanted || (last > first && end - from > needs.maxBytes)) break;
    [last, to] = [last + 1, end];
  }
  return { segment, first, last, from, to, fresh: first === 0 };
}

/** The keys of a piece's fragments. */
export function keysOf(piece: Piece): string[] {
  return piece.segment.fragments.slice(piece.first, piece.last).map((one) => keyOf(piece.segment, one));
}

/** Which keys of fragments lie (partly) in the span of epoch milliseconds. */
export function keysIn(segments: readonly Segment[], span: Span): string[] {
  return segments
    .filter((segment) => segment.end > span.start && segment.start < span.end)
    .flatMap((segment) =>
      segment.fragments
        .filter((one) => one.end > span.start && one.start < span.end)
        .map((one) => keyOf(segment, one)),
    );
}

/** What to remove so that only `behind` and `ahead` seconds around the position stay. Seconds. */
export function evictions(buffered: readonly Span[], position: number, behind: number, ahead: number): Span[] {
  const keep = { start: position - behind, end: position + ahead };
  return buffered.flatMap((range) => [
    ...(range.start < keep.start - 1 ? [{ start: range.start, end: Math.min(range.end, keep.start) }] : []),
    ...(range.end > keep.end + 1 ? [{ start: Math.max(range.start, keep.end), end: range.end }] : []),
  ]);
}

/** A frame may begin a little after its fragment says; closer than this counts as there. */
const TOUCH_MS = 120;
/** A range's very end shows nothing. */
const END_MS = 10;
/** Chromium stops so far before the end of a range (measured: 60 ms, when its sound runs out). */
const STARVES_MS = 300;

/** Whether a picture can be shown at the position. */
export function isBuffered(buffered: readonly Span[], positionMs: number): boolean {
  return rangeAt(buffered, positionMs) !== undefined;
}

function rangeAt(buffered: readonly Span[], positionMs: number): Span | undefined {
  return buffered.find((range) => range.start - TOUCH_MS <= positionMs && positionMs < range.end - END_MS);
}

/**
 * The instant from which on there is nothing to play, or null while there is. `starving`: the element waits for data.
 */
export function stalledAt(buffered: readonly Span[], positionMs: number, starving: boolean): number | null {
  const range = rangeAt(buffered, positionMs);
  if (!range) return positionMs;
  return starving && range.end - positionMs < STARVES_MS ? range.end + TOUCH_MS : null;
}

export interface Stall {
  segments: readonly Segment[];
  have: ReadonlySet<string>;
  /** Epoch milliseconds, like the position. */
  buffered: readonly Span[];
  positionMs: number;
}

/**
 * Where to go on when nothing can be shown at the position: the instant behind the hole, or null to wait.
 *
 * What is still to be fetched is waited for. What was fetched and gave no picture is a hole (lost or still pictures).
 */
export function jumpOver(stall: Stall): number | null {
  const { segments, have, buffered, positionMs } = stall;
  const later = segments.flatMap((segment) =>
    segment.fragments.filter((one) => one.end > positionMs).map((one) => ({ ...one, key: keyOf(segment, one) })),
  );
  const missing = later.find((one) => !have.has(one.key));
  const picture = buffered.find((range) => range.start > positionMs)?.start ?? Infinity;
  if (missing && missing.start <= positionMs) return null;
  const target = Math.min(picture, missing?.start ?? Infinity);
  return Number.isFinite(target) ? target : null;
}

/** Keep this far behind the newest fragment: it takes a poll and a request until the next one is here. */
export const LIVE_LAG_MS = 1000;
const LIVE_LOST_MS = 4500;

/** How to stay at the live edge: a new position when far off, else a playback rate nobody hears. */
export function followEdge(behindMs: number): { seek: boolean; rate: number } {
  if (behindMs > LIVE_LOST_MS || behindMs < -500) return { seek: true, rate: 1 };
  if (behindMs > LIVE_LAG_MS + 700) return { seek: false, rate: 1.08 };
  return { seek: false, rate: behindMs < LIVE_LAG_MS - 600 ? 0.96 : 1 };
}

/** The newest instant that can be shown, or null. */
export function edgeOf(segments: readonly Segment[]): number | null {
  return segments.at(-1)?.fragments.at(-1)?.end ?? segments.at(-2)?.fragments.at(-1)?.end ?? null;
}

/** Whether a segment has sound, as its type says: a source buffer cannot change its number of tracks. */
export function hasSound(mimeType: string): boolean {
  return /opus|mp4a|vorbis/i.test(mimeType);
}
