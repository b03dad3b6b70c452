/** The shared screen: one's own, or somebody else's. */

import { useEffect, useRef } from "react";

import type { Seen } from "./live";
import classes from "./Room.module.css";

export function Screen({ seen: { screen, sharer, sharing } }: { seen: Seen }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!screen || !element) return;
    screen.attach(element);
    return () => void screen.detach(element);
  }, [screen]);
  return (
    <div className={classes.stage}>
      <video ref={video} muted autoPlay playsInline aria-label="The shared screen" data-testid="screen" />
      {screen ? (
        <span className={classes.who}>{sharing ? "You are sharing" : `${sharer} is sharing`}</span>
      ) : (
        <p>Nobody is sharing a screen here yet.</p>
      )}
    </div>
  );
}
