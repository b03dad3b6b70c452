/** A quota as somebody types it. Pure. */

import type { User } from "../api/types";
import { GB, ofSize } from "../app/words";

/** Bytes of "1.5" (GB); null for an empty field, which is the usual quota; undefined for what is no size. */
export function quotaIn(text: string): number | null | undefined {
  const typed = text.trim().replace(",", ".");
  if (typed === "") return null;
  const size = Number(typed);
  return Number.isFinite(size) && size >= 0 ? Math.round(size * GB) : undefined;
}

/** Bytes as they are typed. */
export const typed = (bytes: number | null) => (bytes === null ? "" : String(Number((bytes / GB).toFixed(3))));

export const quotaWords = ({ quotaBytes }: Pick<User, "quotaBytes">) =>
  quotaBytes === null ? "no limit" : ofSize(quotaBytes);
