/** What the library shows: as the address keeps it, and as the API is asked for it. Pure. */

import type { ClipFilters } from "../api/types";

export const SORTS = ["newest", "oldest", "longest", "largest"] as const;
export type Sort = (typeof SORTS)[number];

export const WHENS = ["any", "today", "week", "month", "days"] as const;
export type When = (typeof WHENS)[number];

/** `community`: what its members see, instead of one's own clips. `from` and `to` are days, for `when: "days"`. */
export interface Filters {
  q: string;
  community: string | null;
  linked: boolean;
  room: string | null;
  tag: string | null;
  when: When;
  from: string;
  to: string;
  sort: Sort;
}

export const NO_FILTERS: Filters = {
  q: "",
  community: null,
  linked: false,
  room: null,
  tag: null,
  when: "any",
  from: "",
  to: "",
  sort: "newest",
};

export function filtersOf(search: string): Filters {
  const said = new URLSearchParams(search);
  return {
    q: said.get("q") ?? "",
    community: said.get("community"),
    linked: said.has("linked"),
    room: said.get("room"),
    tag: said.get("tag"),
    when: oneOf(WHENS, said.get("when")) ?? "any",
    from: said.get("from") ?? "",
    to: said.get("to") ?? "",
    sort: oneOf(SORTS, said.get("sort")) ?? "newest",
  };
}

/** Only what differs from the usual, so that the usual address stays short. */
export function searchOf(filters: Filters): string {
  const said = new URLSearchParams();
  for (const name of ["q", "community", "room", "tag", "when", "from", "to", "sort"] as const) {
    const value = filters[name];
    if (value && value !== NO_FILTERS[name]) said.set(name, value);
  }
  if (filters.linked) said.set("linked", "1");
  return said.toString();
}

const oneOf = <T extends string>(words: readonly T[], word: string | null) =>
  words.find((one) => one === word) ?? null;

/** The API's names; times are ISO 8601. Days are those of the clock on the wall here. */
export function queryOf(filters: Filters, nowMs: number): ClipFilters {
  const { fromMs, toMs } = periodOf(filters, nowMs);
  return {
    ...(filters.q && { q: filters.q }),
    ...(filters.room !== null && { room: filters.room }),
    ...(filters.tag !== null && { tag: filters.tag }),
    ...(filters.linked && { visibility: "link" as const }),
    ...(fromMs !== null && { from: new Date(fromMs).toISOString() }),
    ...(toMs !== null && { to: new Date(toMs).toISOString() }),
    ...(filters.sort !== "newest" && { sort: filters.sort }),
  };
}

const DAYS_BACK: Partial<Record<When, number>> = { today: 0, week: 6, month: 29 };

function periodOf({ when, from, to }: Filters, nowMs: number): { fromMs: number | null; toMs: number | null } {
  if (when === "days") return { fromMs: dayStart(from, 0), toMs: dayStart(to, 1) };
  const back = DAYS_BACK[when];
  if (back === undefined) return { fromMs: null, toMs: null };
  const day = new Date(nowMs);
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - back);
  return { fromMs: day.getTime(), toMs: null };
}

/** Local midnight of "2026-11-25", `later` days on; null when it is no day. */
function dayStart(day: string, later: number): number | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day)?.slice(1).map(Number);
  if (!parts) return null;
  const [year = 0, month = 0, date = 0] = parts;
  return new Date(year, month - 1, date + later).getTime();
}

/** Whether something keeps clips out. */
export function narrows(filters: Filters): boolean {
  return searchOf({ ...filters, community: null, sort: "newest" }) !== "";
}
