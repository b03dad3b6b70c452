/** Rooms that were registered for a community. */

import { Button } from "@mantine/core";

import { getRooms, putRoom, removeRoom } from "../api/people";
import { usePages } from "../api/queries";
import { AddName } from "../app/Add";
import { Pages } from "../app/Pages";
import { Panel } from "../app/Panel";
import { Table } from "../app/Table";
import classes from "./Community.module.css";
import { useChange } from "../app/useChange";

export function Rooms({ communityId }: { communityId: string }) {
  const key = ["rooms", communityId];
  const rooms = usePages(key, (cursor) => getRooms(communityId, cursor));
  const change = useChange(key);
  const register = (name: string) =>
    change({
      work: () => putRoom(name, communityId),
      said: `“${name}” belongs to this community now.`,
      undo: () => removeRoom(name),
    });
  const remove = (name: string) =>
    change({
      work: () => removeRoom(name),
      said: `“${name}” is no longer registered.`,
      undo: () => putRoom(name, communityId),
    });
  return (
    <Panel
      title="Rooms"
      aside="Registered here; an app can register them, too, or name the community in LiveKit's metadata."
    >
      <Pages of={rooms} what="rooms">
        {(items) =>
          items.length === 0 ? (
            <p className={classes.dim}>No room is registered yet.</p>
          ) : (
            <Table
              label="Rooms"
              rows={items}
              keyOf={(room) => room.roomName}
              columns={[
                { name: "Room", cell: (room) => room.roomName },
                {
                  name: "",
                  right: true,
                  cell: (room) => (
                    <Button
                      size="compact-sm"
                      variant="default"
                      aria-label={`Remove ${room.roomName}`}
                      onClick={() => void remove(room.roomName)}
                    >
                      Remove
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Pages>
      <AddName label="Room's name" maxLength={255} verb="Register" onAdd={register} />
    </Panel>
  );
}
