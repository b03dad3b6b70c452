/** The rules of a community as a form has them: texts, and what of them has to be sent. Pure. */

import type { Config } from "../api/types";
import { GB } from "../app/words";

export type Key = keyof Config;

interface Named {
  key: Key;
  label: string;
  help: string;
}

/** `empty`: what an empty field means, for those that may be. `per`: how many of the API's units one of the form's is. */
export type Setting =
  | (Named & { kind: "switch" })
  | (Named & { kind: "text"; empty: string })
  | (Named & { kind: "number"; unit: string; per?: number; empty?: string })
  | (Named & { kind: "choice"; options: [string, string][] });

export const SETTINGS: Setting[] = [
  {
    key: "name",
    kind: "text",
    empty: "none: its id is shown",
    label: "Name",
    help: "What people call the community.",
  },
  {
    key: "enabled",
    kind: "switch",
    label: "Buffers may run",
    help: "Off: nobody can start one in this community's rooms.",
  },
  {
    key: "maxConcurrent",
    kind: "number",
    unit: "at once",
    empty: "as many as there are",
    label: "Buffers at the same time",
    help: "Whoever comes when they are all taken is told so.",
  },
  {
    key: "windowMinutes",
    kind: "number",
    unit: "min",
    label: "How far one can go back",
    help: "Everything older is deleted as it passes. Running buffers follow.",
  },
  {
    key: "maxClipMinutes",
    kind: "number",
    unit: "min",
    empty: "as long as the buffer",
    label: "Longest clip",
    help: "What is saved at once.",
  },
  {
    key: "viewersMayCapture",
    kind: "switch",
    label: "Viewers may save",
    help: "Those in the room may save what somebody else shares. The sharer is named in the clip.",
  },
  {
    key: "autoStart",
    kind: "choice",
    options: [
      ["off", "Never"],
      ["optIn", "For those who want it"],
      ["on", "For everybody who may"],
    ],
    label: "Start by itself",
    help: "When somebody shares a screen in a LiveKit room. Whoever forbade to be buffered is left alone.",
  },
  {
    key: "clipRetentionDays",
    kind: "number",
    unit: "days",
    empty: "for ever",
    label: "Clips are kept",
    help: "Then they are deleted.",
  },
  {
    key: "defaultQuotaBytes",
    kind: "number",
    unit: "GB",
    per: GB,
    empty: "as the server has it",
    label: "Room for one user's clips",
    help: "A user can be given more or less.",
  },
  {
    key: "recorder",
    kind: "choice",
    options: [
      ["direct", "Lookback's own"],
      ["egress", "LiveKit Egress"],
    ],
    label: "Recorder",
    help: "Its own one is exact to the frame and costs almost nothing; Egress is for installations that must use it.",
  },
];

export type Draft = Partial<Record<Key, string | boolean>>;

/** A value as its field shows it. */
export function shownOf(setting: Setting, value: Config[Key]): string | boolean {
  if (setting.kind === "switch") return Boolean(value);
  if (value === null || value === undefined) return "";
  return setting.kind === "number" ? String(Number((Number(value) / (setting.per ?? 1)).toFixed(3))) : String(value);
}

/** Only what differs from what the server has: nobody else's change is undone by it. */
export function changeOf(config: Config, draft: Draft): Partial<Config> {
  const change: Record<string, unknown> = {};
  for (const setting of SETTINGS) {
    const entered = draft[setting.key];
    if (entered !== undefined && entered !== shownOf(setting, config[setting.key])) {
      change[setting.key] = sentOf(setting, entered);
    }
  }
  return change as Partial<Config>;
}

/** An empty field is null, also where that makes no sense: the server says so in its words. */
function sentOf(setting: Setting, entered: string | boolean): unknown {
  if (setting.kind === "switch" || setting.kind === "choice") return entered;
  const text = String(entered).trim();
  if (text === "") return null;
  if (setting.kind === "text") return text;
  const number = Number(text) * (setting.per ?? 1);
  return setting.per ? Math.round(number) : number;
}

/** Which field a refusal is about: the server names it. The rest of the sentence is the reason. */
export function refusedField(sentence: string): { key: Key; reason: string } | null {
  for (const { key } of SETTINGS) {
    const at = new RegExp(`\\b${key}\\b:?\\s*`).exec(sentence);
    if (!at) continue;
    const reason =
      sentence.startsWith(at[0], at.index) && at[0].includes(":")
        ? sentence.slice(at.index + at[0].length)
        : sentence;
    return { key, reason: reason.charAt(0).toUpperCase() + reason.slice(1) };
  }
  return null;
}
