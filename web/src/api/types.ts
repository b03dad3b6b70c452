/** The words of the HTTP API as the page uses them. Instants are ISO 8601 strings unless a name says milliseconds. */

export type SessionStatus = "starting" | "recording" | "interrupted" | "draining" | "expired" | "failed";
export type Track = "video" | "audio" | "all";

export interface Interval {
  start: string;
  end: string;
}

export interface Gap extends Interval {
  track: Track;
  cause: string;
}

export interface Video {
  codec: string;
  width: number | null;
  height: number | null;
}

export interface Session {
  sessionId: string;
  roomName: string;
  userId: string;
  source: "whip" | "livekit" | "egress" | "synthetic";
  status: SessionStatus;
  reason: string | null;
  startedAt: string;
  endedAt: string | null;
  drainsAt: string | null;
  bufferedFrom: string | null;
  bufferedUntil: string | null;
  bufferedSeconds: number;
  sizeBytes: number;
  video: Video | null;
  audio: { codec: string } | null;
  gaps: Gap[];
}

/** A unit that can be fetched by itself: `size` bytes at `offset` of its segment. Epoch milliseconds. */
export interface Fragment {
  offset: number;
  size: number;
  start: number;
  end: number;
}

/** One file of about 10 s. The first `initSize` bytes are what a decoder needs before any fragment. */
export interface Segment {
  number: number;
  container: "mp4" | "webm";
  mimeType: string;
  runId: string;
  start: number;
  end: number;
  sizeBytes: number;
  initSize: number;
  mediaUrl: string;
  thumbnailUrl: string | null;
  fragments: Fragment[];
}

/** What is buffered. `now`, `bufferedFrom` and `bufferedUntil` are epoch milliseconds here (see timeline.ts). */
export interface Timeline {
  sessionId: string;
  nowMs: number;
  fromMs: number | null;
  untilMs: number | null;
  segments: Segment[];
  gaps: TimelineGap[];
}

export interface TimelineGap {
  startMs: number;
  endMs: number;
  track: Track;
  cause: string;
}

export interface Rendition {
  renditionId: string;
  format: "mp4";
  status: "queued" | "running" | "ready" | "failed" | "cancelled";
  progress: number;
  sizeBytes: number | null;
  reason: string | null;
  url: string | null;
}

export interface Clip {
  clipId: string;
  sessionId: string;
  roomName: string;
  title: string;
  createdAt: string;
  status: "ready" | "failed";
  requested: Interval;
  delivered: Interval;
  durationSeconds: number;
  sizeBytes: number;
  contentType: string;
  storage: "virtual" | "file" | "object";
  gaps: Gap[];
  videoUrl: string;
  downloadUrl: string;
  posterUrl: string | null;
  video: Video | null;
  audio: { codec: string } | null;
  renditions: Rendition[];
  deletedAt: string | null;
}

export interface Me {
  userId: string;
  name: string | null;
  admin: boolean;
  quotaBytes: number | null;
  usedBytes: number;
}

/** What to save: the last seconds, or a range in epoch milliseconds. */
export type Range = { kind: "last"; seconds: number } | { kind: "range"; startMs: number; endMs: number };
