/** A community, or the whole server: its settings, people and audit trail, as far as the user looks after them. */

import { Button, Loader } from "@mantine/core";
import { useDisclosure, useDocumentTitle } from "@mantine/hooks";

import { useMe } from "../api/queries";
import { Icon } from "../app/icons";
import { may } from "../app/may";
import { Notice } from "../app/Notice";
import { addressOf, go } from "../app/route";
import { Audit } from "../audit/Audit";
import { Users } from "../users/Users";
import { Usages } from "../users/Usages";
import classes from "./Community.module.css";
import { Members } from "./Members";
import { NewCommunity } from "./NewCommunity";
import { Roles } from "./Roles";
import { Rooms } from "./Rooms";
import { Scope, useScopes } from "./Scope";
import { Settings } from "./Settings";
import { type Tab, TAB_WORDS, tabsFor } from "./tabs";

export default function CommunityPage({ scope: asked, tab }: { scope: string | null; tab: string | null }) {
  useDocumentTitle("Community · Lookback");
  const { data: me } = useMe();
  const [makingOpened, making] = useDisclosure(false);
  const scopes = useScopes(me);
  // The address of the menu names neither: then it is the first thing the user looks after.
  const scope = tab === null && asked === null ? (scopes[0]?.scope ?? null) : asked;
  const tabs = tabsFor(me, scope);
  const shown = tabs.find((one) => one === tab) ?? tabs[0];
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <div className={classes.head}>
        <h1>Community</h1>
        <Scope
          scope={scope}
          scopes={scopes}
          onChoose={(to) => go({ page: "community", scope: to, tab: tabFor(to) })}
        />
        {may(me, "MANAGE_REPLAY_LIMITS", null) && (
          <Button variant="default" size="xs" leftSection={<Icon name="plus" size={14} />} onClick={making.open}>
            New
          </Button>
        )}
        <nav className={classes.tabs} aria-label="Parts">
          {tabs.map((one) => (
            <a
              key={one}
              href={addressOf({ page: "community", scope, tab: one })}
              {...(one === shown && { "aria-current": "page" as const })}
            >
              {TAB_WORDS[one]}
            </a>
          ))}
        </nav>
      </div>
      {shown ? <Part key={scope} tab={shown} scope={scope} /> : <Nothing pending={!me} />}
      {makingOpened && <NewCommunity onClose={making.close} />}
    </main>
  );

  function tabFor(to: string | null): string | null {
    const there = tabsFor(me, to);
    return there.find((one) => one === shown) ?? there[0] ?? null;
  }
}

function Part({ tab, scope }: { tab: Tab; scope: string | null }) {
  switch (tab) {
    case "settings":
      return <Settings communityId={scope ?? ""} />;
    case "rooms":
      return <Rooms communityId={scope ?? ""} />;
    case "users":
      return <Users />;
    case "usage":
      return <Usages scope={scope} />;
    case "roles":
      return <Roles scope={scope} />;
    case "members":
      return <Members scope={scope} />;
    case "audit":
      return <Audit communityId={scope} />;
  }
}

function Nothing({ pending }: { pending: boolean }) {
  if (pending) return <Loader m="xl" aria-label="Loading" />;
  return (
    <Notice
      sentence="There is nothing here for you to look after."
      nextStep="Whoever runs this server, or the community, can give you a role for it."
    />
  );
}
