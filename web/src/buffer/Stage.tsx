/** The picture: live, or any moment of the buffer, or the clip that was just saved. */

import { ActionIcon, Button, Loader } from "@mantine/core";

import type { Clip, Session } from "../api/types";
import { Icon } from "../app/icons";
import { KeyHint } from "../app/KeyHint";
import { clock, ofLength } from "../app/words";
import { ClipPlayer } from "../clips/ClipPlayer";
import type { BufferPlayer } from "../player/player";
import { type PlayerHandle, usePlayerView } from "../player/usePlayer";
import classes from "./Buffer.module.css";

interface StageProps {
  session: Session;
  handle: PlayerHandle;
  skewMs: number;
  clip: Clip | null;
  onCloseClip: () => void;
}

export function Stage({ session, handle, skewMs, clip, onCloseClip }: StageProps) {
  return (
    <section aria-label={clip ? "Saved clip" : "Picture"}>
      {clip && <ClipPlayer clip={clip} onClose={onCloseClip} closeLabel="Back to the buffer" />}
      <div className={classes.stage} hidden={clip !== null}>
        <video ref={handle.attach} playsInline aria-label={`Screen of ${session.roomName}`} data-testid="stage" />
        <Over session={session} player={handle.player} />
        <Bar session={session} player={handle.player} skewMs={skewMs} />
      </div>
    </section>
  );
}

function Over({ session, player }: { session: Session; player: BufferPlayer | null }) {
  const { loading, problem, positionMs } = usePlayerView(player);
  const sentence = problem ?? waitingSentence(session, loading, positionMs);
  if (!sentence) return null;
  return (
    <div className={classes.over} role="status">
      <p>
        {!problem && <Loader size={18} color="gray" aria-hidden />}
        {sentence}
      </p>
    </div>
  );
}

function waitingSentence(session: Session, loading: boolean, positionMs: number | null): string | null {
  if (positionMs === null) {
    if (session.bufferedUntil) return "Fetching the buffer";
    return session.status === "starting" ? "Waiting for the first picture" : "Nothing is buffered";
  }
  return loading ? "Fetching this moment" : null;
}

function Bar({ session, player, skewMs }: { session: Session; player: BufferPlayer | null; skewMs: number }) {
  const view = usePlayerView(player);
  if (!player || view.positionMs === null) return null;
  const recording = session.status === "recording";
  return (
    <div className={classes.bar}>
      <StageButton
        label={view.paused ? "Play" : "Hold"}
        icon={view.paused ? "play" : "pause"}
        onClick={() => player.togglePlay()}
      />
      <StageButton
        label={view.muted ? "Sound on" : "Sound off"}
        icon={view.muted ? "muted" : "sound"}
        onClick={() => player.setMuted(!view.muted)}
      />
      <Moment positionMs={view.positionMs} live={view.live && recording} skewMs={skewMs} />
      {(!view.live || !recording) && (
        <Button className={classes.golive ?? ""} variant="default" onClick={() => player.goLive()}>
          {recording ? "Go live" : "To the end"}
          <KeyHint name="L" />
        </Button>
      )}
    </div>
  );
}

function StageButton({
  label,
  icon,
  onClick,
}: {
  label: string;
  icon: "play" | "pause" | "sound" | "muted";
  onClick: () => void;
}) {
  return (
    <ActionIcon
      className={classes.round ?? ""}
      variant="transparent"
      size={34}
      aria-label={label}
      title={label}
      onClick={onClick}
    >
      <Icon name={icon} />
    </ActionIcon>
  );
}

function Moment({ positionMs, live, skewMs }: { positionMs: number; live: boolean; skewMs: number }) {
  const ago = (Date.now() + skewMs - positionMs) / 1000;
  return (
    <span className={classes.at} data-testid="moment" data-live={live} data-position={Math.round(positionMs)}>
      {live && <i aria-hidden />}
      {clock(positionMs, { tenths: true })}
      <span>{live ? "live" : `${ofLength(ago < 10 ? ago : Math.round(ago))} ago`}</span>
    </span>
  );
}
