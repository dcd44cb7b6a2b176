// The browser that the HTML report is tested in.
import { accessSync, constants } from 'node:fs';

const PLACES = [
  '/usr/bin/chromium',
  '/snap/bin/chromium',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of a Chromium or Chrome, or nothing. The environment variable CHROMIUM names another one. */
export function findBrowser(): string | undefined {
  const named = process.env.CHROMIUM;
  return (named ? [named] : PLACES).find(isExecutable);
}
