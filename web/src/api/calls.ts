/** The calls about sessions and who one is, each in a line or two. Every failure is a Problem. */

import { bodyOf, client } from "./client";
import type { Range } from "./types";

export const getMe = () => bodyOf(client.GET("/livekit-replay/me"));

export const getSessions = async () => (await bodyOf(client.GET("/livekit-replay/sessions"))).items;

export const startDemo = (roomName: string) =>
  bodyOf(
    client.POST("/livekit-replay/start", {
      body: { roomName, source: "synthetic", recorder: "direct", includeMicrophone: false },
    }),
  );

export const stopSession = (sessionId: string) =>
  bodyOf(client.POST("/livekit-replay/stop/{session_id}", { params: { path: { session_id: sessionId } } }));

export const getTimeline = (sessionId: string, after: number | null, signal: AbortSignal) =>
  bodyOf(
    client.GET("/livekit-replay/sessions/{session_id}/timeline", {
      params: { path: { session_id: sessionId }, query: { after: after ?? 0 } },
      signal,
    }),
  );

export interface CaptureWish {
  sessionId: string;
  range: Range;
  postRollSeconds: number;
  allowGaps: boolean;
  /** The same key gives the same clip. */
  key: string;
}

export const capture = ({ sessionId, range, postRollSeconds, allowGaps, key }: CaptureWish) =>
  bodyOf(
    client.POST("/livekit-replay/capture", {
      params: { header: { "idempotency-key": key } },
      body: { sessionId, ...boundsOf(range), postRollSeconds, allowGaps },
    }),
  );

const boundsOf = (range: Range) =>
  range.kind === "last" ? { durationSeconds: range.seconds } : { start: range.startMs, end: range.endMs };
