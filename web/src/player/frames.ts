/** Which frame is drawn, and where its neighbours are. Seconds of the element's time. */

const USUAL_SECONDS = 1 / 30;
const REMEMBERED = 30;
/** A busy machine draws so late at most. */
const NEAR_SECONDS = 0.5;

export class FrameClock {
  /** How long the last frames lasted as far as drawn ones tell: those that were not drawn make others seem longer. */
  private readonly lasted: number[] = [];
  private drawn = 0;
  /** The frame that was stepped to and is not drawn yet: the next step counts from there. */
  private stepped: number | null = null;

  constructor(private readonly video: HTMLVideoElement) {
    this.watch();
  }

  /** The middle of the frame so many frames on. */
  step(frames: number): number {
    this.stepped = (this.stepped ?? this.drawn) + frames * this.frameSeconds;
    return this.stepped + this.frameSeconds / 2;
  }

  /** The middle of the frame that is seen; null when that is not what is played, as in a seek. */
  seen(): number | null {
    const near = !this.video.seeking && Math.abs(this.video.currentTime - this.drawn) < NEAR_SECONDS;
    return near ? this.drawn + this.frameSeconds / 2 : null;
  }

  /** The position was changed otherwise. */
  forgetStep(): void {
    this.stepped = null;
  }

  private get frameSeconds(): number {
    return this.lasted.length ? Math.min(...this.lasted) : USUAL_SECONDS;
  }

  private watch(): void {
    const seen: VideoFrameRequestCallback = (_, { mediaTime }) => {
      const since = mediaTime - this.drawn;
      if (since > 0.005 && since < 0.25 && !this.video.paused) this.remember(since);
      this.drawn = mediaTime;
      if (this.stepped !== null && Math.abs(mediaTime - this.stepped) < this.frameSeconds / 2) this.stepped = null;
      this.video.requestVideoFrameCallback(seen);
    };
    this.video.requestVideoFrameCallback?.(seen);
  }

  private remember(seconds: number): void {
    this.lasted.push(seconds);
    if (this.lasted.length > REMEMBERED) this.lasted.shift();
  }
}
