/** The key that does what the button does. Not read out: the list behind "?" is the place for that. */

import { Kbd } from "@mantine/core";

export function KeyHint({ name, strong = false }: { name: string; strong?: boolean }) {
  return (
    <Kbd
      data-hint
      aria-hidden
      ml={10}
      size="xs"
      bg="transparent"
      c={strong ? "inherit" : "dimmed"}
      style={{ borderWidth: 1, borderColor: "currentColor", opacity: strong ? 0.8 : 1 }}
    >
      {name}
    </Kbd>
  );
}
