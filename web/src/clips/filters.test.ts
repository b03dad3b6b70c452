import { describe, expect, it } from "vitest";

import { type Filters, filtersOf, narrows, NO_FILTERS, queryOf, searchOf } from "./filters";

const having = (some: Partial<Filters>): Filters => ({ ...NO_FILTERS, ...some });
const NOON = new Date(2026, 10, 25, 12, 0, 0).getTime();

describe("the address keeps filters", () => {
  it.each<Filters>([
    NO_FILTERS,
    having({ q: "green & blue", room: "Design review", tag: "a#b", sort: "largest" }),
    having({ community: "c/1", linked: true, when: "days", from: "2026-11-01", to: "2026-11-02" }),
  ])("and gives them back: %o", (filters) => expect(filtersOf(searchOf(filters))).toEqual(filters));

  it("nothing is said about the usual", () => expect(searchOf(NO_FILTERS)).toBe(""));
  it("nonsense is the usual", () => expect(filtersOf("when=tomorrow&sort=nicest")).toEqual(NO_FILTERS));
});

describe("the API is asked", () => {
  it("for nothing in particular by default", () => expect(queryOf(NO_FILTERS, NOON)).toEqual({}));

  it("for a stretch of days", () => {
    const chosen = having({ when: "days", from: "2026-11-03" });
    expect(queryOf(chosen, NOON)).toEqual({ from: new Date(2026, 10, 3).toISOString() });
  });

  it("for what is shared by link", () => {
    expect(queryOf(having({ linked: true, q: "x" }), NOON)).toEqual({ q: "x", visibility: "link" });
  });
});

it("an order or a community keeps nothing out", () => {
  expect(narrows(having({ sort: "oldest", community: "c1" }))).toBe(false);
  expect(narrows(having({ tag: "incident" }))).toBe(true);
});
