/** A change that is kept at once, said, and can be taken back. */

import { useQueryClient } from "@tanstack/react-query";

import { toast, toastProblem } from "./toast";

interface Change {
  work: () => Promise<unknown>;
  said: string;
  /** What takes it back, if anything does. */
  undo?: () => Promise<unknown>;
}

/** `key`: what to ask the server for again afterwards. */
export function useChange(key: readonly unknown[]): (change: Change) => Promise<boolean> {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: key });
  const undoing = (undo: () => Promise<unknown>) => () => void undo().catch(toastProblem).finally(refresh);
  return async ({ work, said, undo }) => {
    try {
      await work();
      toast(said, undo ? [{ label: "Undo", onClick: undoing(undo) }] : []);
      return true;
    } catch (error) {
      toastProblem(error);
      return false;
    } finally {
      await refresh();
    }
  };
}
