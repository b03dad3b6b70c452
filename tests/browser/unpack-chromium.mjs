// Unpack the Chromium of @sparticuz/chromium, its libraries and fonts into $TMPDIR.
import { inflate } from "@sparticuz/chromium";

for (const name of ["chromium.br", "fonts.tar.br", "swiftshader.tar.br", "al2023.tar.br"]) {
  await inflate(`node_modules/@sparticuz/chromium/bin/${name}`);
}
