/** Who may see a clip, and its link. Changes are kept at once. */

import { Button, Popover, Radio } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";

import { useMe } from "../api/queries";
import type { Clip, Me, Visibility } from "../api/types";
import { Icon } from "../app/icons";
import { copyText } from "../app/toast";
import classes from "./Clips.module.css";
import { useClipActions } from "./useClipActions";

interface SharingProps {
  clip: Clip;
  /** The button that opens it. */
  children: (toggle: () => void) => ReactNode;
}

export function Sharing({ clip, children }: SharingProps) {
  const [opened, popover] = useDisclosure(false);
  return (
    <Popover
      opened={opened}
      onChange={popover.toggle}
      width={290}
      position="bottom-end"
      trapFocus
      returnFocus
      withRoles={false}
      shadow="lg"
    >
      <Popover.Target>
        <span className={classes.target}>{children(popover.toggle)}</span>
      </Popover.Target>
      <Popover.Dropdown role="dialog" aria-label={`Share ${clip.title}`}>
        <WhoMaySee clip={clip} />
      </Popover.Dropdown>
    </Popover>
  );
}

function WhoMaySee({ clip }: { clip: Clip }) {
  const { change } = useClipActions();
  const { data: me } = useMe();
  return (
    <div className={classes.sharing}>
      <Radio.Group
        label="Who may see it"
        value={clip.visibility}
        onChange={(visibility) => change(clip, { visibility: visibility as Visibility })}
      >
        {choicesFor(clip, me).map(({ value, label, description }) => (
          <Radio key={value} value={value} label={label} description={description} mt={9} />
        ))}
      </Radio.Group>
      {clip.visibility === "link" && <CopyLink address={clip.shareUrl} />}
    </div>
  );
}

function CopyLink({ address }: { address: string | null }) {
  const copy = () => address && void copyText(new URL(address, location.href).href, COPIED);
  return (
    <Button fullWidth mt="sm" leftSection={<Icon name="link" />} loading={address === null} onClick={copy}>
      Copy link
    </Button>
  );
}

const COPIED = "Link copied. It works until you make the clip private again.";

function choicesFor(clip: Clip, me: Me | undefined) {
  const name = me?.communities.find((one) => one.communityId === clip.communityId)?.name ?? clip.communityId;
  return [
    { value: "private", label: "Only you", description: "And those who look after the server." },
    ...(clip.communityId ? [{ value: "community", label: name, description: "Everybody in this community." }] : []),
    { value: "link", label: "Anyone with the link", description: "Without signing in." },
  ];
}
