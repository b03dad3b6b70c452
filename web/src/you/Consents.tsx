/** Whether one may be buffered, altogether and by room; and whether a buffer may begin by itself. */

import { Switch } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";

import { getConsent, sayConsent } from "../api/audit";
import type { Consent, ConsentWish } from "../api/types";
import { AddName } from "../app/Add";
import { Answer } from "../app/Answer";
import { Panel } from "../app/Panel";
import { useChange } from "../app/useChange";
import classes from "./You.module.css";

type Say = (said: ConsentWish, words: string) => Promise<boolean>;

export function Consents() {
  const consent = useQuery({ queryKey: ["consent"], queryFn: getConsent });
  const change = useChange(["consent"]);
  const client = useQueryClient();
  const say: Say = (said, words) =>
    change({ work: () => sayConsent(said), said: words }).finally(
      () => void client.invalidateQueries({ queryKey: ["sessions"] }),
    );
  return (
    <Panel title="Being buffered" aside="What you say here stands above everybody's settings.">
      <Answer to={consent}>
        {(known) => (
          <>
            <Altogether consent={known} say={say} />
            <InRooms rooms={known.rooms} say={say} />
          </>
        )}
      </Answer>
    </Panel>
  );
}

function Altogether({ consent, say }: { consent: Consent; say: Say }) {
  const allowed = consent.buffering === "allow";
  return (
    <>
      <Switch
        size="md"
        label="My screen shares may be buffered"
        description="Off: a buffer of yours that runs is stopped at once, and none starts."
        checked={allowed}
        onChange={(event) =>
          event.currentTarget.checked
            ? void say({ buffering: "allow" }, "Your shares may be buffered again.")
            : void say({ buffering: "forbid" }, "Nobody can buffer you now. What ran was stopped.")
        }
      />
      <Switch
        mt="md"
        size="md"
        label="Start by itself when I share"
        description="In communities that leave the choice to you."
        checked={allowed && consent.autoStart}
        disabled={!allowed}
        onChange={(event) =>
          event.currentTarget.checked
            ? void say({ autoStart: true }, "A buffer starts by itself when you share.")
            : void say({ autoStart: false }, "You start buffers yourself.")
        }
      />
    </>
  );
}

function InRooms({ rooms, say }: { rooms: Consent["rooms"]; say: Say }) {
  const said = rooms.filter((room) => room.buffering !== null);
  return (
    <div className={classes.rooms}>
      {said.map(({ roomName, buffering }) => (
        <Switch
          key={roomName}
          mb="xs"
          size="md"
          label={`May be buffered in “${roomName}”`}
          checked={buffering === "allow"}
          onChange={(event) =>
            event.currentTarget.checked
              ? void say({ roomName, buffering: "allow" }, `You may be buffered in “${roomName}”.`)
              : void say({ roomName, buffering: "forbid" }, `Nobody can buffer you in “${roomName}” now.`)
          }
        />
      ))}
      <AddName
        label="Not in this room"
        placeholder="Room's name"
        maxLength={255}
        verb="Forbid"
        onAdd={(name) => say({ roomName: name, buffering: "forbid" }, `Nobody can buffer you in “${name}” now.`)}
      />
    </div>
  );
}
