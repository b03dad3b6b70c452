/** What one may do here, and who says so. */

import type { Me } from "../api/types";
import { Icon } from "../app/icons";
import { Panel } from "../app/Panel";
import { linesOf } from "./rights";
import classes from "./You.module.css";

export function Rights({ me }: { me: Me }) {
  return (
    <Panel title="What you may do">
      <ul className={classes.rights}>
        {linesOf(me).map(({ words, why }) => (
          <li key={words} data-may={why.length > 0}>
            <Icon name={why.length ? "check" : "close"} size={16} />
            <span>
              {words}
              <small>{why.length ? why.join("; ") : "not allowed"}</small>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
