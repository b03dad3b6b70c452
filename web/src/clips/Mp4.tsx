/** The MP4 of a WebM clip: made on request, with progress, for players that only know MP4. */

import { Anchor, Button, Progress } from "@mantine/core";

import type { Clip, Rendition } from "../api/types";
import { ofSize } from "../app/words";
import classes from "./Clips.module.css";
import { useClipActions } from "./useClipActions";

export function Mp4({ clip }: { clip: Clip }) {
  const { makeMp4, cancelMp4 } = useClipActions();
  if (clip.contentType !== "video/webm") return null;
  const newest = clip.renditions.filter((one) => one.format === "mp4" && one.status !== "cancelled").at(-1);
  if (!newest) {
    return (
      <div className={classes.rendition}>
        <Button size="compact-sm" variant="default" onClick={() => makeMp4(clip)}>
          Make an MP4
        </Button>
      </div>
    );
  }
  return (
    <div className={classes.rendition} role="status">
      <State rendition={newest} onCancel={() => cancelMp4(clip, newest.renditionId)} onRetry={() => makeMp4(clip)} />
    </div>
  );
}

function State({
  rendition,
  onCancel,
  onRetry,
}: {
  rendition: Rendition;
  onCancel: () => void;
  onRetry: () => void;
}) {
  if (rendition.status === "ready" && rendition.url) {
    const size = rendition.sizeBytes ? ` (${ofSize(rendition.sizeBytes)})` : "";
    return (
      <Anchor href={rendition.url} download>
        Download the MP4{size}
      </Anchor>
    );
  }
  if (rendition.status === "failed") {
    return (
      <>
        <span>No MP4: {rendition.reason ?? "it could not be made"}</span>
        <Button size="compact-sm" variant="default" onClick={onRetry}>
          Try again
        </Button>
      </>
    );
  }
  const percent = Math.round(rendition.progress * 100);
  return (
    <>
      <Progress value={percent} size={4} flex="1 1 100%" aria-label="Making the MP4" />
      <span>{rendition.status === "queued" ? "MP4 is waiting its turn" : `making the MP4, ${percent} %`}</span>
      <Button size="compact-sm" variant="subtle" color="gray" c="var(--text)" ml="auto" onClick={onCancel}>
        Cancel
      </Button>
    </>
  );
}
