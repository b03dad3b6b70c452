/** Failures in words: what the server says (RFC 9457), or that it did not say anything. */

import { clock, ofLength, ofSize } from "../app/words";
import type { Gap } from "./types";

interface ProblemBody {
  code?: string;
  detail?: string;
  title?: string;
  status?: number;
  gaps?: Gap[];
  sessionId?: string;
  retryAfter?: number;
  oldestAvailable?: string | null;
  newestAvailable?: string | null;
  largestClips?: { title: string; sizeBytes: number }[];
  grantedBy?: string[];
}

/** `code` is the API's stable word, or "unreachable" when no answer came at all. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly body: ProblemBody;

  constructor(status: number, body: ProblemBody) {
    super(body.detail || body.title || `The server answered ${status} without saying why.`);
    this.name = "Problem";
    this.status = status;
    this.code = body.code ?? "unknown";
    this.body = body;
  }
}

export const UNREACHABLE = "The Lookback server does not answer.";

export function unreachable(): Problem {
  return new Problem(0, { code: "unreachable", detail: UNREACHABLE });
}

/** Turn an unsuccessful response into a Problem, whatever its body is. */
export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => "");
  try {
    const body = JSON.parse(text) as ProblemBody;
    if (typeof body === "object" && body !== null) return new Problem(response.status, body);
  } catch {
    // Not ours: a proxy's page, say. Its status is all there is to tell.
  }
  return new Problem(response.status, {});
}

const NEXT_STEPS: Record<string, string> = {
  unreachable: "It is tried again every few seconds. What is buffered is safe on the server.",
  unauthenticated: "Open the link that the server printed, or paste a token.",
  "permission-denied": "Ask whoever runs this server for the permission.",
  consent: "You can allow it on the page behind your name.",
  "community-limit": "Try again when another buffer has ended.",
  "livekit-unavailable": "Whoever runs this server can see why in its log.",
  "nobody-sharing": "Share your screen, or start the demo source.",
  "already-active": "Stop the running one first.",
  "disk-full": "Delete clips you no longer need, or ask whoever runs this server for space.",
  "quota-exceeded": "Delete clips you no longer need to make room.",
  "storage-unavailable": "Recording goes on by itself as soon as the disk works again.",
  "no-capacity": "Try again in a moment.",
  "rate-limit": "Try again in a moment.",
  "codec-change": "Select a range on one side of the change.",
  "not-found": "It may have been deleted, or its time has passed.",
};

/** The sentence and what to do next, for any failure. */
export function explain(error: unknown): { code: string; sentence: string; nextStep: string | null } {
  if (!(error instanceof Problem)) {
    const sentence = error instanceof Error ? error.message : "Something went wrong.";
    return { code: "unknown", sentence, nextStep: null };
  }
  const { code, body } = error;
  return { code, sentence: withStop(error.message), nextStep: particular(body) ?? NEXT_STEPS[code] ?? waitFor(body) };
}

/** What only this refusal knows. */
function particular(body: ProblemBody): string | null {
  switch (body.code) {
    case "no-segments":
      return available(body);
    case "permission-denied":
      return body.grantedBy?.length ? `It comes with the role ${oneOf(body.grantedBy)}.` : null;
    case "quota-exceeded":
      return body.largestClips?.length ? `Make room: your largest are ${largest(body.largestClips)}.` : null;
    default:
      return null;
  }
}

const oneOf = (roles: string[]) => roles.map((role) => `“${role}”`).join(" or ");

const largest = (clips: { title: string; sizeBytes: number }[]) =>
  clips
    .slice(0, 3)
    .map(({ title, sizeBytes }) => `“${title}” (${ofSize(sizeBytes)})`)
    .join(", ");

function available(body: ProblemBody): string {
  if (!body.oldestAvailable || !body.newestAvailable) return "Wait until the first seconds have been recorded.";
  const [from, until] = [body.oldestAvailable, body.newestAvailable].map((t) => clock(Date.parse(t)));
  return `You can save from ${from} to ${until}.`;
}

function waitFor(body: ProblemBody): string | null {
  return body.retryAfter ? `Try again in ${ofLength(body.retryAfter)}.` : null;
}

function withStop(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
