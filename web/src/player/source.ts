/** One MediaSource with one SourceBuffer, with promises: a thin layer that knows the browser's traps. */

import type { Span } from "./schedule";

/** Later than any instant a page stays open for: seeking beyond what is buffered must not be clamped. */
const SEEKABLE_SECONDS = 30 * 86_400;

export class UnplayableError extends Error {}

export class MediaSink {
  private constructor(
    private readonly media: MediaSource,
    private readonly buffer: SourceBuffer,
    private mimeType: string,
  ) {}

  /** Attach to the element. `originMs` becomes second 0 of its time. Throws UnplayableError. */
  static async open(video: HTMLVideoElement, mimeType: string, originMs: number): Promise<MediaSink> {
    if (!MediaSource.isTypeSupported(mimeType)) throw new UnplayableError(`This browser cannot play ${mimeType}.`);
    const media = new MediaSource();
    const url = URL.createObjectURL(media);
    video.src = url;
    await new Promise((resolve) => media.addEventListener("sourceopen", resolve, { once: true }));
    URL.revokeObjectURL(url);
    const buffer = media.addSourceBuffer(mimeType);
    buffer.timestampOffset = -originMs / 1000;
    media.setLiveSeekableRange?.(0, SEEKABLE_SECONDS);
    return new MediaSink(media, buffer, mimeType);
  }

  get type(): string {
    return this.mimeType;
  }

  get isOpen(): boolean {
    return this.media.readyState === "open";
  }

  /** Buffered ranges in seconds. */
  get buffered(): Span[] {
    if (!this.isOpen) return [];
    const ranges = this.buffer.buffered;
    return Array.from({ length: ranges.length }, (_, i) => ({ start: ranges.start(i), end: ranges.end(i) }));
  }

  /** Make ready for bytes that start with a header: whatever was torn before is forgotten. */
  restart(mimeType: string): void {
    this.buffer.abort();
    if (mimeType === this.mimeType) return;
    this.buffer.changeType(mimeType);
    this.mimeType = mimeType;
  }

  /** Append; throws QuotaExceededError when the browser has no room, and Error when the bytes do not parse. */
  append(bytes: BufferSource): Promise<void> {
    return this.change(() => this.buffer.appendBuffer(bytes));
  }

  remove(span: Span): Promise<void> {
    return this.change(() => this.buffer.remove(Math.max(0, span.start), span.end));
  }

  private change(begin: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (failed: boolean) => {
        this.buffer.removeEventListener("updateend", done);
        this.buffer.removeEventListener("error", fail);
        this.media.removeEventListener("sourceclose", fail);
        if (failed) reject(new Error("The browser could not take this part of the buffer."));
        else resolve();
      };
      const done = () => settle(false);
      const fail = () => settle(true);
      this.buffer.addEventListener("updateend", done);
      this.buffer.addEventListener("error", fail);
      this.media.addEventListener("sourceclose", fail);
      try {
        begin();
      } catch (error) {
        settle(false);
        reject(error);
      }
    });
  }
}
