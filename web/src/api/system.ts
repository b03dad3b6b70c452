/** The calls of those who look after the server. */

import { bodyOf, client } from "./client";

export const getAllSessions = async () => (await bodyOf(client.GET("/livekit-replay/admin/sessions"))).items;

export const getHealth = () => bodyOf(client.GET("/livekit-replay/admin/health"));

export const getSpace = () => bodyOf(client.GET("/livekit-replay/admin/space"));

export const cleanUp = (body: { dryRun: boolean; freeBytes: number }) =>
  bodyOf(client.POST("/livekit-replay/admin/cleanup", { body }));
