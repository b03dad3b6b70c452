import { expect, it } from "vitest";

import { nextIn } from "./moving";

const THREE_COLUMNS = [0, 0, 0, 90, 90, 90, 180].map((top) => ({ top }));

it("moves along a row and between rows", () => {
  expect(nextIn(THREE_COLUMNS, 1, "right")).toBe(2);
  expect(nextIn(THREE_COLUMNS, 2, "right")).toBe(3);
  expect(nextIn(THREE_COLUMNS, 1, "down")).toBe(4);
  expect(nextIn(THREE_COLUMNS, 4, "up")).toBe(1);
});

it("stays at the edges", () => {
  expect(nextIn(THREE_COLUMNS, 0, "left")).toBe(0);
  expect(nextIn(THREE_COLUMNS, 6, "right")).toBe(6);
  expect(nextIn(THREE_COLUMNS, 4, "down")).toBe(4);
});
