/** What can be done with the selected clips, where the thumb is. */

import { Button } from "@mantine/core";

import type { Clip } from "../api/types";
import { Icon } from "../app/icons";
import { KeyHint } from "../app/KeyHint";
import { ofSize } from "../app/words";
import classes from "./Clips.module.css";
import { counted } from "./useClipActions";

interface PickedBarProps {
  clips: Clip[];
  onDelete: () => void;
  onClear: () => void;
}

export function PickedBar({ clips, onDelete, onClear }: PickedBarProps) {
  const bytes = clips.reduce((sum, clip) => sum + clip.sizeBytes, 0);
  return (
    <div className={classes.pickedBar} role="region" aria-label="Selected clips">
      <span role="status">
        {counted(clips.length)} selected, {ofSize(bytes)}
      </span>
      <Button leftSection={<Icon name="trash" />} onClick={onDelete}>
        Delete
        <KeyHint name="Del" strong />
      </Button>
      <Button variant="default" onClick={onClear}>
        Clear
        <KeyHint name="Esc" />
      </Button>
    </div>
  );
}
