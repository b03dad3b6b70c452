/** Room, age, size; and what is special about the clip, as tags. */

import type { Clip } from "../api/types";
import { ago, clock, codecName, gapSummary, ofSize, runningTime } from "../app/words";
import classes from "./Clips.module.css";

export function ClipFacts({ clip }: { clip: Clip }) {
  const from = Date.parse(clip.delivered.start);
  const facts = [
    clip.roomName,
    ...sharerOf(clip),
    `${clock(from)} to ${clock(Date.parse(clip.delivered.end))}`,
    runningTime(clip.durationSeconds),
    ofSize(clip.sizeBytes),
    formatOf(clip),
  ];
  return <p className={classes.dim}>{facts.join(" · ")}</p>;
}

export function ClipLine({ clip }: { clip: Clip }) {
  const when = ago(Date.parse(clip.createdAt), Date.now());
  return (
    <p className={classes.dim}>{[clip.roomName, ...sharerOf(clip), when, ofSize(clip.sizeBytes)].join(" · ")}</p>
  );
}

/** What is true of the clip, then what people call it; those are filters. */
export function ClipTags({ clip, onTag }: { clip: Clip; onTag: (tag: string) => void }) {
  return (
    <div className={classes.tags}>
      {truthsOf(clip).map((truth) => (
        <span key={truth} className={classes.tag}>
          {truth}
        </span>
      ))}
      {clip.tags.map((tag) => (
        <button
          type="button"
          key={`#${tag}`}
          className={classes.tag}
          title={`Show clips with #${tag}`}
          onClick={() => onTag(tag)}
        >
          #{tag}
        </button>
      ))}
    </div>
  );
}

const SEEN_BY = { private: "private", community: "community", link: "by link" };

function truthsOf(clip: Clip): string[] {
  const gaps = clip.gaps
    .filter((gap) => gap.track !== "audio")
    .map((gap) => (Date.parse(gap.end) - Date.parse(gap.start)) / 1000);
  return [
    gaps.length ? gapSummary(gaps) : "exact",
    ...(clip.mine ? [SEEN_BY[clip.visibility]] : []),
    ...(clip.audio ? [] : ["no sound"]),
  ];
}

/** Who shared what is seen, where that is somebody else. */
function sharerOf(clip: Clip): string[] {
  return clip.mine ? [] : [clip.sharer.name ?? clip.sharer.userId];
}

function formatOf(clip: Clip): string {
  return `${clip.contentType === "video/webm" ? "WebM" : "MP4"}, ${codecName(clip.video.codec)}`;
}
