/** Brand, pages, quota, who one is, dark or light. */

import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";

import { useMe } from "../api/queries";
import type { Me } from "../api/types";
import classes from "./App.module.css";
import { Brand } from "./Brand";
import { Icon } from "./icons";
import { looksAfterSomething, may } from "./may";
import { QuotaBar } from "./QuotaBar";
import { addressOf, ALL_CLIPS, type Route } from "./route";
import { ofSize } from "./words";

export function Header({ route, onHelp }: { route: Route; onHelp: () => void }) {
  const { data: me } = useMe();
  return (
    <header className={classes.header}>
      <a className={classes.skip} href="#main" onClick={focusMain}>
        Skip to the page
      </a>
      <a className={classes.home} href={addressOf({ page: "buffer" })}>
        <Brand />
      </a>
      <nav className={classes.nav} aria-label="Pages">
        <PageLink to={{ page: "buffer" }} now={route} label="Buffer" />
        {me?.joinsLivekit && <PageLink to={{ page: "room" }} now={route} label="Room" />}
        <PageLink to={ALL_CLIPS} now={route} label="Clips" />
        {looksAfterSomething(me) && (
          <PageLink to={{ page: "community", scope: null, tab: null }} now={route} label="Community" />
        )}
        {may(me, "MANAGE_REPLAY_LIMITS", null) && <PageLink to={{ page: "system" }} now={route} label="System" />}
      </nav>
      <div className={classes.me}>
        {me && <Quota me={me} />}
        {me && (
          <a
            className={classes.name}
            href={addressOf({ page: "you" })}
            {...(route.page === "you" && { "aria-current": "page" as const })}
          >
            {me.name ?? me.userId}
          </a>
        )}
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
  return (
    <>
      <span className={classes.used}>
        {ofSize(me.usedBytes)} of {ofSize(me.quotaBytes)}
      </span>
      <span className={classes.quota}>
        <QuotaBar usedBytes={me.usedBytes} quotaBytes={me.quotaBytes} />
      </span>
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
