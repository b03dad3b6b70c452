/**
 * Plays any moment of a replay buffer, or follows its live edge, from the segment files as they are.
 *
 * `pump` does one thing at a time; a clock of 100 ms and every wish of the page set it going.
 */

import type { Segment } from "../api/types";
import { Feed } from "./feed";
import { FrameClock } from "./frames";
import { edgeOf, followEdge, LIVE_LAG_MS } from "./schedule";
import { UnplayableError } from "./source";

const TICK_MS = 100;
const RETRY_MS = 1000;
/** The last frame lasts at least about this long: the end itself shows nothing. */
const LAST_FRAME_MS = 40;

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
  private readonly feed: Feed;
  private readonly frames: FrameClock;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly listeners = new Set<() => void>();
  private view = IDLE_VIEW;
  /** Where to go as soon as the element can; null when it is there. */
  private targetMs: number | null = null;
  private wantsPlay = true;
  private live = true;
  private asleep = false;
  private busy = false;
  private notBefore = 0;
  private problem: string | null = null;

  constructor(private readonly video: HTMLVideoElement) {
    video.muted = true;
    this.feed = new Feed(video);
    this.frames = new FrameClock(video);
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  destroy(): void {
    clearInterval(this.timer);
    this.asleep = true;
    this.feed.interrupt();
    this.video.removeAttribute("src");
    this.video.load();
  }

  readonly subscribe = (tell: () => void): (() => void) => {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  };

  readonly getView = (): PlayerView => this.view;

  get positionMs(): number | null {
    return this.targetMs ?? this.feed.positionMs;
  }

  /** The newest knowledge of what is buffered. */
  setSegments(segments: readonly Segment[]): void {
    this.feed.segments = segments;
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
    const edge = edgeOf(this.feed.segments);
    if (edge !== null) this.jumpTo(edge - LIVE_LAG_MS);
  }

  /** Show the picture at the instant (epoch ms); playing goes on if it was. */
  seek(ms: number): void {
    this.frames.forgetStep();
    this.leaveLive(ms);
  }

  togglePlay(): void {
    this.wantsPlay = !this.wantsPlay;
    if (!this.wantsPlay) this.hold();
    this.tick();
  }

  /** Stop at the picture that is seen: the clock may be some frames ahead of it. */
  private hold(): void {
    this.live = false;
    this.video.pause();
    const seen = this.targetMs === null ? this.frames.seen() : null;
    if (seen !== null) this.leaveLive(this.feed.toMs(seen));
  }

  /** Hold the picture and go so many frames forward or back. */
  step(frames: number): void {
    this.wantsPlay = false;
    this.video.pause();
    this.leaveLive(this.feed.toMs(this.frames.step(frames)));
  }

  setMuted(muted: boolean): void {
    this.video.muted = muted;
    this.publish();
  }

  private leaveLive(ms: number): void {
    const [oldest, edge] = [this.feed.segments[0]?.start, edgeOf(this.feed.segments)];
    if (oldest === undefined || edge === null) return;
    this.live = false;
    this.video.playbackRate = 1;
    this.jumpTo(Math.min(Math.max(ms, oldest), edge - LAST_FRAME_MS));
  }

  private jumpTo(ms: number): void {
    this.feed.interrupt();
    this.notBefore = 0;
    this.problem = null;
    this.moveTo(ms);
    if (!this.feed.shows(ms)) this.feed.forgetAround(ms);
    this.tick();
  }

  private moveTo(ms: number): void {
    this.targetMs = ms;
    this.applyTarget();
  }

  private applyTarget(): void {
    if (this.targetMs === null || !this.feed.isReady) return;
    this.video.currentTime = this.feed.toSeconds(this.targetMs);
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
    const [edge, position] = [edgeOf(this.feed.segments), this.positionMs];
    if (edge === null) return;
    if (position === null) {
      this.targetMs = Math.max(edge - LIVE_LAG_MS, this.feed.segments[0]?.start ?? 0);
      return;
    }
    const { seek, rate } = followEdge(edge - position);
    if (seek && this.targetMs === null && !this.busy) this.moveTo(edge - LIVE_LAG_MS);
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
  }

  private playOrPause(): void {
    if (!this.wantsPlay) this.video.pause();
    else if (this.video.paused && this.feed.isReady) this.video.play().catch(() => undefined); // tried again soon
  }

  private async pump(): Promise<void> {
    if (this.busy || performance.now() < this.notBefore) return;
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
    if (this.feed.isBroken) return this.reopenBehind(position);
    const piece = this.feed.next(position);
    if (piece) {
      if (!this.feed.fits(piece)) this.reset();
      await this.feed.take(piece);
      this.applyTarget();
      return true;
    }
    if (this.targetMs === null) await this.feed.evict();
    const behind = this.feed.behindHole(position);
    if (behind !== null && behind > position && this.positionMs === position) this.moveTo(behind + 1);
    return false;
  }

  /** The decoder gave up: go on behind the place, with a new source. */
  private reopenBehind(position: number): boolean {
    const next = this.feed.segments.find((segment) => segment.start > position);
    this.reset();
    this.targetMs = next?.start ?? position;
    this.notBefore = performance.now() + RETRY_MS;
    return false;
  }

  private reset(): void {
    this.targetMs = this.positionMs;
    this.feed.reset();
  }

  private recover(error: unknown): void {
    if (error instanceof DOMException && error.name === "AbortError") {
      setTimeout(() => this.tick()); // somebody sought elsewhere
      return;
    }
    this.notBefore = performance.now() + RETRY_MS;
    this.problem = error instanceof UnplayableError ? error.message : null;
    this.feed.forgetCursor();
  }

  private publish(): void {
    const positionMs = this.positionMs;
    const next: PlayerView = {
      positionMs,
      live: this.live,
      paused: !this.wantsPlay,
      loading: this.feed.fetching && !(positionMs !== null && this.feed.shows(positionMs)),
      muted: this.video.muted,
      problem: this.problem,
    };
    if ((Object.keys(next) as (keyof PlayerView)[]).every((key) => next[key] === this.view[key])) return;
    this.view = next;
    for (const tell of this.listeners) tell();
  }
}
