/** The end of what was loaded: more comes by itself when it is near, and by the button for whoever does not scroll. */

import { Button } from "@mantine/core";
import { useEffect, useRef } from "react";

import classes from "./App.module.css";

const AHEAD = "800px";

interface MoreProps {
  what: string;
  loading: boolean;
  onMore: () => void;
}

export function More({ what, loading, onMore }: MoreProps) {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (loading || !end.current) return;
    const watcher = new IntersectionObserver(([seen]) => seen?.isIntersecting && onMore(), { rootMargin: AHEAD });
    watcher.observe(end.current);
    return () => watcher.disconnect();
  });
  return (
    <div ref={end} className={classes.more}>
      <Button variant="default" loading={loading} onClick={onMore}>
        Show more {what}
      </Button>
    </div>
  );
}
