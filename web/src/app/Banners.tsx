/** What everybody should know of how the server is just now, above every page. */

import { useMe } from "../api/queries";
import classes from "./App.module.css";
import { may } from "./may";
import { Notice } from "./Notice";
import { addressOf, type Route } from "./route";

export function Banners({ route }: { route: Route }) {
  const { data: me } = useMe();
  if (!me?.notices.length) return null;
  const looksAfterIt = may(me, "MANAGE_REPLAY_LIMITS", null) && route.page !== "system";
  return (
    <div className={classes.banners}>
      {me.notices.map(({ level, sentence }) => (
        <Notice key={sentence} tone={level === "broken" ? "bad" : "calm"} sentence={`${sentence}.`}>
          {looksAfterIt && <a href={addressOf({ page: "system" })}>What is wrong</a>}
        </Notice>
      ))}
    </div>
  );
}
