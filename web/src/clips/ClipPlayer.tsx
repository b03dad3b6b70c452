/** A clip, playing, with what can be done about it. */

import { Button } from "@mantine/core";
import { useState } from "react";

import { useClip } from "../api/queries";
import type { Clip } from "../api/types";
import { Icon } from "../app/icons";
import { copyLink } from "../app/toast";
import { ClipFacts } from "./ClipFacts";
import classes from "./Clips.module.css";
import { ClipTitle } from "./ClipTitle";
import { Mp4 } from "./Mp4";

interface ClipPlayerProps {
  clip: Clip;
  onClose: () => void;
  closeLabel: string;
}

export function ClipPlayer({ clip: given, onClose, closeLabel }: ClipPlayerProps) {
  const { data } = useClip(given.clipId);
  const clip = data ?? given;
  return (
    <div className={classes.player} data-testid="clip-player">
      <ClipVideo key={clip.clipId} clip={clip} />
      <div className={classes.playerBar}>
        <div>
          <ClipTitle clip={clip} />
          <ClipFacts clip={clip} />
        </div>
        <Button variant="default" leftSection={<Icon name="link" />} onClick={() => void copyLink(clip.videoUrl)}>
          Copy link
        </Button>
        <Button
          variant="default"
          component="a"
          href={clip.downloadUrl}
          download
          leftSection={<Icon name="download" />}
        >
          Download
        </Button>
        <Button variant="default" leftSection={<Icon name="close" />} onClick={onClose}>
          {closeLabel}
        </Button>
      </div>
      <Mp4 clip={clip} />
    </div>
  );
}

/** The address is kept as it was when the player opened: a renewed signature must not restart the video. */
function ClipVideo({ clip }: { clip: Clip }) {
  const [src] = useState(clip.videoUrl);
  const [failed, setFailed] = useState(false);
  return (
    <>
      <video
        src={src}
        controls
        autoPlay
        playsInline
        preload="auto"
        aria-label={clip.title}
        data-testid="clip-video"
        onError={() => setFailed(true)}
      />
      {failed && (
        <p role="alert">
          This browser could not play the clip. Download it, or make an MP4 of it, and try another player.
        </p>
      )}
    </>
  );
}
