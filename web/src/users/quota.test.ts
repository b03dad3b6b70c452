import { expect, it } from "vitest";

import { GB } from "../app/words";
import { quotaIn } from "./quota";

it.each([
  ["5", 5 * GB],
  [" 0,5 ", GB / 2],
  ["0", 0],
  ["", null],
  ["much", undefined],
  ["-1", undefined],
])("“%s”", (text, bytes) => expect(quotaIn(text)).toBe(bytes));
