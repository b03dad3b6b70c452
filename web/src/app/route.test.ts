import { expect, it } from "vitest";

import { addressOf, parseRoute, type Route } from "./route";

it.each<[string, Route]>([
  ["", { page: "buffer" }],
  ["#/", { page: "buffer" }],
  ["#/nonsense", { page: "buffer" }],
  ["#/clips", { page: "clips", clipId: null }],
  ["#/clips/a%2Fb", { page: "clips", clipId: "a/b" }],
])("%s", (hash, route) => expect(parseRoute(hash)).toEqual(route));

it("an address leads back to its route", () => {
  const route: Route = { page: "clips", clipId: "a/b c" };
  expect(parseRoute(addressOf(route))).toEqual(route);
});
