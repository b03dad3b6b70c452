/** Which community is looked at; the whole server is one of the choices for those who look after it. */

import { useQuery } from "@tanstack/react-query";

import { getCommunities } from "../api/people";
import type { Me } from "../api/types";
import { Choice } from "../app/Choice";
import { tabsFor } from "./tabs";

export interface ScopeChoice {
  scope: string | null;
  label: string;
}

const SERVER = "";

export function useScopes(me: Me | undefined): ScopeChoice[] {
  const { data } = useQuery({ queryKey: ["communities"], queryFn: getCommunities });
  const all: ScopeChoice[] = [
    ...(data?.items ?? []).map(({ communityId, name }) => ({ scope: communityId, label: name ?? communityId })),
    { scope: null, label: "The whole server" },
  ];
  return all.filter(({ scope }) => tabsFor(me, scope).length > 0);
}

interface ScopeProps {
  scope: string | null;
  scopes: ScopeChoice[];
  onChoose: (scope: string | null) => void;
}

export function Scope({ scope, scopes, onChoose }: ScopeProps) {
  const listed = scopes.some((one) => one.scope === scope);
  const choices = listed || scope === null ? scopes : [...scopes, { scope, label: scope }];
  if (choices.length < 2) return <span>{choices[0]?.label}</span>;
  return (
    <Choice
      label="Which community"
      value={scope ?? SERVER}
      usual=""
      options={choices.map((one) => [one.scope ?? SERVER, one.label])}
      onChange={(chosen) => onChoose(chosen === SERVER ? null : chosen)}
    />
  );
}
