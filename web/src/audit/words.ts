/** The audit trail in words. Pure. */

import type { AuditEntry } from "../api/types";
import { ofLength, ofSize } from "../app/words";

/** What was done, as the rest of a sentence that begins with who did it. */
export const ACTION_WORDS: Record<AuditEntry["action"], string> = {
  "session.started": "started a buffer",
  "session.auto-started": "had a buffer started by the rules",
  "session.not-started": "could not start a buffer",
  "session.stopped": "ended a buffer",
  "session.viewed": "looked into a buffer",
  "clip.captured": "saved a clip",
  "clip.viewed": "watched a clip",
  "clip.downloaded": "downloaded a clip",
  "clip.changed": "changed a clip",
  "clip.shared": "changed who may see a clip",
  "clip.deleted": "deleted a clip",
  "clip.restored": "brought a clip back",
  "community.config-changed": "changed settings",
  "room.registered": "registered a room",
  "room.removed": "removed a room",
  "role.changed": "changed a role",
  "role.removed": "removed a role",
  "member.changed": "changed the roles",
  "member.removed": "took away the roles",
  "quota.changed": "changed the quota",
  "consent.changed": "changed what is allowed",
  "user.erasure-begun": "began to erase",
  "user.erased": "erased",
  "user.exported": "exported the data",
  "audit.exported": "exported the audit trail",
  "audit.pruned": "let old entries go",
  "studio.viewed": "looked into the database",
  "space.changed": "noticed a change in free space",
  "storage.changed": "noticed a change of the disks",
};

/** An action of a newer server has no words here. */
export const actionWords = (action: string) => (ACTION_WORDS as Record<string, string>)[action] ?? action;

/** Whose it was, as the rest of the sentence: nothing for what somebody did to their own. */
export function subjectWords({ actor, subject, action }: Pick<AuditEntry, "actor" | "subject" | "action">): string {
  if (subject === null || subject === actor.userId) return "";
  return DONE_TO_PEOPLE.includes(action) ? personWords(subject) : `of ${personWords(subject)}`;
}

const DONE_TO_PEOPLE: AuditEntry["action"][] = ["user.erasure-begun", "user.erased"];

/** An actor without an id is the server itself, or whoever held a link. */
export function actorWords({ actor }: Pick<AuditEntry, "actor">): string {
  if (actor.userId !== null) return personWords(actor.userId);
  return actor.kind === "visitor" ? "Somebody with a link" : "The server";
}

const ERASED = "erased-";

export const personWords = (userId: string) => (userId.startsWith(ERASED) ? "an erased person" : userId);

/** "max concurrent: from 10 to 5": what the facts of an entry say, in the API's words. */
export function factWords(facts: Record<string, unknown>): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${spaced(name)}: ${valueWords(name, value)}`)
    .join(", ");
}

/** The unit is said with the value. */
const spaced = (name: string) => name.replace(UNIT, "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const UNIT = /(Bytes|Seconds)$/;

function valueWords(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => valueWords(name, one)).join(" and ") || "none";
  if (typeof value === "number" && name.endsWith("Bytes")) return ofSize(value);
  if (typeof value === "number" && name.endsWith("Seconds")) return ofLength(value);
  if (typeof value === "object" && value !== null) return changeWords(name, value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}

function changeWords(name: string, value: object): string {
  const { from, to } = value as { from?: unknown; to?: unknown };
  if (from === undefined && to === undefined) return factWords(value as Record<string, unknown>);
  const [before, after] = [from, to].map((one) => (one == null ? "nothing" : valueWords(name, one)));
  return `from ${before} to ${after}`;
}
