/** The newest clips beside the stage. */

import { UnstyledButton, VisuallyHidden } from "@mantine/core";

import { useClips } from "../api/queries";
import type { Clip } from "../api/types";
import { addressOf, ALL_CLIPS } from "../app/route";
import { ago, gapSummary, ofSize } from "../app/words";
import { NO_FILTERS } from "../clips/filters";
import { Thumb } from "../clips/Thumb";
import classes from "./Buffer.module.css";

const SHOWN = 5;

export function LatestClips({ openId, onOpen }: { openId: string | null; onOpen: (clip: Clip) => void }) {
  const { data } = useClips(NO_FILTERS);
  const clips = data?.pages[0]?.items.slice(0, SHOWN) ?? [];
  return (
    <section aria-label="Latest clips">
      <div className={classes.asideHead}>
        <h2>Latest clips</h2>
        {clips.length > 0 && <a href={addressOf(ALL_CLIPS)}>all clips</a>}
      </div>
      {data && clips.length === 0 && <p className={classes.consent}>What you save appears here.</p>}
      {clips.map((clip) => (
        <UnstyledButton
          key={clip.clipId}
          className={classes.clip ?? ""}
          data-new={clip.clipId === openId}
          onClick={() => onOpen(clip)}
        >
          <VisuallyHidden>Play</VisuallyHidden>
          <Thumb clip={clip} />
          <span>
            <b>{clip.title}</b>
            <small>{lineOf(clip)}</small>
          </span>
        </UnstyledButton>
      ))}
    </section>
  );
}

function lineOf(clip: Clip): string {
  const gaps = clip.gaps
    .filter((gap) => gap.track !== "audio")
    .map((gap) => (Date.parse(gap.end) - Date.parse(gap.start)) / 1000);
  const what = gaps.length ? gapSummary(gaps) : "exact to the frame";
  return `${ago(Date.parse(clip.createdAt), Date.now())} · ${ofSize(clip.sizeBytes)} · ${what}`;
}
