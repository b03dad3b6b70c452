import { expect, it } from "vitest";

import type { Permission } from "../api/types";
import { looksAfterSomething, may } from "../app/may";
import { tabsFor } from "./tabs";

const having = (...some: [Permission, string | null][]) => ({
  permissions: some.map(([permission, communityId]) => ({ permission, communityId, from: [] })),
});

it("a manager of one community is offered that one", () => {
  const me = having(["MANAGE_REPLAY_LIMITS", "c1"]);
  expect(tabsFor(me, "c1")).toEqual(["settings", "rooms", "usage", "roles", "members"]);
  expect(tabsFor(me, "c2")).toEqual([]);
  expect(tabsFor(me, null)).toEqual([]);
});

it("a manager of the server is offered everything but the audit trail", () => {
  const me = having(["MANAGE_REPLAY_LIMITS", null]);
  expect(tabsFor(me, null)).toEqual(["users", "usage", "roles", "members"]);
  expect(tabsFor(me, "c2")).toEqual(["settings", "rooms", "usage", "roles", "members"]);
});

it("an auditor is offered the audit trail only", () => {
  expect(tabsFor(having(["VIEW_AUDIT", "c1"]), "c1")).toEqual(["audit"]);
});

it("nobody in particular is offered nothing", () => {
  const me = having(["CAPTURE_REPLAY", null]);
  expect(tabsFor(me, null)).toEqual([]);
  expect(tabsFor(undefined, null)).toEqual([]);
  expect(looksAfterSomething(me)).toBe(false);
  expect(looksAfterSomething(having(["VIEW_AUDIT", "c1"]))).toBe(true);
  expect(may(me, "CAPTURE_REPLAY", "c1")).toBe(true);
});
