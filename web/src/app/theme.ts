/** The look: a palette and proportions for Mantine. Everything else reads the CSS variables of look.css. */

import {
  Button,
  createTheme,
  type CSSVariablesResolver,
  type MantineColorsTuple,
  Modal,
  Tooltip,
} from "@mantine/core";

const amber: MantineColorsTuple = [
  "#fff7e6",
  "#ffecc7",
  "#ffdd99",
  "#ffcd66",
  "#ffc044",
  "#ffb224",
  "#f0a010",
  "#e08a00",
  "#b06c00",
  "#7d4c00",
];

const slate: MantineColorsTuple = [
  "#e8ecf1",
  "#b8c2ce",
  "#93a0b0",
  "#6c7989",
  "#2a323c",
  "#262d37",
  "#1e242c",
  "#171b21",
  "#12161b",
  "#0f1216",
];

export const theme = createTheme({
  primaryColor: "amber",
  primaryShade: { light: 5, dark: 5 },
  colors: { amber, dark: slate },
  autoContrast: true,
  black: "#12161b",
  fontFamily: 'Inter, system-ui, -apple-system, "Segoe UI", "Open Sans", sans-serif',
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, monospace",
  fontSizes: { xs: "12px", sm: "13px", md: "15px", lg: "17px", xl: "20px" },
  lineHeights: { md: "1.45" },
  radius: { xs: "4px", sm: "7px", md: "9px", lg: "12px", xl: "16px" },
  defaultRadius: "md",
  focusRing: "auto",
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    Button: Button.extend({ defaultProps: { size: "sm" } }),
    Tooltip: Tooltip.extend({
      defaultProps: { openDelay: 400, withArrow: true, events: { hover: true, focus: true, touch: false } },
    }),
    Modal: Modal.extend({
      defaultProps: {
        centered: true,
        attributes: { header: { role: "none" } },
        overlayProps: { backgroundOpacity: 0.6, blur: 2 },
      },
    }),
  },
});

const body = {
  "--mantine-color-body": "var(--panel)",
  "--mantine-color-text": "var(--text)",
  "--mantine-color-dimmed": "var(--dim)",
  "--mantine-color-default": "var(--raised)",
  "--mantine-color-default-hover": "var(--hover)",
  "--mantine-color-default-color": "var(--text)",
  "--mantine-color-default-border": "var(--line)",
  "--mantine-color-placeholder": "var(--dim)",
  "--mantine-color-anchor": "var(--link)",
};

export const variables: CSSVariablesResolver = () => ({ variables: {}, light: body, dark: body });
