/** Room, age, size; and what is special about the clip, as tags. */

import type { Clip } from "../api/types";
import { ago, clock, codecName, gapSummary, ofSize, runningTime } from "../app/words";
import classes from "./Clips.module.css";

export function ClipFacts({ clip }: { clip: Clip }) {
  const from = Date.parse(clip.delivered.start);
  return (
    <p className={classes.dim}>
      {clip.roomName} · {clock(from)} to {clock(Date.parse(clip.delivered.end))} · {runningTime(clip.durationSeconds)}{" "}
      · {ofSize(clip.sizeBytes)}
    </p>
  );
}

export function ClipLine({ clip }: { clip: Clip }) {
  return (
    <p className={classes.dim}>
      {clip.roomName} · {ago(Date.parse(clip.createdAt), Date.now())} · {ofSize(clip.sizeBytes)}
    </p>
  );
}

export function ClipTags({ clip }: { clip: Clip }) {
  return (
    <div className={classes.tags}>
      {tagsOf(clip).map((tag) => (
        <span key={tag} className={classes.tag}>
          {tag}
        </span>
      ))}
    </div>
  );
}

function tagsOf(clip: Clip): string[] {
  const gaps = clip.gaps
    .filter((gap) => gap.track !== "audio")
    .map((gap) => (Date.parse(gap.end) - Date.parse(gap.start)) / 1000);
  const format = clip.contentType === "video/webm" ? "WebM" : "MP4";
  const codec = clip.video ? `${format} · ${codecName(clip.video.codec)}` : format;
  return [gaps.length ? gapSummary(gaps) : "exact", codec, ...(clip.audio ? [] : ["no sound"])];
}
