/** What the installation depends on, the worst first, with the one thing to do. */

import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { getHealth } from "../api/system";
import type { Finding } from "../api/types";
import { Answer } from "../app/Answer";
import { Panel } from "../app/Panel";
import { clock } from "../app/words";
import { verdictOf } from "./sentences";
import classes from "./System.module.css";

const EVERY_MS = 60_000;
const WORST_FIRST: Finding["level"][] = ["broken", "warning", "ok"];

export function HealthPanel() {
  const health = useQuery({ queryKey: ["system", "health"], queryFn: getHealth, refetchInterval: EVERY_MS });
  const checked = health.data && `${verdictOf(health.data)}, ${clock(Date.parse(health.data.checkedAt))}`;
  return (
    <Panel title="Health" aside={checked}>
      <Answer to={health}>
        {({ findings }) => (
          <>
            <ul className={classes.findings}>
              {WORST_FIRST.flatMap((level) => findings.filter((one) => one.level === level)).map((one) => (
                <Line key={one.id} finding={one} />
              ))}
            </ul>
            <Button
              variant="default"
              size="compact-sm"
              loading={health.isFetching}
              onClick={() => void health.refetch()}
            >
              Look again
            </Button>
          </>
        )}
      </Answer>
    </Panel>
  );
}

function Line({ finding: { id, level, sentence, todo } }: { finding: Finding }) {
  return (
    <li data-level={level}>
      <span aria-label={level} role="img" />
      <div>
        {sentence}.{todo && <small>{todo}</small>}
        {level !== "ok" && <small className={classes.id}>{id}</small>}
      </div>
    </li>
  );
}
