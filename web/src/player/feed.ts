/**
 * Fills a media element with what the buffer has around a position: fetch, append, evict. What comes next is decided
 * in schedule.ts; this keeps what was given to the decoder so far.
 *
 * The element's time starts at `originMs`; everything else here is epoch milliseconds.
 */

import type { Segment } from "../api/types";
import { fetchBytes, GoneError } from "./bytes";
import {
  type Cursor,
  evictions,
  hasSound,
  isBuffered,
  jumpOver,
  keysIn,
  keysOf,
  nextPiece,
  type Piece,
  type Span,
  stalledAt,
} from "./schedule";
import { MediaSink } from "./source";

const AHEAD_MS = 12_000;
const KEEP_SECONDS = 45;
const KEEP_WHEN_FULL_SECONDS = 3;
const PIECE_BYTES = 6_000_000;
/** The first frame may be a little earlier than its segment says: it must not fall before zero, where it is dropped. */
const MARGIN_MS = 1000;

export class Feed {
  segments: readonly Segment[] = [];
  /** Bytes are on their way. */
  fetching = false;
  private sink: MediaSink | null = null;
  private originMs = 0;
  private cursor: Cursor | null = null;
  private readonly have = new Set<string>();
  private request: AbortController | null = null;

  constructor(private readonly video: HTMLVideoElement) {}

  /** Where the element is; null before there is anything to show. */
  get positionMs(): number | null {
    return this.sink ? this.toMs(this.video.currentTime) : null;
  }

  /** Whether the element takes a position. */
  get isReady(): boolean {
    return this.sink !== null && this.video.readyState >= HTMLMediaElement.HAVE_METADATA;
  }

  /** Whether the decoder gave up: `reset` and go on elsewhere. */
  get isBroken(): boolean {
    return this.sink !== null && (this.video.error !== null || !this.sink.isOpen);
  }

  get buffered(): Span[] {
    return (this.sink?.buffered ?? []).map(({ start, end }) => ({ start: this.toMs(start), end: this.toMs(end) }));
  }

  toMs(seconds: number): number {
    return this.originMs + seconds * 1000;
  }

  toSeconds(ms: number): number {
    return (ms - this.originMs) / 1000;
  }

  shows(ms: number): boolean {
    return isBuffered(this.buffered, ms);
  }

  /** Somewhere else is wanted: drop what is on its way. */
  interrupt(): void {
    this.request?.abort();
  }

  /** The browser may have dropped what was appended: around an unbuffered target, believe only what it has. */
  forgetAround(ms: number): void {
    for (const key of keysIn(this.segments, { start: ms - 1, end: ms + AHEAD_MS })) this.have.delete(key);
  }

  /** Forget everything that was given to the decoder; the next piece opens a new source. */
  reset(): void {
    this.sink = null;
    this.forgetCursor();
    this.have.clear();
  }

  /** After a torn append the next piece must start with a header. */
  forgetCursor(): void {
    this.cursor = null;
  }

  /** What to fetch next for the position; null when enough is there, or when sound comes or goes later on. */
  next(positionMs: number): Piece | null {
    const piece = nextPiece({
      segments: this.segments,
      have: this.have,
      cursor: this.cursor,
      positionMs,
      aheadMs: AHEAD_MS,
      maxBytes: PIECE_BYTES,
    });
    return piece && (this.fits(piece) || piece.segment.start <= positionMs) ? piece : null;
  }

  /** A source buffer cannot change its number of tracks. */
  fits(piece: Piece): boolean {
    return !this.sink || hasSound(this.sink.type) === hasSound(piece.segment.mimeType);
  }

  /** Fetch and append; throws AbortError after `interrupt`, UnplayableError, and what the network or decoder says. */
  async take(piece: Piece): Promise<void> {
    const bytes = await this.fetch(piece);
    if (bytes) await this.append(piece, bytes);
    for (const key of keysOf(piece)) this.have.add(key);
    this.cursor = bytes ? { segment: piece.segment.number, next: piece.last } : null;
  }

  /** Where to go on when nothing can be shown at the position; null to wait. */
  behindHole(positionMs: number): number | null {
    const { buffered, segments, have } = this;
    const starving =
      !this.video.paused && !this.video.seeking && this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    const from = this.sink && stalledAt(buffered, positionMs, starving);
    return from === null ? null : jumpOver({ segments, have, buffered, positionMs: from });
  }

  async evict(seconds = KEEP_SECONDS): Promise<void> {
    if (!this.sink) return;
    for (const span of evictions(this.sink.buffered, this.video.currentTime, seconds, seconds)) {
      await this.sink.remove(span);
      const gone = { start: this.toMs(span.start), end: this.toMs(span.end) };
      for (const key of keysIn(this.segments, gone)) this.have.delete(key);
    }
  }

  /** Null: the segment left the buffer meanwhile, and the next timeline no longer lists it. */
  private async fetch(piece: Piece): Promise<ArrayBuffer | null> {
    this.request = new AbortController();
    this.fetching = true;
    try {
      return await fetchBytes(piece.segment.mediaUrl, piece.from, piece.to, this.request.signal);
    } catch (error) {
      if (error instanceof GoneError) return null;
      throw error;
    } finally {
      this.fetching = false;
    }
  }

  private async append(piece: Piece, bytes: ArrayBuffer): Promise<void> {
    if (!this.sink) {
      this.originMs = (this.segments[0]?.start ?? piece.segment.start) - MARGIN_MS;
      this.sink = await MediaSink.open(this.video, piece.segment.mimeType, this.originMs);
    }
    if (piece.fresh) this.sink.restart(piece.segment.mimeType);
    try {
      await this.sink.append(bytes);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "QuotaExceededError")) throw error;
      await this.evict(KEEP_WHEN_FULL_SECONDS);
      await this.sink.append(bytes);
    }
  }
}
