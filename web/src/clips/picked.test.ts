import { expect, it } from "vitest";

import { among, NOTHING, toggled, upTo } from "./picked";

const ORDER = ["a", "b", "c", "d"];
const ids = ({ ids }: { ids: ReadonlySet<string> }) => [...ids].sort().join("");

it("picks and drops", () => {
  const one = toggled(NOTHING, "b");
  expect(ids(one)).toBe("b");
  expect(ids(toggled(one, "b"))).toBe("");
  expect(ids(NOTHING)).toBe("");
});

it("picks a range in either direction and keeps what was picked", () => {
  expect(ids(upTo(toggled(NOTHING, "b"), "d", ORDER))).toBe("bcd");
  expect(ids(upTo(toggled(NOTHING, "c"), "a", ORDER))).toBe("abc");
  expect(ids(upTo(toggled(toggled(NOTHING, "a"), "c"), "d", ORDER))).toBe("acd");
});

it("without an anchor it is one", () => {
  expect(ids(upTo(NOTHING, "c", ORDER))).toBe("c");
  expect(ids(upTo({ ids: new Set(), anchor: "gone" }, "c", ORDER))).toBe("c");
});

it("forgets what is gone", () => {
  const all = upTo(toggled(NOTHING, "a"), "d", ORDER);
  expect(ids(among(all, ["a", "c"]))).toBe("ac");
  expect(among(all, ORDER)).toBe(all);
});
