import { expect, it } from "vitest";

import { shortcutOf } from "./shortcuts";

const pressed = (key: string, more: Partial<Record<"shiftKey" | "ctrlKey" | "altKey" | "metaKey", boolean>> = {}) =>
  shortcutOf({ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...more });

it("keys are names of what they do", () => {
  expect(pressed("s")).toBe("save");
  expect(pressed("S", { shiftKey: true })).toBe("save");
  expect(pressed("5")).toBe("preset5");
  expect(pressed("?", { shiftKey: true })).toBe("help");
  expect(pressed("[")).toBe("in");
});

it("arrows are one frame, with shift one second", () => {
  expect(pressed("ArrowLeft")).toBe("frameBack");
  expect(pressed("ArrowRight", { shiftKey: true })).toBe("secondForward");
});

it("what belongs to the browser stays with it", () => {
  expect(pressed("s", { ctrlKey: true })).toBeNull();
  expect(pressed("l", { metaKey: true })).toBeNull();
  expect(pressed("y")).toBeNull();
});
