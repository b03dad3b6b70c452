/** The few lines of SDP that the page itself reads and writes. Pure. */

const EOL = "\r\n";

/** What a decoder hardly ever needs comes last: H.264 can be saved as MP4 as it is, VP8 is the fallback. */
const PREFERRED = ["video/h264", "video/vp8", "video/rtx"];

/** Codecs that Lookback records, H.264 first. */
export function preferredCodecs<T extends { mimeType: string }>(offered: readonly T[]): T[] {
  return PREFERRED.flatMap((name) => offered.filter((codec) => codec.mimeType.toLowerCase() === name));
}

/**
 * The body of a PATCH that restarts ICE (RFC 9725 section 4.3.3): the new credentials of an offer, nothing else.
 */
export function restartFragment(offer: string): string {
  const media = offer.slice(offer.indexOf("m="));
  const lines = [
    attribute(offer, "ice-options"),
    attribute(offer, "group"),
    media.split(EOL, 1)[0] ?? "",
    attribute(media, "mid"),
    attribute(media, "ice-ufrag"),
    attribute(media, "ice-pwd"),
  ];
  return lines.filter(Boolean).join(EOL) + EOL;
}

/** The old answer with the credentials of the fragment that came back. */
export function restartedAnswer(answer: string, fragment: string): string {
  const [ufrag, password] = [attribute(fragment, "ice-ufrag"), attribute(fragment, "ice-pwd")];
  if (!ufrag || !password) throw new Error("The server did not send new credentials.");
  return answer.replace(/^a=ice-ufrag:.*$/gm, ufrag).replace(/^a=ice-pwd:.*$/gm, password);
}

/**
 * Begin at a rate at which text is readable. Measured after two seconds of a share: 2.1 Mbit/s instead of 0.25.
 *
 * A hint only Chromium reads, as a format parameter of the answer.
 */
export function withStartBitrate(answer: string, kbps: number): string {
  const hint = `x-google-start-bitrate=${kbps}`;
  let isVideo = false;
  const lines = answer.split(EOL).flatMap((line) => {
    if (line.startsWith("m=")) isVideo = line.startsWith("m=video");
    if (!isVideo) return [line];
    if (/^a=fmtp:\d+ (?!apt=)/.test(line)) return [`${line};${hint}`];
    const vp8 = line.match(/^a=rtpmap:(\d+) VP8\//i); // has no parameters of its own to stand beside
    return vp8 ? [line, `a=fmtp:${vp8[1]} ${hint}`] : [line];
  });
  return lines.join(EOL);
}

function attribute(sdp: string, name: string): string {
  return sdp.match(new RegExp(`^a=${name}:.*$`, "m"))?.[0].trim() ?? "";
}
