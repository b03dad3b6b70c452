/** The rules of a community. A partial change: two people who change different things do not undo each other. */

import { Button, Select, Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId, useState } from "react";

import { changeConfig, getConfig } from "../api/people";
import { explain } from "../api/problem";
import type { Config } from "../api/types";
import { Answer } from "../app/Answer";
import { Notice } from "../app/Notice";
import { Panel } from "../app/Panel";
import { toast } from "../app/toast";
import classes from "./Community.module.css";
import { changeOf, type Draft, refusedField, SETTINGS, type Setting, shownOf } from "./config";

export function Settings({ communityId }: { communityId: string }) {
  const config = useQuery({ queryKey: ["config", communityId], queryFn: () => getConfig(communityId) });
  return (
    <Panel title="Settings" aside="Changes hold at once, also for buffers that run where that makes sense.">
      <Answer to={config}>{(known) => <Form communityId={communityId} config={known} />}</Answer>
    </Panel>
  );
}

function Form({ communityId, config }: { communityId: string; config: Config }) {
  const [draft, setDraft] = useState<Draft>({});
  const saving = useSaving(communityId, () => setDraft({}));
  const change = changeOf(config, draft);
  const changed = Object.keys(change).length;
  const refusal = saving.error ? explain(saving.error) : null;
  const refused = refusal && refusedField(refusal.sentence);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (changed) saving.mutate(change);
  };
  const enter = (setting: Setting) => (value: string | boolean) => {
    saving.reset();
    setDraft({ ...draft, [setting.key]: value });
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      {refusal && !refused && <Notice tone="bad" {...refusal} />}
      {SETTINGS.map((setting) => (
        <Field
          key={setting.key}
          setting={setting}
          value={draft[setting.key] ?? shownOf(setting, config[setting.key])}
          wrong={refused?.key === setting.key ? refused.reason : null}
          onChange={enter(setting)}
        />
      ))}
      <div className={classes.foot}>
        <Button type="submit" disabled={!changed} loading={saving.isPending}>
          Save changes
        </Button>
        {changed > 0 && (
          <Button variant="default" onClick={() => (saving.reset(), setDraft({}))}>
            Leave it as it was
          </Button>
        )}
      </div>
    </form>
  );
}

function useSaving(communityId: string, onSaved: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: Partial<Config>) => changeConfig(communityId, change),
    onSuccess: (config) => {
      client.setQueryData(["config", communityId], config);
      void client.invalidateQueries({ queryKey: ["communities"] });
      void client.invalidateQueries({ queryKey: ["me"] });
      onSaved();
      toast("Saved.");
    },
  });
}

interface FieldProps {
  setting: Setting;
  value: string | boolean;
  /** Why the server did not take it. */
  wrong: string | null;
  onChange: (value: string | boolean) => void;
}

function Field(props: FieldProps) {
  const { setting, wrong } = props;
  const id = useId();
  return (
    <div className={classes.setting}>
      <div>
        <label htmlFor={id}>{setting.label}</label>
        <p id={`${id}-help`}>{setting.help}</p>
        {wrong !== null && (
          <p id={`${id}-wrong`} className={classes.wrong} role="alert">
            {wrong}
          </p>
        )}
      </div>
      <Control {...props} id={id} describedBy={wrong === null ? `${id}-help` : `${id}-wrong`} />
    </div>
  );
}

function Control({
  setting,
  value,
  wrong,
  onChange,
  id,
  describedBy,
}: FieldProps & { id: string; describedBy: string }): ReactNode {
  const shared = { id, "aria-describedby": describedBy };
  switch (setting.kind) {
    case "switch":
      return (
        <Switch {...shared} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />
      );
    case "choice":
      return (
        <Select
          {...shared}
          allowDeselect={false}
          data={setting.options.map(([option, label]) => ({ value: option, label }))}
          value={String(value)}
          error={wrong !== null}
          onChange={(chosen) => chosen !== null && onChange(chosen)}
        />
      );
    case "text":
      return (
        <TextInput
          {...shared}
          maxLength={200}
          autoComplete="off"
          value={String(value)}
          placeholder={setting.empty}
          error={wrong !== null}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case "number":
      return (
        <TextInput
          {...shared}
          inputMode="decimal"
          autoComplete="off"
          value={String(value)}
          placeholder={setting.empty ?? ""}
          error={wrong !== null}
          rightSection={<span className={classes.dim}>{setting.unit}</span>}
          rightSectionWidth={64}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
  }
}
