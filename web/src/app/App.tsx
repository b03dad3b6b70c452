/** The page around the pages. */

import { Loader } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { lazy, Suspense } from "react";

import { BufferPage } from "../buffer/BufferPage";
import { ClipsPage } from "../clips/ClipsPage";
import { Banners } from "./Banners";
import { Header } from "./Header";
import { Help } from "./Help";
import { Login } from "./Login";
import { type Route, sharedKey, useRoute } from "./route";
import { useShortcuts } from "./shortcuts";
import { useToken } from "./token";

// What few visits need comes when it is asked for; livekit-client alone is half a megabyte.
const CommunityPage = lazy(() => import("../community/CommunityPage"));
const RoomPage = lazy(() => import("../room/RoomPage"));
const SharedPage = lazy(() => import("../shared/SharedPage"));
const SystemPage = lazy(() => import("../system/SystemPage"));
const YouPage = lazy(() => import("../you/YouPage"));

export function App() {
  const token = useToken();
  const key = sharedKey(location.pathname);
  if (key !== null) {
    return (
      <Later>
        <SharedPage shareKey={key} />
      </Later>
    );
  }
  return token ? <SignedIn /> : <Login />;
}

function SignedIn() {
  const route = useRoute();
  const [helpOpened, help] = useDisclosure(false);
  useShortcuts({ help: help.open });
  return (
    <>
      <Header route={route} onHelp={help.open} />
      <Banners route={route} />
      <Later>
        <Page route={route} />
      </Later>
      <Help opened={helpOpened} onClose={help.close} />
    </>
  );
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case "buffer":
      return <BufferPage />;
    case "clips":
      return <ClipsPage clipId={route.clipId} />;
    case "room":
      return <RoomPage />;
    case "community":
      return <CommunityPage scope={route.scope} tab={route.tab} />;
    case "you":
      return <YouPage />;
    case "system":
      return <SystemPage />;
  }
}

function Later({ children }: { children: React.ReactNode }) {
  return <Suspense fallback={<Loader m="xl" aria-label="Loading" />}>{children}</Suspense>;
}
