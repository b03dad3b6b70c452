import "./app/styles";

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { createQueryClient } from "./api/queries";
import { App } from "./app/App";
import { theme, variables } from "./app/theme";
import { takeTokenFromAddress } from "./app/token";

takeTokenFromAddress();
const root = document.getElementById("root");
if (!root) throw new Error("The page has no root element");

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={createQueryClient()}>
      <MantineProvider theme={theme} defaultColorScheme="auto" cssVariablesResolver={variables}>
        <App />
        <Notifications position="bottom-right" limit={3} containerWidth={360} />
      </MantineProvider>
    </QueryClientProvider>
  </StrictMode>,
);
