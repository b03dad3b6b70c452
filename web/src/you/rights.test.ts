import { expect, it } from "vitest";

import type { Me } from "../api/types";
import { linesOf, whyWords } from "./rights";

const communities = [{ communityId: "c1", name: "Design team" }];
const right = (
  communityId: string | null,
  ...from: Me["permissions"][number]["from"]
): Me["permissions"][number] => ({
  permission: "CAPTURE_REPLAY",
  communityId,
  from,
});

it("says where a right holds and why", () => {
  expect(whyWords(right(null, { kind: "admin", name: null }), [])).toBe(
    "everywhere, because you are an administrator",
  );
  expect(whyWords(right("c1", { kind: "role", name: "member" }, { kind: "token", name: null }), communities)).toBe(
    "in Design team, by the role “member”, also by your token",
  );
});

it("what holds everywhere needs no other place", () => {
  const permissions = [right("c1", { kind: "role", name: "member" }), right(null, { kind: "default", name: null })];
  const line = linesOf({ permissions, communities }).find((one) => one.words.includes("own share"));
  expect(line?.why).toEqual(["everywhere, as everybody does"]);
});

it("what one may not has no reasons", () => {
  expect(linesOf({ permissions: [], communities }).every((line) => line.why.length === 0)).toBe(true);
});
