/** How the page says times, lengths, sizes and causes. Pure; local time. */

const two = (n: number) => String(n).padStart(2, "0");

/** "20:14:03" in local time; `tenths` adds ".2". */
export function clock(ms: number, { tenths = false, seconds = true } = {}): string {
  const whole = tenths ? Math.floor(ms / 100) * 100 : Math.floor(ms / 1000) * 1000;
  const at = new Date(whole);
  const text = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (!seconds) return text;
  return `${text}:${two(at.getSeconds())}${tenths ? `.${Math.floor(at.getMilliseconds() / 100)}` : ""}`;
}

/** "9 min 42 s", "6 s", "0.4 s", "1 h 2 min". Seconds in. */
export function ofLength(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 9.95) return `${trim(s.toFixed(1))} s`;
  const whole = Math.round(s);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  const [big, small] =
    minutes < 60 ? [`${minutes} min`, `${whole % 60} s`] : [`${Math.floor(minutes / 60)} h`, `${minutes % 60} min`];
  return small.startsWith("0 ") ? big : `${big} ${small}`;
}

const trim = (decimal: string) => decimal.replace(/\.0$/, "");

/** "1:00", "12:07", "1:02:03": the length of a clip. */
export function runningTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export const GB = 1024 ** 3;

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** "29 MB", "1.9 GB": steps of 1024, so that a quota set as 5 GB is shown as 5 GB. */
export function ofSize(bytes: number): string {
  let [value, unit] = [Math.max(0, bytes), 0];
  while (value >= 1023.5 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  const digits = value < 9.95 && unit > 1 ? 1 : 0;
  return `${trim(value.toFixed(digits))} ${UNITS[unit]}`;
}

/** "3.8 Mbit/s" or "640 kbit/s". */
export function ofRate(bitsPerSecond: number): string {
  return bitsPerSecond >= 999_500
    ? `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`
    : `${Math.round(bitsPerSecond / 1000)} kbit/s`;
}

const CODECS: Record<string, string> = {
  h264: "H.264",
  vp8: "VP8",
  vp9: "VP9",
  av1: "AV1",
  opus: "Opus",
  aac: "AAC",
};

export function codecName(codec: string): string {
  return CODECS[codec.toLowerCase()] ?? codec;
}

const FORMATS = [720, 1080, 1440, 2160];

/** "1080p" for usual heights, "1280 x 800" for others. */
export function pictureSize(width: number, height: number): string {
  return FORMATS.includes(height) && Math.abs(width / height - 16 / 9) < 0.02 ? `${height}p` : `${width} × ${height}`;
}

/** "just now", "18 min ago", "yesterday", "Mon", "3 Nov". */
export function ago(ms: number, nowMs: number): string {
  const minutes = Math.floor((nowMs - ms) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const days = Math.round((midnight(nowMs) - midnight(ms)) / 86_400_000);
  if (days === 0) return `today, ${clock(ms, { seconds: false })}`;
  if (days === 1) return "yesterday";
  const at = new Date(ms);
  return days < 7
    ? at.toLocaleDateString("en", { weekday: "short" })
    : at.toLocaleDateString("en", { day: "numeric", month: "short", ...(days > 300 && { year: "numeric" }) });
}

function midnight(ms: number): number {
  const day = new Date(ms);
  return day.setHours(0, 0, 0, 0);
}

const CAUSES: Record<string, string> = {
  reconnect: "the share was interrupted",
  egress: "LiveKit Egress delivered nothing",
  loss: "pictures were lost on the network",
  damaged: "a part on disk cannot be read",
  storage: "the disk did not take it",
  missing: "a part is gone from disk",
};

/** Why there is a gap, as the end of a sentence. */
export function causeOf(cause: string): string {
  return CAUSES[cause] ?? cause;
}

/** "1 gap of 6 s", "3 gaps, 14 s in all", "" when there are none. Seconds in. */
export function gapSummary(lengths: number[]): string {
  if (lengths.length === 0) return "";
  const all = ofLength(lengths.reduce((sum, one) => sum + one, 0));
  return lengths.length === 1 ? `1 gap of ${all}` : `${lengths.length} gaps, ${all} in all`;
}
