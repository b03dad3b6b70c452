import { expect, it } from "vitest";

import { actionWords, actorWords, factWords, subjectWords } from "./words";

it("actions are the rest of a sentence", () => {
  expect(actionWords("clip.captured")).toBe("saved a clip");
  expect(actionWords("moon.landed")).toBe("moon.landed");
});

it("who did it, also when it was nobody in particular", () => {
  expect(actorWords({ actor: { kind: "user", userId: "alice" } })).toBe("alice");
  expect(actorWords({ actor: { kind: "visitor", userId: null } })).toBe("Somebody with a link");
  expect(actorWords({ actor: { kind: "server", userId: null } })).toBe("The server");
  expect(actorWords({ actor: { kind: "user", userId: "erased-1f" } })).toBe("an erased person");
});

it("whose it was, where that was somebody else", () => {
  const actor = { kind: "user", userId: "carol" } as const;
  expect(subjectWords({ actor, subject: "bob", action: "quota.changed" })).toBe("of bob");
  expect(subjectWords({ actor, subject: "erased-1f", action: "user.erased" })).toBe("an erased person");
  expect(subjectWords({ actor, subject: "carol", action: "clip.deleted" })).toBe("");
});

it("facts read as they would be said", () => {
  expect(factWords({ sizeBytes: 1024 ** 2, visibility: "link", nothing: null })).toBe("size: 1 MB, visibility: link");
  expect(factWords({ maxConcurrent: { from: 10, to: null } })).toBe("max concurrent: from 10 to nothing");
  expect(factWords({ roles: ["auditor", "member"], enabled: true })).toBe("roles: auditor and member, enabled: yes");
  expect(factWords({ durationSeconds: 62.4 })).toBe("duration: 1 min 2 s");
  expect(factWords({})).toBe("");
});
