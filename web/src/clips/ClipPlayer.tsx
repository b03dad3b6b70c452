/** A clip, playing, with what can be done about it. */

import { Button, TagsInput } from "@mantine/core";
import { useState } from "react";

import { useClip } from "../api/queries";
import type { Clip } from "../api/types";
import { Icon } from "../app/icons";
import { ClipFacts } from "./ClipFacts";
import classes from "./Clips.module.css";
import { ClipTitle } from "./ClipTitle";
import { Mp4 } from "./Mp4";
import { Sharing } from "./Sharing";
import { useClipActions } from "./useClipActions";
import { useKnown } from "./useKnown";
import { useMayChange } from "./useMayChange";

interface ClipPlayerProps {
  clip: Clip;
  onClose: () => void;
  closeLabel: string;
}

export function ClipPlayer({ clip: given, onClose, closeLabel }: ClipPlayerProps) {
  const { data } = useClip(given.clipId);
  const clip = data ?? given;
  const mine = useMayChange()(clip);
  return (
    <div className={classes.player} data-testid="clip-player">
      <ClipVideo key={clip.clipId} clip={clip} />
      <div className={classes.playerBar}>
        <div>
          <ClipTitle clip={clip} />
          <ClipFacts clip={clip} />
        </div>
        {mine && (
          <Sharing clip={clip}>
            {(toggle) => (
              <Button variant="default" leftSection={<Icon name="share" />} onClick={toggle}>
                Share
              </Button>
            )}
          </Sharing>
        )}
        <Download clip={clip} />
        <Button variant="default" leftSection={<Icon name="close" />} onClick={onClose}>
          {closeLabel}
        </Button>
      </div>
      {mine && <Tags clip={clip} />}
      {mine && <Mp4 clip={clip} />}
    </div>
  );
}

export function Download({ clip }: { clip: Pick<Clip, "downloadUrl"> }) {
  return (
    <Button variant="default" component="a" href={clip.downloadUrl} download leftSection={<Icon name="download" />}>
      Download
    </Button>
  );
}

function Tags({ clip }: { clip: Clip }) {
  const { change } = useClipActions();
  const known = useKnown((one) => one.tags, null);
  return (
    <TagsInput
      aria-label="Tags"
      placeholder={clip.tags.length ? "" : "Tags: type one and press Enter"}
      data={known}
      value={clip.tags}
      maxTags={20}
      maxLength={40}
      leftSection={<span className={classes.dim}>#</span>}
      onChange={(tags) => change(clip, { tags })}
    />
  );
}

/** The address is kept as it was when the player opened: a renewed signature must not restart the video. */
export function ClipVideo({ clip }: { clip: Pick<Clip, "videoUrl" | "title"> }) {
  const [src] = useState(clip.videoUrl);
  const [failed, setFailed] = useState(false);
  return (
    <>
      <video
        className={classes.video}
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
