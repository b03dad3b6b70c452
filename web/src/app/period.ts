/** A stretch of days to filter by, as people say it. Pure; days are those of the clock on the wall here. */

export const WHENS = ["any", "today", "week", "month", "days"] as const;
export type When = (typeof WHENS)[number];

/** `from` and `to` are days such as "2026-11-25", for `when: "days"`; either may be empty. */
export interface Period {
  when: When;
  from: string;
  to: string;
}

export const ANY_TIME: Period = { when: "any", from: "", to: "" };

const DAYS_BACK: Partial<Record<When, number>> = { today: 0, week: 6, month: 29 };

/** As the API takes it: ISO 8601, `to` not included. */
export function boundsOf({ when, from, to }: Period, nowMs: number): { from?: string; to?: string } {
  if (when === "days") return { ...said("from", dayStart(from, 0)), ...said("to", dayStart(to, 1)) };
  const back = DAYS_BACK[when];
  if (back === undefined) return {};
  const day = new Date(nowMs);
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - back);
  return said("from", day);
}

const said = (name: "from" | "to", day: Date | null) => (day === null ? {} : { [name]: day.toISOString() });

/** Local midnight of "2026-11-25", `later` days on; null when it is no day. */
function dayStart(day: string, later: number): Date | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day)?.slice(1).map(Number);
  if (!parts) return null;
  const [year = 0, month = 0, date = 0] = parts;
  return new Date(year, month - 1, date + later);
}
