import "./app/styles";

import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { createQueryClient } from "./api/queries";
import { App } from "./app/App";
import { theme, variables } from "./app/theme";
import { Toasts } from "./app/Toasts";
import { takeTokenFromAddress } from "./app/token";

takeTokenFromAddress();
const root = document.getElementById("root");
if (!root) throw new Error("The page has no root element");

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={createQueryClient()}>
      <MantineProvider theme={theme} defaultColorScheme="auto" cssVariablesResolver={variables}>
        <App />
        <Toasts />
      </MantineProvider>
    </QueryClientProvider>
  </StrictMode>,
);
