/**
 * Plays any moment of a replay buffer, or follows its live edge, from the segment files as they are.
 *
 * One loop (`pump`) does one thing at a time: open, fetch, append, evict, jump. What to do is decided in schedule.ts.
 */

import type { Segment } from "../api/types";
import { fetchBytes, GoneError } from "./bytes";
import {
  type Cursor,
  edgeOf,
  evictions,
  followEdge,
  hasSound,
  isBuffered,
  jumpOver,
  keysIn,
  keysOf,
  LIVE_LAG_MS,
  nextPiece,
  type Piece,
  type Span,
} from "./schedule";
import { MediaSink, UnplayableError } from "./source";

const TICK_MS = 100;
const AHEAD_MS = 12_000;
const KEEP_BEHIND_SECONDS = 45;
const KEEP_AHEAD_SECONDS = 45;
const PIECE_BYTES = 6_000_000;
const RETRY_MS = 1000;
const MARGIN_MS = 1000;

/** What the page shows of the player. */
export interface PlayerView {
  positionMs: number | null;
  live: boolean;
  paused: boolean;
  /** Bytes for the picture at the position are on their way. */
  loading: boolean;
  muted: boolean;
  problem: string | null;
}

export const IDLE_VIEW: PlayerView = {
  positionMs: null,
  live: true,
  paused: false,
  loading: true,
  muted: true,
  problem: null,
};

export class BufferPlayer {
  private segments: readonly Segment[] = [];
  private sink: MediaSink | null = null;
  private originMs = 0;
  private cursor: Cursor | null = null;
  private readonly have = new Set<string>();
  private targetMs: number | null = null;
  private wantsPlay = true;
  private live = true;
  private asleep = false;
  private busy = false;
  private notBefore = 0;
  private request: AbortController | null = null;
  private frameSeconds = 1 / 30;
  private lastFrame = 0;
  private problem: string | null = null;
  private view = IDLE_VIEW;
  private readonly listeners = new Set<() => void>();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(private readonly video: HTMLVideoElement) {
    video.muted = true;
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.watchFrames();
  }

  destroy(): void {
    clearInterval(this.timer);
    this.request?.abort();
    this.asleep = true;
    this.video.removeAttribute("src");
    this.video.load();
  }

  readonly subscribe = (tell: () => void): (() => void) => {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  };

  readonly getView = (): PlayerView => this.view;

  /** The newest knowledge of what is buffered. */
  setSegments(segments: readonly Segment[]): void {
    this.segments = segments;
    this.tick();
  }

  /** Stop fetching and playing while something else is on the stage. */
  sleep(asleep: boolean): void {
    this.asleep = asleep;
    if (asleep) this.video.pause();
    else this.tick();
  }

  goLive(): void {
    this.live = true;
    this.wantsPlay = true;
    const edge = edgeOf(this.segments);
    if (edge !== null) this.moveTo(edge - LIVE_LAG_MS);
  }

  /** Show the picture at the instant (epoch ms); playing goes on if it was. */
  seek(ms: number): void {
    const [oldest, edge] = [this.segments[0]?.start, edgeOf(this.segments)];
    if (oldest === undefined || edge === null) return;
    this.live = false;
    this.video.playbackRate = 1;
    this.moveTo(Math.min(Math.max(ms, oldest), edge - 40));
  }

  togglePlay(): void {
    this.wantsPlay = !this.wantsPlay;
    if (!this.wantsPlay) this.live = false;
    this.tick();
  }

  /** Hold the picture and go so many frames forward or back. */
  step(frames: number): void {
    this.wantsPlay = false;
    this.video.pause();
    const at = this.originMs + this.lastFrame * 1000;
    this.seek(at + (frames + 0.5) * this.frameSeconds * 1000); // the middle of that frame
  }

  setMuted(muted: boolean): void {
    this.video.muted = muted;
    this.publish();
  }

  get positionMs(): number | null {
    if (this.targetMs !== null) return this.targetMs;
    return this.sink ? this.originMs + this.video.currentTime * 1000 : null;
  }

  private moveTo(ms: number): void {
    this.request?.abort();
    this.notBefore = 0;
    this.problem = null;
    this.targetMs = ms;
    this.applyTarget();
    if (!isBuffered(this.bufferedMs(), ms)) this.forgetAround(ms);
    this.tick();
  }

  /** The browser may have dropped what we appended: around an unbuffered target, believe only what it has. */
  private forgetAround(ms: number): void {
    for (const key of keysIn(this.segments, { start: ms - 1, end: ms + AHEAD_MS })) this.have.delete(key);
  }

  private applyTarget(): void {
    if (this.targetMs === null || !this.sink || this.video.readyState < HTMLMediaElement.HAVE_METADATA) return;
    this.video.currentTime = (this.targetMs - this.originMs) / 1000;
    this.targetMs = null;
  }

  private tick(): void {
    if (this.asleep) return;
    if (this.live) this.follow();
    this.applyTarget();
    this.playOrPause();
    void this.pump();
    this.publish();
  }

  private follow(): void {
    const [edge, position] = [edgeOf(this.segments), this.positionMs];
    if (edge === null) return;
    if (position === null) {
      this.targetMs = Math.max(edge - LIVE_LAG_MS, this.segments[0]?.start ?? 0);
      return;
    }
    const { seek, rate } = followEdge(edge - position);
    if (seek && this.targetMs === null && !this.busy) this.moveTarget(edge - LIVE_LAG_MS);
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
  }

  private moveTarget(ms: number): void {
    this.targetMs = ms;
    this.applyTarget();
  }

  private playOrPause(): void {
    if (!this.wantsPlay) this.video.pause();
    else if (this.video.paused && this.sink) this.video.play().catch(() => undefined); // refused before a gesture: retried
  }

  private async pump(): Promise<void> {
    if (this.busy || this.asleep || performance.now() < this.notBefore) return;
    this.busy = true;
    try {
      while (!this.asleep && (await this.work()));
    } catch (error) {
      this.recover(error);
    } finally {
      this.busy = false;
      this.publish();
    }
  }

  /** Do the next thing; false when there is nothing to do now. */
  private async work(): Promise<boolean> {
    const position = this.positionMs;
    if (position === null) return false;
    if (this.sink && (this.video.error || !this.sink.isOpen)) return this.reopenBehind(position);
    const piece = nextPiece({
      segments: this.segments,
      have: this.have,
      cursor: this.cursor,
      positionMs: position,
      aheadMs: AHEAD_MS,
      maxBytes: PIECE_BYTES,
    });
    if (piece && this.fits(piece, position)) {
      await this.take(piece);
      return true;
    }
    await this.evict(KEEP_BEHIND_SECONDS, KEEP_AHEAD_SECONDS);
    this.jump(position);
    return false;
  }

  /** Sound cannot come or go within one source buffer: such a piece waits until it is due. */
  private fits(piece: Piece, position: number): boolean {
    if (!this.sink || hasSound(this.sink.type) === hasSound(piece.segment.mimeType)) return true;
    if (piece.segment.start > position) return false;
    this.reset();
    return true;
  }

  private async take(piece: Piece): Promise<void> {
    const request = new AbortController();
    this.request = request;
    const bytes = await fetchBytes(piece.segment.mediaUrl, piece.from, piece.to, request.signal).catch((error) => {
      if (error instanceof GoneError) return null; // evicted meanwhile: the next timeline no longer lists it
      throw error;
    });
    if (request.signal.aborted) return;
    if (bytes) await this.append(piece, bytes);
    for (const key of keysOf(piece)) this.have.add(key);
    this.cursor = bytes ? { segment: piece.segment.number, next: piece.last } : null;
    this.applyTarget();
  }

  private async append(piece: Piece, bytes: ArrayBuffer): Promise<void> {
    if (!this.sink) {
      this.originMs = (this.segments[0]?.start ?? piece.segment.start) - MARGIN_MS;
      this.targetMs ??= piece.segment.start;
      this.sink = await MediaSink.open(this.video, piece.segment.mimeType, this.originMs);
    }
    if (piece.fresh) this.sink.restart(piece.segment.mimeType);
    try {
      await this.sink.append(bytes);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "QuotaExceededError")) throw error;
      await this.evict(3, 3);
      await this.sink.append(bytes);
    }
  }

  private async evict(behind: number, ahead: number): Promise<void> {
    if (!this.sink || this.targetMs !== null) return;
    for (const span of evictions(this.sink.buffered, this.video.currentTime, behind, ahead)) {
      await this.sink.remove(span);
      const [start, end] = [this.originMs + span.start * 1000, this.originMs + span.end * 1000];
      for (const key of keysIn(this.segments, { start, end })) this.have.delete(key);
    }
  }

  private jump(position: number): void {
    if (!this.sink || isBuffered(this.sink.buffered, (position - this.originMs) / 1000)) return;
    const target = jumpOver({
      segments: this.segments,
      have: this.have,
      buffered: this.bufferedMs(),
      positionMs: position,
    });
    if (target !== null && target > position) this.moveTarget(target + 1);
  }

  private bufferedMs(): Span[] {
    const scale = (seconds: number) => this.originMs + seconds * 1000;
    return (this.sink?.buffered ?? []).map((range) => ({ start: scale(range.start), end: scale(range.end) }));
  }

  /** The decoder gave up: go on behind the place, with a new source. */
  private reopenBehind(position: number): boolean {
    const next = this.segments.find((segment) => segment.start > position);
    this.reset();
    this.targetMs = next?.start ?? position;
    this.notBefore = performance.now() + RETRY_MS;
    return false;
  }

  private reset(): void {
    this.targetMs ??= this.positionMs;
    this.sink = null;
    this.cursor = null;
    this.have.clear();
  }

  private recover(error: unknown): void {
    if (error instanceof DOMException && error.name === "AbortError") {
      setTimeout(() => this.tick()); // somebody sought elsewhere
      return;
    }
    this.notBefore = performance.now() + RETRY_MS;
    this.cursor = null;
    this.problem = error instanceof UnplayableError ? error.message : null;
    if (this.sink && !this.sink.isOpen) this.reset();
  }

  private watchFrames(): void {
    const seen: VideoFrameRequestCallback = (_, frame) => {
      const step = frame.mediaTime - this.lastFrame;
      if (step > 0.005 && step < 0.25 && !this.video.paused) this.frameSeconds = step;
      this.lastFrame = frame.mediaTime;
      this.video.requestVideoFrameCallback(seen);
    };
    this.video.requestVideoFrameCallback?.(seen);
  }

  private publish(): void {
    const positionMs = this.positionMs;
    const shown = positionMs !== null && isBuffered(this.bufferedMs(), positionMs);
    const next: PlayerView = {
      positionMs,
      live: this.live,
      paused: !this.wantsPlay,
      loading: !shown && this.busy,
      muted: this.video.muted,
      problem: this.problem,
    };
    if ((Object.keys(next) as (keyof PlayerView)[]).every((key) => next[key] === this.view[key])) return;
    this.view = next;
    for (const tell of this.listeners) tell();
  }
}
