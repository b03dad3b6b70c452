import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The API that the development server passes requests on to: `lookback serve` on its default port.
const API = "http://127.0.0.1:3001";

export default defineConfig({
  plugins: [react()],
  server: { proxy: { "/livekit-replay": API, "/whip": API } },
  build: { target: "es2023", assetsInlineLimit: 0, chunkSizeWarningLimit: 800 },
  test: { include: ["src/**/*.test.ts"] },
});
