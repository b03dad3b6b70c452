/** The timeline as the page keeps it: asked for in parts, put together here. Pure. */

import type { Gap, Segment, Timeline, TimelineGap, TimelinePart } from "./types";

/** Thumbnails come a moment after a segment closes: so many closed segments are asked for again while theirs is missing. */
const THUMBNAIL_PATIENCE = 3;

/** The number to ask from next time; null for everything. */
export function askAfter(known: Timeline | undefined): number | null {
  const last = known?.segments.at(-1);
  if (!known || !last) return null;
  const recent = known.segments.slice(-1 - THUMBNAIL_PATIENCE);
  return recent.find((segment) => segment.thumbnailUrl === null)?.number ?? last.number;
}

/** Put a part behind what is known already; segments that left the buffer go. */
export function mergeTimeline(known: Timeline | undefined, part: TimelinePart, after: number | null): Timeline {
  const fromMs = millis(part.bufferedFrom);
  const fresh = part.segments.map(segmentOf);
  const kept = after === null || known?.sessionId !== part.sessionId ? [] : known.segments;
  const older = kept.filter((one) => one.number < (after ?? 0) && fromMs !== null && one.end > fromMs);
  return {
    sessionId: part.sessionId,
    nowMs: Date.parse(part.now),
    fromMs,
    untilMs: millis(part.bufferedUntil),
    segments: [...older, ...fresh],
    gaps: part.gaps.map(gapOf),
  };
}

export function gapOf(gap: Gap): TimelineGap {
  return { startMs: Date.parse(gap.start), endMs: Date.parse(gap.end), track: gap.track, cause: gap.cause };
}

function segmentOf(sent: TimelinePart["segments"][number]): Segment {
  const fragments = sent.fragments.filter((one) => one.size > 0);
  return { ...sent, start: Date.parse(sent.start), end: Date.parse(sent.end), fragments };
}

function millis(instant: string | null): number | null {
  return instant === null ? null : Date.parse(instant);
}
