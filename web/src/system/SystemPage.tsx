/** How the server is, for those who look after it: disks and what goes next, health, and all sessions. */

import { useDocumentTitle } from "@mantine/hooks";

import { useMe } from "../api/queries";
import { Answer } from "../app/Answer";
import { may } from "../app/may";
import { Notice } from "../app/Notice";
import { HealthPanel } from "./HealthPanel";
import { SessionsPanel } from "./SessionsPanel";
import { SpacePanel } from "./SpacePanel";
import classes from "./System.module.css";

export default function SystemPage() {
  useDocumentTitle("System · Lookback");
  const me = useMe();
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <Answer to={me}>
        {(known) =>
          may(known, "MANAGE_REPLAY_LIMITS", null) ? (
            <>
              <h1>System</h1>
              <SpacePanel />
              <HealthPanel />
              <SessionsPanel />
            </>
          ) : (
            <Notice tone="bad" sentence="Only those who manage limits everywhere can see how the server is." />
          )
        }
      </Answer>
    </main>
  );
}
