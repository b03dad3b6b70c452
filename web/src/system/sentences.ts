/** What the page says about the server to those who look after it. Pure. */

import type { Cleanup, Health, Space, WatchedSession } from "../api/types";
import { codecName, ofLength, ofSize, pictureSize } from "../app/words";

const SOURCES: Record<WatchedSession["source"], string> = {
  livekit: "LiveKit",
  egress: "LiveKit Egress",
  whip: "WHIP",
  synthetic: "Demo",
};

/** "LiveKit, H.264 1080p". */
export function sourceOf({ source, video }: Pick<WatchedSession, "source" | "video">): string {
  if (!video) return SOURCES[source];
  const size = video.width && video.height ? ` ${pictureSize(video.width, video.height)}` : "";
  return `${SOURCES[source]}, ${codecName(video.codec)}${size}`;
}

/** "recording", and why a session is in the state that it is in where that is not as it should be. */
export function stateOf({ status, reason }: Pick<WatchedSession, "status" | "reason">): string {
  return reason ? `${status}: ${reason}` : status;
}

/** "0.4 s", or in words why there is none. */
export function lagOf({ recorded, lagSeconds }: Pick<WatchedSession, "recorded" | "lagSeconds">): string {
  if (recorded === "unknown") return "not known";
  return lagSeconds === null ? "not recorded" : ofLength(lagSeconds);
}

export const RECORDER_SILENT = "The recorder does not answer: what it records and how far it is behind is not known.";

/** "3 recording · 1 interrupted"; `more` there are than these: "newest 50: 49 recording · 1 draining". */
export function countsOf(sessions: readonly Pick<WatchedSession, "status">[], more: boolean): string {
  const counts = new Map<string, number>();
  for (const { status } of sessions) counts.set(status, (counts.get(status) ?? 0) + 1);
  const said = [...counts].map(([status, count]) => `${count} ${status}`).join(" · ");
  return more ? `newest ${sessions.length}: ${said}` : said;
}

/** "2 broken, 1 to mind", or that all is well. */
export function verdictOf({ findings }: Pick<Health, "findings">): string {
  const [broken, minded] = (["broken", "warning"] as const).map(
    (level) => findings.filter((one) => one.level === level).length,
  );
  if (!broken && !minded) return "All is well";
  return [broken && `${broken} broken`, minded && `${minded} to mind`].filter(Boolean).join(", ");
}

const DISKS: Record<Space["disks"][number]["name"], string> = { buffer: "Buffer disk", storage: "Clip disk" };

/** The disks, or the one disk when both are the same. */
export function disksOf({ disks }: Pick<Space, "disks">): { name: string; free: string; rest: string }[] {
  const [first, second] = disks;
  const same = first && second && first.freeBytes === second.freeBytes && first.totalBytes === second.totalBytes;
  return (same ? [first] : disks).map((disk) => ({
    name: same ? "Disk" : DISKS[disk.name],
    free: `${ofSize(disk.freeBytes)} free`,
    rest: `of ${ofSize(disk.totalBytes)}, ${ofSize(disk.floorBytes)} stay free`,
  }));
}

const REASONS: Record<Cleanup["items"][number]["reason"], string> = {
  age: "older than is kept",
  session: "the session's limit",
  user: "the user's limit",
  community: "the community's limit",
  instance: "the server's limit",
  space: "space",
};

/** "61 segments, 412 MB: 60 older than is kept, 1 space". */
export function goneOf({
  segments,
  sizeBytes,
  reasons,
}: Pick<Cleanup, "segments" | "sizeBytes" | "reasons">): string {
  if (segments === 0) return "nothing";
  const why = reasons.map((one) => `${one.segments} ${reasonOf(one.reason)}`).join(", ");
  return `${segments} ${segments === 1 ? "segment" : "segments"}, ${ofSize(sizeBytes)}: ${why}`;
}

export const reasonOf = (reason: Cleanup["items"][number]["reason"]) => REASONS[reason];

/** How far back everybody can go where that is less than was promised, or null. */
export function shortenedSentence(space: Pick<Space, "shortenedSessions" | "shortestWindowSeconds">): string | null {
  if (!space.shortenedSessions || space.shortestWindowSeconds === null) return null;
  const buffers = space.shortenedSessions === 1 ? "1 buffer reaches" : `${space.shortenedSessions} buffers reach`;
  return `${buffers} less far back than was promised, the shortest ${ofLength(space.shortestWindowSeconds)}.`;
}
