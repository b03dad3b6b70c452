/** A clip in the library. */

import { ActionIcon, Tooltip, UnstyledButton } from "@mantine/core";

import type { Clip } from "../api/types";
import { Icon, type IconName } from "../app/icons";
import { copyLink } from "../app/toast";
import { runningTime } from "../app/words";
import { ClipLine, ClipTags } from "./ClipFacts";
import classes from "./Clips.module.css";
import { ClipTitle } from "./ClipTitle";
import { Mp4 } from "./Mp4";
import { Thumb } from "./Thumb";
import { useClipActions } from "./useClipActions";

export function ClipCard({ clip, onPlay }: { clip: Clip; onPlay: () => void }) {
  const { remove } = useClipActions();
  return (
    <li className={classes.card} data-testid="clip-card">
      <UnstyledButton
        className={classes.poster ?? ""}
        onClick={onPlay}
        aria-label={`Play ${clip.title}, ${runningTime(clip.durationSeconds)}`}
      >
        <Thumb clip={clip} />
        <span className={classes.playMark} aria-hidden>
          <Icon name="play" size={44} />
        </span>
      </UnstyledButton>
      <div className={classes.body}>
        <ClipTitle clip={clip} />
        <ClipLine clip={clip} />
        <ClipTags clip={clip} />
        <Mp4 clip={clip} />
        <div className={classes.actions}>
          <Action icon="play" label={`Play ${clip.title}`} tip="Play" onClick={onPlay} />
          <Tooltip label="Download">
            <ActionIcon
              component="a"
              href={clip.downloadUrl}
              download
              variant="subtle"
              color="gray"
              c="var(--dim)"
              size={34}
              aria-label={`Download ${clip.title}`}
            >
              <Icon name="download" />
            </ActionIcon>
          </Tooltip>
          <Action
            icon="link"
            label={`Copy the link of ${clip.title}`}
            tip="Copy link"
            onClick={() => void copyLink(clip.videoUrl)}
          />
          <Action icon="trash" label={`Delete ${clip.title}`} tip="Delete" onClick={() => remove(clip)} />
        </div>
      </div>
    </li>
  );
}

function Action({ icon, label, tip, onClick }: { icon: IconName; label: string; tip: string; onClick: () => void }) {
  return (
    <Tooltip label={tip}>
      <ActionIcon variant="subtle" color="gray" c="var(--dim)" size={34} aria-label={label} onClick={onClick}>
        <Icon name={icon} />
      </ActionIcon>
    </Tooltip>
  );
}
