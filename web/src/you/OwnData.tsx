/** One's own data: taken along, or erased. */

import { Button } from "@mantine/core";
import { useState } from "react";

import { exportData } from "../api/audit";
import type { Me } from "../api/types";
import { Icon } from "../app/icons";
import { Panel } from "../app/Panel";
import { setToken } from "../app/token";
import { toastProblem } from "../app/toast";
import { ofSize } from "../app/words";
import { Erasure } from "../users/Erasure";
import classes from "./You.module.css";

export function OwnData({ me }: { me: Me }) {
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const exportAll = () => {
    setBusy(true);
    void exportData(null)
      .catch(toastProblem)
      .finally(() => setBusy(false));
  };
  return (
    <Panel title="Your data" aside={`${ofSize(me.usedBytes)} of clips`}>
      <p className={classes.dim}>
        What this server holds of you: buffers, clips, links, what you said about consent.
      </p>
      <div className={classes.row}>
        <Button variant="default" leftSection={<Icon name="download" />} loading={busy} onClick={exportAll}>
          Export
        </Button>
        <Button variant="default" c="var(--live)" onClick={() => setAsked(true)}>
          Erase everything…
        </Button>
      </div>
      {asked && <Erasure userId={me.userId} own onClose={() => setAsked(false)} onErased={() => setToken(null)} />}
    </Panel>
  );
}
