/** What the page says about a session and a saved clip. Pure. */

import type { Clip, Interval, Session, TimelineGap } from "../api/types";
import type { PillWords } from "../app/Pill";
import { causeOf, clock, gapSummary, ofLength } from "../app/words";

/** The pill beside the room's name. */
export function pillOf(session: Session): PillWords {
  switch (session.status) {
    case "recording":
      return { label: "Buffering", tone: "live" };
    case "starting":
      return { label: "Starting", tone: "wait" };
    case "interrupted":
      return { label: "Interrupted", tone: "wait" };
    case "draining":
      return { label: "Stopped", tone: "still" };
    case "failed":
      return { label: "Failed", tone: "wait" };
    case "expired":
      return { label: "Gone", tone: "still" };
  }
}

/** The sentence for every state that needs one. */
export function stateSentence(session: Session): string | null {
  switch (session.status) {
    case "starting":
      return "Starting. Waiting for the first picture; that can take a few seconds.";
    case "interrupted":
      return "The share was interrupted. What is buffered is kept; sharing again continues here.";
    case "draining":
      return `Stopped. The last minutes can still be saved${keptUntil(session)}.`;
    case "failed":
      return `Nothing was recorded: ${clause(session.reason ?? "the source gave no picture")}`;
    case "expired":
      return "Its last minutes have passed. Saved clips stay in the library.";
    case "recording":
      return session.reason ? sentenceCase(session.reason) : null;
  }
}

export function keptUntil(session: Session): string {
  return session.drainsAt ? `; they are kept until ${clock(Date.parse(session.drainsAt), { seconds: false })}` : "";
}

/** As the end of another sentence: "The publisher left" becomes "the publisher left.", names stay as they are. */
function clause(text: string): string {
  return sentenceCase(/^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text);
}

function sentenceCase(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** "6 s at 20:08:12: the share was interrupted". */
export function gapTitle(gap: TimelineGap): string {
  const what = gap.track === "audio" ? " without sound" : "";
  return `${ofLength((gap.endMs - gap.startMs) / 1000)}${what} at ${clock(gap.startMs)}: ${causeOf(gap.cause)}`;
}

export const gapsSummary = (gaps: readonly TimelineGap[]) =>
  gapSummary(gaps.filter((gap) => gap.track !== "audio").map((gap) => (gap.endMs - gap.startMs) / 1000));

const NOTICEABLE_SECONDS = 0.6;

export interface Press {
  /** From the press to the answer; null when it had to wait for what came next. */
  tookMs: number | null;
  /** Whether "now" was asked for, without waiting for more. */
  upToNow: boolean;
}

/** "Clip saved in 12 ms. It ends 0.4 s before you pressed." */
export function savedSentence(clip: Clip, press: Press): string {
  const saved = press.tookMs === null ? "Clip saved." : `Clip saved in ${took(press.tookMs)}.`;
  const shorter = missing(clip);
  if (shorter) return `${saved} ${shorter}`;
  return press.upToNow
    ? `${saved} ${endsBefore(clip)}`
    : `${saved} ${ofLength(clip.durationSeconds)}, exact to the frame.`;
}

function took(ms: number): string {
  return ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : ofLength(ms / 1000);
}

/** By the server's clock alone: what was asked for ends when the request arrived. */
function endsBefore(clip: Clip): string {
  const before = (Date.parse(clip.requested.end) - Date.parse(clip.delivered.end)) / 1000;
  return before < 0.05 ? "It ends when you pressed." : `It ends ${ofLength(before)} before you pressed.`;
}

function missing(clip: Clip): string | null {
  const short = lengthOf(clip.requested) - lengthOf(clip.delivered);
  return short > NOTICEABLE_SECONDS ? `Only ${ofLength(clip.durationSeconds)} were buffered.` : null;
}

function lengthOf({ start, end }: Interval): number {
  return (Date.parse(end) - Date.parse(start)) / 1000;
}

/** "The range has 1 gap of 6 s (6 s at 20:08:12: the share was interrupted). The picture holds still there." */
export function gapQuestion(gaps: readonly TimelineGap[]): string {
  const held = gaps.filter((gap) => gap.track !== "audio");
  const list = held.slice(0, 3).map(gapTitle).join("; ");
  const more = held.length > 3 ? `; and ${held.length - 3} more` : "";
  return `The range has ${gapsSummary(gaps) || "a gap"}${list && ` (${list}${more})`}. The picture would hold still there.`;
}

const RUNNING = ["starting", "recording", "interrupted"];

/** The buffer to show: the chosen one, else the running one, else the newest. */
export function pickSession(sessions: readonly Session[], chosenId: string | null): Session | undefined {
  return (
    sessions.find((one) => one.sessionId === chosenId) ??
    sessions.find((one) => RUNNING.includes(one.status)) ??
    sessions[0]
  );
}

export const isRunning = (session: Session) => RUNNING.includes(session.status);
