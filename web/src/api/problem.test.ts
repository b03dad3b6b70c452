import { describe, expect, it } from "vitest";

import { explain, problemOf, unreachable } from "./problem";

const answer = (status: number, body: unknown) =>
  problemOf(new Response(typeof body === "string" ? body : JSON.stringify(body), { status }));

describe("a failure in words", () => {
  it("is the server's sentence and the next step", async () => {
    const problem = await answer(507, { code: "disk-full", detail: "Not enough disk space" });
    const { sentence, nextStep } = explain(problem);
    expect(sentence).toBe("Not enough disk space.");
    expect(nextStep).toContain("Delete clips");
  });

  it("says what can be saved when the range holds nothing", async () => {
    const [oldest, newest] = [new Date(2026, 2, 10, 20, 5, 0), new Date(2026, 2, 10, 20, 14, 0)];
    const problem = await answer(400, {
      code: "no-segments",
      detail: "No segments found in specified time range",
      oldestAvailable: oldest.toISOString(),
      newestAvailable: newest.toISOString(),
    });
    expect(explain(problem).nextStep).toBe("You can save from 20:05:00 to 20:14:00.");
  });

  it("says which role would allow it", async () => {
    const problem = await answer(403, {
      code: "permission-denied",
      detail: "Permission denied - VIEW_AUDIT",
      grantedBy: ["auditor", "warden"],
    });
    expect(explain(problem).nextStep).toBe("It comes with the role “auditor” or “warden”.");
  });

  it("names what takes most of a full quota", async () => {
    const largestClips = [{ clipId: "c1", title: "Release demo", sizeBytes: 283 * 1024 ** 2 }];
    const problem = await answer(507, { code: "quota-exceeded", detail: "User quota exceeded", largestClips });
    expect(explain(problem).nextStep).toBe("Make room: your largest are “Release demo” (283 MB).");
  });

  it("survives an answer that is not the server's", async () => {
    const problem = await answer(502, "<html>Bad gateway</html>");
    expect(explain(problem).sentence).toBe("The server answered 502 without saying why.");
  });

  it("knows silence", () => {
    expect(explain(unreachable())).toMatchObject({
      code: "unreachable",
      sentence: "The Lookback server does not answer.",
    });
  });
});
