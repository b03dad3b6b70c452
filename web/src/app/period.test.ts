import { expect, it } from "vitest";

import { ANY_TIME, boundsOf } from "./period";

const NOON = new Date(2026, 10, 25, 12, 0, 0).getTime();
const day = (month: number, date: number) => new Date(2026, month - 1, date).toISOString();

it("any time has no bounds", () => expect(boundsOf(ANY_TIME, NOON)).toEqual({}));

it("days are those of here", () => {
  expect(boundsOf({ ...ANY_TIME, when: "today" }, NOON)).toEqual({ from: day(11, 25) });
  expect(boundsOf({ ...ANY_TIME, when: "week" }, NOON)).toEqual({ from: day(11, 19) });
  expect(boundsOf({ ...ANY_TIME, when: "month" }, NOON)).toEqual({ from: day(10, 27) });
});

it("a range of days has its last one in it, and may be open", () => {
  expect(boundsOf({ when: "days", from: "2026-11-03", to: "2026-11-30" }, NOON)).toEqual({
    from: day(11, 3),
    to: day(12, 1),
  });
  expect(boundsOf({ when: "days", from: "", to: "2026-11-30" }, NOON)).toEqual({ to: day(12, 1) });
  expect(boundsOf({ when: "days", from: "tomorrow", to: "" }, NOON)).toEqual({});
});
