/** What somebody may do, and where each right comes from, in words. Pure. */

import type { Me } from "../api/types";
import { PERMISSION_WORDS } from "../app/may";

type Right = Me["permissions"][number];

/** "everywhere, because you are an administrator"; "in Design team, by the role “moderator”". */
export function whyWords({ communityId, from }: Right, communities: Me["communities"]): string {
  const where = communityId === null ? "everywhere" : `in ${nameOf(communityId, communities)}`;
  const why = [...new Set(from.map(sourceWords))].join(", also ");
  return why ? `${where}, ${why}` : where;
}

function sourceWords({ kind, name }: Right["from"][number]): string {
  switch (kind) {
    case "admin":
      return "because you are an administrator";
    case "role":
      return `by the role “${name}”`;
    case "token":
      return name ? `by the role “${name}” in your token` : "by your token";
    default:
      return "as everybody does";
  }
}

const nameOf = (communityId: string, communities: Me["communities"]) =>
  communities.find((one) => one.communityId === communityId)?.name ?? communityId;

/** One line per permission, with every place where it holds; what holds everywhere needs no other place. */
export function linesOf({ permissions, communities }: Pick<Me, "permissions" | "communities">) {
  return Object.entries(PERMISSION_WORDS).map(([permission, words]) => {
    const held = permissions.filter((one) => one.permission === permission);
    const everywhere = held.filter((one) => one.communityId === null);
    return { words, why: (everywhere.length ? everywhere : held).map((one) => whyWords(one, communities)) };
  });
}
