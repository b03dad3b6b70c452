/** The page around the pages. */

import { useDisclosure } from "@mantine/hooks";

import { BufferPage } from "../buffer/BufferPage";
import { ClipsPage } from "../clips/ClipsPage";
import { Header } from "./Header";
import { Help } from "./Help";
import { Login } from "./Login";
import { useRoute } from "./route";
import { useShortcuts } from "./shortcuts";
import { useToken } from "./token";

export function App() {
  return useToken() ? <SignedIn /> : <Login />;
}

function SignedIn() {
  const route = useRoute();
  const [helpOpened, help] = useDisclosure(false);
  useShortcuts({ help: help.open });
  return (
    <>
      <Header route={route} onHelp={help.open} />
      {route.page === "buffer" ? <BufferPage /> : <ClipsPage clipId={route.clipId} />}
      <Help opened={helpOpened} onClose={help.close} />
    </>
  );
}
