/** Short messages at the corner, announced to screen readers, with what can be done about them. */

import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";

import { explain } from "../api/problem";
import classes from "./App.module.css";
import { freshId } from "./ids";

export interface ToastAction {
  label: string;
  onClick: () => void;
}

const STAYS_MS = 8000;

/** Show a message; one with the same id is replaced. Returns its id. */
export function toast(sentence: string, actions: ToastAction[] = [], id: string = freshId()): string {
  notifications.hide(id);
  const act = (action: ToastAction) => () => {
    notifications.hide(id);
    action.onClick();
  };
  notifications.show({
    id,
    autoClose: STAYS_MS,
    withBorder: true,
    closeButtonProps: { "aria-label": "Close this message" },
    message: (
      <div className={classes.toast}>
        <span>{sentence}</span>
        {actions.map((action) => (
          <Button
            key={action.label}
            variant="transparent"
            size="compact-sm"
            px={0}
            c="var(--link)"
            onClick={act(action)}
          >
            {action.label}
          </Button>
        ))}
      </div>
    ),
  });
  return id;
}

/** Say what failed and what to do next. */
export function toastProblem(error: unknown, actions: ToastAction[] = []): void {
  const { sentence, nextStep } = explain(error);
  toast(nextStep ? `${sentence} ${nextStep}` : sentence, actions);
}

/** Copy, and say so; or say why not. */
export async function copyText(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    toast(`The browser did not allow copying. This is what you wanted: ${text}`);
  }
}

/** A signed address: for now, without changing who may see the clip. */
export function copyLink(address: string): Promise<void> {
  const said = "Link copied. Whoever has it can watch for the next hours, without signing in.";
  return copyText(new URL(address, location.href).href, said);
}
