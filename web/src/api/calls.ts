/** The calls of the API that the page makes, each in a line or two. Every failure is a Problem. */

import { bodyOf, client } from "./client";
import type { Range } from "./types";

export const getMe = () => bodyOf(client.GET("/livekit-replay/me"));

export const getSessions = async () => (await bodyOf(client.GET("/livekit-replay/sessions"))).items;

export const startDemo = (roomName: string) =>
  bodyOf(client.POST("/livekit-replay/start", { body: { roomName, source: "synthetic", recorder: "direct" } }));

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

export const getClips = (q: string, cursor: string | null, limit: number) =>
  bodyOf(client.GET("/livekit-replay/my-clips", { params: { query: { q, limit, cursor } } }));

const ofClip = (clipId: string) => ({ params: { path: { clip_id: clipId } } });

export const getClip = (clipId: string) => bodyOf(client.GET("/livekit-replay/clips/{clip_id}", ofClip(clipId)));

export const renameClip = (clipId: string, title: string) =>
  bodyOf(client.PATCH("/livekit-replay/clips/{clip_id}", { ...ofClip(clipId), body: { title } }));

export const deleteClip = (clipId: string) => client.DELETE("/livekit-replay/clips/{clip_id}", ofClip(clipId));

export const restoreClip = (clipId: string) =>
  bodyOf(client.POST("/livekit-replay/clips/{clip_id}/restore", ofClip(clipId)));

export const makeRendition = (clipId: string) =>
  bodyOf(client.POST("/livekit-replay/clips/{clip_id}/renditions", { ...ofClip(clipId), body: { format: "mp4" } }));

export const cancelRendition = (clipId: string, renditionId: string) =>
  client.DELETE("/livekit-replay/clips/{clip_id}/renditions/{rendition_id}", {
    params: { path: { clip_id: clipId, rendition_id: renditionId } },
  });
