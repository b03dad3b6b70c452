/** Brand, pages, quota, who one is, dark or light. */

import { ActionIcon, Progress, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";

import { useMe } from "../api/queries";
import type { Me } from "../api/types";
import classes from "./App.module.css";
import { Icon } from "./icons";
import { addressOf, type Route } from "./route";
import { ofSize } from "./words";

export function Header({ route, onHelp }: { route: Route; onHelp: () => void }) {
  const { data: me } = useMe();
  return (
    <header className={classes.header}>
      <a className={classes.skip} href="#main" onClick={focusMain}>
        Skip to the page
      </a>
      <a className={classes.brand} href={addressOf({ page: "buffer" })}>
        <span className={classes.ring} aria-hidden />
        Lookback
      </a>
      <nav className={classes.nav} aria-label="Pages">
        <PageLink to={{ page: "buffer" }} now={route} label="Buffer" />
        <PageLink to={{ page: "clips", clipId: null }} now={route} label="Clips" />
      </nav>
      <div className={classes.me}>
        {me && <Quota me={me} />}
        {me && <span className={classes.name}>{me.name ?? me.userId}</span>}
        <Tooltip label="Keys">
          <ActionIcon variant="subtle" color="gray" c="var(--dim)" aria-label="Keyboard shortcuts" onClick={onHelp}>
            <b>?</b>
          </ActionIcon>
        </Tooltip>
        <ThemeButton />
      </div>
    </header>
  );
}

function focusMain(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function PageLink({ to, now, label }: { to: Route; now: Route; label: string }) {
  const current = to.page === now.page;
  return (
    <a href={addressOf(to)} {...(current && { "aria-current": "page" as const })}>
      {label}
    </a>
  );
}

function Quota({ me }: { me: Me }) {
  if (!me.quotaBytes) return <span className={classes.used}>{ofSize(me.usedBytes)} of clips</span>;
  const percent = Math.min(100, (me.usedBytes / me.quotaBytes) * 100);
  const words = `${ofSize(me.usedBytes)} of ${ofSize(me.quotaBytes)}`;
  return (
    <>
      <span className={classes.used}>{words}</span>
      <Progress.Root className={classes.quota ?? ""} size={6} radius={3} bg="var(--raised)">
        <Progress.Section
          value={percent}
          color={percent > 90 ? "var(--live)" : "var(--ok)"}
          aria-label={`${words} used`}
        />
      </Progress.Root>
    </>
  );
}

function ThemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("dark");
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <Tooltip label={`Make it ${other}`}>
      <ActionIcon
        variant="subtle"
        color="gray"
        c="var(--dim)"
        aria-label={`Switch to ${other} colours`}
        onClick={() => setColorScheme(other)}
      >
        <Icon name={scheme === "dark" ? "sun" : "moon"} />
      </ActionIcon>
    </Tooltip>
  );
}
