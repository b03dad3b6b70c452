/** What the library shows: as the address keeps it, and as the API is asked for it. Pure. */

import type { ClipFilters } from "../api/types";
import { ANY_TIME, boundsOf, type Period, WHENS } from "../app/period";

export const SORTS = ["newest", "oldest", "longest", "largest"] as const;
export type Sort = (typeof SORTS)[number];

/** `community`: what its members see, instead of one's own clips. `linked`: only what is shared by link. */
export interface Filters extends Period {
  q: string;
  community: string | null;
  linked: boolean;
  room: string | null;
  tag: string | null;
  sort: Sort;
}

export const NO_FILTERS: Filters = {
  q: "",
  community: null,
  linked: false,
  room: null,
  tag: null,
  ...ANY_TIME,
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

/** The same in the API's names. */
export function queryOf(filters: Filters, nowMs: number): ClipFilters {
  return {
    ...(filters.q && { q: filters.q }),
    ...(filters.room !== null && { room: filters.room }),
    ...(filters.tag !== null && { tag: filters.tag }),
    ...(filters.linked && { visibility: "link" as const }),
    ...boundsOf(filters, nowMs),
    ...(filters.sort !== "newest" && { sort: filters.sort }),
  };
}

/** Whether something keeps clips out. */
export function narrows(filters: Filters): boolean {
  return searchOf({ ...filters, community: null, sort: "newest" }) !== "";
}
