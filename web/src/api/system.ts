/** The calls of those who look after the server. */

import { bodyOf, client } from "./client";

export const getAllSessions = (cursor: string | null) =>
  bodyOf(client.GET("/livekit-replay/admin/sessions", { params: { query: cursor === null ? {} : { cursor } } }));

export const getHealth = () => bodyOf(client.GET("/livekit-replay/admin/health"));

export const getSpace = () => bodyOf(client.GET("/livekit-replay/admin/space"));

export const cleanUp = (body: { dryRun: boolean; freeBytes: number }) =>
  bodyOf(client.POST("/livekit-replay/admin/cleanup", { body }));
