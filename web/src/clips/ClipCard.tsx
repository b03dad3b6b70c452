/** A clip in the library. */

import { ActionIcon, Tooltip, UnstyledButton } from "@mantine/core";

import type { Clip } from "../api/types";
import { Icon, type IconName } from "../app/icons";
import { runningTime } from "../app/words";
import { ClipLine, ClipTags } from "./ClipFacts";
import classes from "./Clips.module.css";
import { ClipTitle } from "./ClipTitle";
import { Mp4 } from "./Mp4";
import { Sharing } from "./Sharing";
import { Thumb } from "./Thumb";
import { useClipActions } from "./useClipActions";
import { useMayChange } from "./useMayChange";

interface ClipCardProps {
  clip: Clip;
  picked: boolean;
  onPick: (range: boolean) => void;
  onPlay: () => void;
  onTag: (tag: string) => void;
}

export function ClipCard({ clip, picked, onPick, onPlay, onTag }: ClipCardProps) {
  const mine = useMayChange()(clip);
  return (
    <li className={classes.card} data-testid="clip-card" data-clip={clip.clipId} data-picked={picked}>
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
      {mine && <Pick title={clip.title} picked={picked} onPick={onPick} />}
      <Actions clip={clip} mine={mine} />
      <div className={classes.body}>
        <ClipTitle clip={clip} />
        <ClipLine clip={clip} />
        <ClipTags clip={clip} onTag={onTag} />
        {mine && <Mp4 clip={clip} />}
      </div>
    </li>
  );
}

function Pick({ title, picked, onPick }: { title: string; picked: boolean; onPick: (range: boolean) => void }) {
  return (
    <label className={classes.pick}>
      <input
        type="checkbox"
        aria-label={`Select ${title}`}
        checked={picked}
        onChange={(event) => onPick((event.nativeEvent as MouseEvent).shiftKey)}
      />
    </label>
  );
}

/** Over the picture, for whoever points at the card or comes by keyboard; always where nothing can point. */
function Actions({ clip, mine }: { clip: Clip; mine: boolean }) {
  const { remove } = useClipActions();
  return (
    <div className={classes.actions}>
      <Tooltip label="Download">
        <ActionIcon component="a" href={clip.downloadUrl} download {...OVER} aria-label={`Download ${clip.title}`}>
          <Icon name="download" />
        </ActionIcon>
      </Tooltip>
      {mine && (
        <>
          <Sharing clip={clip}>
            {(toggle) => <Action icon="share" label={`Share ${clip.title}`} tip="Share" onClick={toggle} />}
          </Sharing>
          <Action icon="trash" label={`Delete ${clip.title}`} tip="Delete" onClick={() => remove(clip)} />
        </>
      )}
    </div>
  );
}

const OVER = { variant: "filled", color: "#000b", c: "#fff", size: 32 } as const;

interface ActionProps {
  icon: IconName;
  label: string;
  tip: string;
  onClick: () => void;
}

function Action({ icon, label, tip, onClick }: ActionProps) {
  return (
    <Tooltip label={tip}>
      <ActionIcon {...OVER} aria-label={label} onClick={onClick}>
        <Icon name={icon} />
      </ActionIcon>
    </Tooltip>
  );
}
