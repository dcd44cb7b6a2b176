import { type Browser, chromium } from 'playwright-core';
import { findBrowser } from '../../scripts/browser.mts';

/** A real Chromium, without any of its own traffic. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath)
    throw new Error(
      'no Chromium found: the report is tested in a real browser. Get it with: node scripts/setup.mts test ' +
        '(Debian: apt-get install chromium), or name one in the environment variable CHROMIUM.',
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
