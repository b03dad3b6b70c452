/** Where the toasts stand: out of the way of the button that made them. */

import { useMediaQuery } from "@mantine/hooks";
import { Notifications } from "@mantine/notifications";

export function Toasts() {
  const small = useMediaQuery("(max-width: 700px)");
  return <Notifications position={small ? "top-center" : "bottom-right"} limit={3} containerWidth={360} />;
}
