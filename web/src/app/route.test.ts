import { expect, it } from "vitest";

import { addressOf, parseRoute, type Route, sharedKey } from "./route";

it.each<[string, Route]>([
  ["", { page: "buffer" }],
  ["#/", { page: "buffer" }],
  ["#/nonsense", { page: "buffer" }],
  ["#/clips", { page: "clips", clipId: null, search: "" }],
  ["#/clips/a%2Fb", { page: "clips", clipId: "a/b", search: "" }],
  ["#/clips?room=demo", { page: "clips", clipId: null, search: "room=demo" }],
  ["#/clips/%E0%A4%A", { page: "clips", clipId: "%E0%A4%A", search: "" }],
  ["#/community", { page: "community", scope: null, tab: null }],
  ["#/community/-/users", { page: "community", scope: null, tab: "users" }],
  ["#/community/c1/roles", { page: "community", scope: "c1", tab: "roles" }],
  ["#/you", { page: "you" }],
  ["#/room", { page: "room" }],
  ["#/system", { page: "system" }],
])("%s", (hash, route) => expect(parseRoute(hash)).toEqual(route));

it.each<Route>([
  { page: "buffer" },
  { page: "clips", clipId: "a/b c", search: "q=x%20y" },
  { page: "community", scope: null, tab: null },
  { page: "community", scope: null, tab: "audit" },
  { page: "community", scope: "a/b", tab: null },
  { page: "you" },
  { page: "system" },
])("an address leads back to its route: %o", (route) => expect(parseRoute(addressOf(route))).toEqual(route));

it("a shared clip has an address of its own", () => {
  expect(sharedKey("/shared/AbC-1")).toBe("AbC-1");
  expect(sharedKey("/")).toBeNull();
  expect(sharedKey("/shared/")).toBeNull();
});
