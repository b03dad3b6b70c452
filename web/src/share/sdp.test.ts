import { describe, expect, it } from "vitest";

import { preferredCodecs, restartedAnswer, restartFragment, withStartBitrate } from "./sdp";

const lines = (...text: string[]) => text.join("\r\n") + "\r\n";

const OFFER = lines(
  "v=0",
  "o=- 1 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0 1",
  "a=ice-options:trickle",
  "m=video 9 UDP/TLS/RTP/SAVPF 102 103",
  "a=ice-ufrag:abcd",
  "a=ice-pwd:secretsecretsecretsecret",
  "a=mid:0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=ice-ufrag:abcd",
  "a=ice-pwd:secretsecretsecretsecret",
  "a=mid:1",
);

describe("an ICE restart", () => {
  it("sends the new credentials and where they belong", () => {
    expect(restartFragment(OFFER)).toBe(
      lines(
        "a=ice-options:trickle",
        "a=group:BUNDLE 0 1",
        "m=video 9 UDP/TLS/RTP/SAVPF 102 103",
        "a=mid:0",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:secretsecretsecretsecret",
      ),
    );
  });

  it("puts the server's new credentials into the answer, in every section", () => {
    const answer = restartedAnswer(OFFER, lines("a=ice-lite", "a=ice-ufrag:new1", "a=ice-pwd:newpassword"));
    expect(answer.match(/a=ice-ufrag:new1\r?\n/g)).toHaveLength(2);
    expect(answer).not.toContain("secret");
  });

  it("refuses a fragment without credentials", () => {
    expect(() => restartedAnswer(OFFER, "a=ice-lite\r\n")).toThrow("credentials");
  });
});

describe("codecs", () => {
  it("prefers H.264 and leaves out what is not recorded", () => {
    const offered = ["video/VP8", "video/rtx", "video/VP9", "video/H264", "video/AV1"].map((mimeType) => ({
      mimeType,
    }));
    expect(preferredCodecs(offered).map((one) => one.mimeType)).toEqual(["video/H264", "video/VP8", "video/rtx"]);
  });
});

describe("the first bitrate", () => {
  const answer = lines(
    "v=0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=fmtp:111 useinbandfec=1",
    "m=video 9 UDP/TLS/RTP/SAVPF 102 103",
    "a=rtpmap:102 H264/90000",
    "a=fmtp:102 packetization-mode=1",
    "a=rtpmap:103 rtx/90000",
    "a=fmtp:103 apt=102",
  );

  it("is hinted for the picture only", () => {
    const hinted = withStartBitrate(answer, 2500);
    expect(hinted).toContain("a=fmtp:102 packetization-mode=1;x-google-start-bitrate=2500\r\n");
    expect(hinted).toContain("a=fmtp:103 apt=102\r\n");
    expect(hinted).toContain("a=fmtp:111 useinbandfec=1\r\n");
  });

  it("gives VP8 the line that it lacks", () => {
    const vp8 = lines("v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=rtpmap:96 VP8/90000", "a=mid:0");
    expect(withStartBitrate(vp8, 900)).toContain("a=rtpmap:96 VP8/90000\r\na=fmtp:96 x-google-start-bitrate=900\r\n");
  });
});
