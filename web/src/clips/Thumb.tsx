/** A clip's poster with its length, or a quiet surface until there is one. */

import type { Clip } from "../api/types";
import { runningTime } from "../app/words";
import classes from "./Clips.module.css";

export function Thumb({ clip }: { clip: Clip }) {
  return (
    <span className={classes.thumb}>
      {clip.posterUrl && <img src={clip.posterUrl} alt="" loading="lazy" decoding="async" />}
      <b>{runningTime(clip.durationSeconds)}</b>
    </span>
  );
}
