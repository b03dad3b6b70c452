/** The calls about the audit trail, consent and people's own data. */

import { getToken } from "../app/token";
import { bodyOf, client } from "./client";
import { problemOf, unreachable } from "./problem";
import type { AuditFilters, ConsentWish } from "./types";

export const getAudit = (filters: AuditFilters, cursor: string | null) =>
  bodyOf(client.GET("/livekit-replay/admin/audit", { params: { query: { ...filters, cursor } } }));

export const getConsent = () => bodyOf(client.GET("/livekit-replay/me/consent"));

export const sayConsent = (body: ConsentWish) => bodyOf(client.PUT("/livekit-replay/me/consent", { body }));

/** `userId` null: oneself. */
export const eraseData = (userId: string | null) =>
  userId === null
    ? client.DELETE("/livekit-replay/me/data")
    : client.DELETE("/livekit-replay/admin/users/{user_id}/data", { params: { path: { user_id: userId } } });

export const exportData = (userId: string | null) =>
  download(userId === null ? "me/export" : `admin/users/${encodeURIComponent(userId)}/export`);

export const exportAudit = (filters: AuditFilters) =>
  download(`admin/audit/export?${new URLSearchParams(filters as Record<string, string>)}`);

/** A file that only the token opens: fetched, then given to the browser to keep. */
async function download(path: string): Promise<void> {
  const headers = { Authorization: `Bearer ${getToken() ?? ""}` };
  const answer = await fetch(`/livekit-replay/${path}`, { headers }).catch(() => {
    throw unreachable();
  });
  if (!answer.ok) throw await problemOf(answer);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "lookback";
  link.click();
  URL.revokeObjectURL(link.href);
}
