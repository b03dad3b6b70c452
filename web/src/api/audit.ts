/** The calls about the audit trail, consent and people's own data. */

import { bodyOf, client } from "./client";
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
  kept(
    userId === null
      ? client.GET("/livekit-replay/me/export", FILE)
      : client.GET("/livekit-replay/admin/users/{user_id}/export", {
          params: { path: { user_id: userId } },
          ...FILE,
        }),
  );

export const exportAudit = (filters: AuditFilters) =>
  kept(client.GET("/livekit-replay/admin/audit/export", { params: { query: filters }, ...FILE }));

const FILE = { parseAs: "blob" } as const;

/** A file that only the token opens: fetched, then given to the browser to keep. */
async function kept(asked: Promise<{ data?: Blob; response: Response }>): Promise<void> {
  const { response } = await asked;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await bodyOf(asked));
  link.download = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "lookback";
  link.click();
  URL.revokeObjectURL(link.href);
}
