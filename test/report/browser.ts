import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** A real Chromium, without any of its own traffic. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (!existsSync(executablePath))
    throw new Error(
      `no Chromium at ${executablePath}: the report is tested in a real browser. ` +
        'Install it (Debian: apt-get install chromium), or name it in the environment variable CHROMIUM.',
    );
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
