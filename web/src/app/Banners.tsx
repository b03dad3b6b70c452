/** What one should know of how the server is just now, above every page. */

import { Button } from "@mantine/core";
import { useSessionStorage } from "@mantine/hooks";

import { useMe } from "../api/queries";
import type { Me } from "../api/types";
import classes from "./App.module.css";
import { may } from "./may";
import { Notice } from "./Notice";
import { addressOf, type Route } from "./route";

type Told = Me["notices"][number];

export function Banners({ route }: { route: Route }) {
  const { data: me } = useMe();
  const [hidden, setHidden] = useSessionStorage<string[]>({
    key: "lookback.hidden-notices",
    defaultValue: [],
    getInitialValueInEffect: false,
  });
  const told = me?.notices.filter((one) => !(mayWait(one) && hidden.includes(one.sentence))) ?? [];
  if (told.length === 0) return null;
  const looksAfterIt = may(me, "MANAGE_REPLAY_LIMITS", null) && route.page !== "system";
  return (
    <div className={classes.banners}>
      {told.map((one) => (
        <Notice key={one.sentence} tone={one.level === "broken" ? "bad" : "calm"} sentence={`${one.sentence}.`}>
          {looksAfterIt && <a href={addressOf({ page: "system" })}>What is wrong</a>}
          {mayWait(one) && (
            <Button
              variant="default"
              size="compact-sm"
              aria-label={`Hide: ${one.sentence}`}
              onClick={() => setHidden([...hidden, one.sentence])}
            >
              Hide
            </Button>
          )}
        </Notice>
      ))}
    </div>
  );
}

/** A disk that works, but not as it should: told to those who look after it, until they have read it. */
const mayWait = ({ kind, level }: Told) => kind === "storage" && level === "warning";
