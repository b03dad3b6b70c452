import { expect, it } from "vitest";

import type { Config } from "../api/types";
import { GB } from "../app/words";
import { changeOf, refusedField, SETTINGS, shownOf } from "./config";

const CONFIG: Config = {
  name: "Design team",
  enabled: true,
  maxConcurrent: 10,
  windowMinutes: 10,
  maxClipMinutes: null,
  viewersMayCapture: false,
  autoStart: "off",
  clipRetentionDays: null,
  recorder: "direct",
  defaultQuotaBytes: 5 * GB,
};
const shown = (key: string) => {
  const setting = SETTINGS.find((one) => one.key === key);
  return setting && shownOf(setting, CONFIG[setting.key]);
};

it("fields show numbers in units that people use", () => {
  expect(shown("defaultQuotaBytes")).toBe("5");
  expect(shown("maxClipMinutes")).toBe("");
  expect(shown("enabled")).toBe(true);
});

it("only what was changed is sent", () => {
  expect(changeOf(CONFIG, {})).toEqual({});
  expect(changeOf(CONFIG, { maxConcurrent: "10", enabled: true })).toEqual({});
  expect(changeOf(CONFIG, { maxConcurrent: "5", autoStart: "optIn" })).toEqual({
    maxConcurrent: 5,
    autoStart: "optIn",
  });
  expect(changeOf(CONFIG, { defaultQuotaBytes: "1.5", maxConcurrent: "" })).toEqual({
    defaultQuotaBytes: 1.5 * GB,
    maxConcurrent: null,
  });
  expect(changeOf(CONFIG, { name: "  " })).toEqual({ name: null });
});

it("a refusal stands at the field that it names", () => {
  expect(refusedField("windowMinutes: the operator allows at most 10")).toEqual({
    key: "windowMinutes",
    reason: "The operator allows at most 10",
  });
  expect(refusedField("body.maxConcurrent: Input should be greater than 0")?.key).toBe("maxConcurrent");
  expect(refusedField("The disk is full")).toBeNull();
});
