/** The calls of the API that the page makes, each in one line. Every failure is a Problem. */

import { getToken, setToken } from "../app/token";
import { Problem, problemOf, unreachable } from "./problem";
import type { TimelinePart } from "./timeline";
import type { Clip, Me, Range, Rendition, Session } from "./types";

const BASE = "/livekit-replay";

interface Call {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

async function call<T>(path: string, { method = "GET", body, headers, signal }: Call = {}): Promise<T> {
  const response = await fetch(BASE + path, {
    method,
    headers: {
      Authorization: `Bearer ${getToken() ?? ""}`,
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  });
  if (!response.ok) throw forgetBadToken(await problemOf(response));
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** A token that does not hold is of no more use: back to the page that asks for one. */
function forgetBadToken(problem: Problem): Problem {
  if (problem.code === "unauthenticated") setToken(null);
  return problem;
}

const id = encodeURIComponent;

export const getMe = () => call<Me>("/me");

export const getSessions = () => call<{ items: Session[] }>("/sessions").then((page) => page.items);

export const startDemo = (roomName: string) =>
  call<Session>("/start", { method: "POST", body: { roomName, source: "synthetic" } });

export const stopSession = (sessionId: string) => call<Session>(`/stop/${id(sessionId)}`, { method: "POST" });

export const getTimeline = (sessionId: string, after: number | null, signal?: AbortSignal) =>
  call<TimelinePart>(`/sessions/${id(sessionId)}/timeline${after === null ? "" : `?after=${after}`}`, { signal });

export interface CaptureWish {
  sessionId: string;
  range: Range;
  postRollSeconds?: number;
  allowGaps?: boolean;
  key: string;
}

export function capture({
  sessionId,
  range,
  postRollSeconds = 0,
  allowGaps = false,
  key,
}: CaptureWish): Promise<Clip> {
  const what =
    range.kind === "last" ? { durationSeconds: range.seconds } : { start: range.startMs, end: range.endMs };
  return call<Clip>("/capture", {
    method: "POST",
    headers: { "Idempotency-Key": key },
    body: { sessionId, ...what, postRollSeconds, allowGaps },
  });
}

export const getClips = (q: string, cursor: string | null, limit: number) => {
  const query = new URLSearchParams({ limit: String(limit), ...(q && { q }), ...(cursor && { cursor }) });
  return call<{ items: Clip[]; nextCursor: string | null }>(`/my-clips?${query}`);
};

export const getClip = (clipId: string) => call<Clip>(`/clips/${id(clipId)}`);

export const renameClip = (clipId: string, title: string) =>
  call<Clip>(`/clips/${id(clipId)}`, { method: "PATCH", body: { title } });

export const deleteClip = (clipId: string) => call<void>(`/clips/${id(clipId)}`, { method: "DELETE" });

export const restoreClip = (clipId: string) => call<Clip>(`/clips/${id(clipId)}/restore`, { method: "POST" });

export const makeRendition = (clipId: string) =>
  call<Rendition>(`/clips/${id(clipId)}/renditions`, { method: "POST", body: { format: "mp4" } });

export const getRendition = (clipId: string, renditionId: string) =>
  call<Rendition>(`/clips/${id(clipId)}/renditions/${id(renditionId)}`);

export const cancelRendition = (clipId: string, renditionId: string) =>
  call<void>(`/clips/${id(clipId)}/renditions/${id(renditionId)}`, { method: "DELETE" });
