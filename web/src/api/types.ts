/** The words of the HTTP API, and what the page makes of them. Instants are ISO 8601 unless a name says milliseconds. */

import type { components, operations } from "./schema";

type Answers = components["schemas"];

export type Session = Answers["SessionAnswer"];
export type SessionStatus = Session["status"];
export type Clip = Answers["ClipAnswer"];
export type ClipList = Answers["ClipListAnswer"];
export type SharedClip = Answers["SharedClipAnswer"];
export type ClipChange = Partial<Pick<Clip, "title" | "visibility" | "tags">>;
export type ClipFilters = Omit<NonNullable<operations["listClips"]["parameters"]["query"]>, "limit" | "cursor">;
export type Visibility = Clip["visibility"];
export type Rendition = Answers["RenditionAnswer"];
export type RoomStatus = Answers["RoomStatusAnswer"];
export type Me = Answers["MeAnswer"];
export type Gap = Answers["GapAnswer"];
export type Interval = Answers["IntervalAnswer"];
export type Fragment = Answers["FragmentAnswer"];
export type TimelinePart = Answers["TimelineAnswer"];

/** One file of about 10 s. The first `initSize` bytes are what a decoder needs before any fragment. Epoch milliseconds. */
export type Segment = Omit<Answers["SegmentAnswer"], "start" | "end"> & { start: number; end: number };

export interface TimelineGap {
  startMs: number;
  endMs: number;
  track: Gap["track"];
  cause: string;
}

/** What is buffered, as the page keeps it. */
export interface Timeline {
  sessionId: string;
  nowMs: number;
  fromMs: number | null;
  untilMs: number | null;
  segments: Segment[];
  gaps: TimelineGap[];
}

/** What to save: the last seconds, or a range in epoch milliseconds. */
export type Range = { kind: "last"; seconds: number } | { kind: "range"; startMs: number; endMs: number };

export type Permission = Answers["Permission"];
export type Community = Answers["CommunityAnswer"];
/** The rules of a community, and what it is called. */
export type Config = Omit<Answers["ConfigAnswer"], "communityId">;
export type Role = Answers["RoleAnswer"];
export type Member = Answers["MemberAnswer"];
export type AuditEntry = Answers["AuditEntryAnswer"];
export type AuditFilters = Omit<NonNullable<operations["audit"]["parameters"]["query"]>, "limit" | "cursor">;
export type Consent = Answers["ConsentAnswer"];
export type ConsentWish = Answers["ConsentWish"];

export type User = Answers["UserAnswer"];
export type Usage = Answers["ShareAnswer"];

export type WatchedSession = Answers["WatchedSessionAnswer"];
export type Health = Answers["InstallationHealthAnswer"];
export type Finding = Answers["FindingAnswer"];
export type Space = Answers["SpaceAnswer"];
export type Cleanup = Answers["CleanupAnswer"];
