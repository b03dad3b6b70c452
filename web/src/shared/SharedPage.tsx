/** A clip that somebody shared by link: it plays, without signing in. */

import { Loader } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";

import { getSharedClip } from "../api/clips";
import { explain, Problem } from "../api/problem";
import type { SharedClip } from "../api/types";
import { Brand } from "../app/Brand";
import { Notice } from "../app/Notice";
import { ago, ofSize, runningTime } from "../app/words";
import { ClipVideo, Download } from "../clips/ClipPlayer";
import classes from "./Shared.module.css";

export default function SharedPage({ shareKey }: { shareKey: string }) {
  const { data: clip, error } = useQuery({
    queryKey: ["shared", shareKey],
    queryFn: () => getSharedClip(shareKey),
    refetchOnWindowFocus: false, // a renewed address must not restart the video
  });
  useDocumentTitle(clip ? `${clip.title} · Lookback` : "Lookback");
  return (
    <>
      <header className={classes.header}>
        <Brand />
      </header>
      <main id="main" className={classes.page}>
        {error && <Notice tone="bad" {...sentenceOf(error)} />}
        {!clip && !error && <Loader aria-label="Loading" />}
        {clip && (
          <div className={classes.clip} data-testid="clip-player">
            <ClipVideo clip={clip} />
            <div className={classes.bar}>
              <div>
                <h1>{clip.title}</h1>
                <p>{lineOf(clip)}</p>
              </div>
              <Download clip={clip} />
            </div>
          </div>
        )}
      </main>
    </>
  );
}

function lineOf(clip: SharedClip): string {
  const when = ago(Date.parse(clip.createdAt), Date.now());
  const facts = [when, runningTime(clip.durationSeconds), ofSize(clip.sizeBytes)];
  return (clip.userName ? [`Saved by ${clip.userName}`, ...facts] : facts).join(" · ");
}

function sentenceOf(error: Error) {
  if (!(error instanceof Problem) || error.code !== "not-found") return explain(error);
  return {
    sentence: "There is no clip behind this link.",
    nextStep: "It may have been deleted or made private again. Ask whoever sent it to you.",
  };
}
