import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from './browser';
import { bundledReport } from './bundle';
import { context, edge, many, mixed, resultOf, small } from './sample';

const htmlReport = bundledReport();
const folder = mkdtempSync(join(tmpdir(), 'residency-report-'));
let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser?.close());

interface Opened {
  readonly page: Page;
  /** Anything a silent page never says: console messages, uncaught errors, requests beyond the file. */
  readonly noise: string[];
}

let files = 0;
async function open(html: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Opened> {
  const file = join(folder, `${files++}.html`);
  writeFileSync(file, html);
  const url = pathToFileURL(file).href;
  const page = await browser.newPage(options);
  const noise: string[] = [];
  page.on('console', (message) => noise.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => noise.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    noise.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== url) noise.push(`request: ${request.url()}`);
  });
  page.on('requestfailed', (request) => {
    noise.push(`refused: ${request.url()} ${request.failure()?.errorText}`);
  });
  await page.goto(url);
  return { page, noise };
}

const shown = (page: Page) => page.locator('#edges-table tbody tr:visible').count();

test.each([
  ['no edge', resultOf([])],
  ['three edges', small],
  ['every verdict', mixed],
  ['two thousand edges', many(2000)],
])('%s: a whole, silent page, in light and dark', async (_name, result) => {
  const html = htmlReport(result, context);
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, noise } = await open(html, { colorScheme });
    expect(await shown(page)).toBe(result.edges.length);
    expect(await page.locator('section').count()).toBe(12);
    expect(noise).toEqual([]);
    await page.close();
  }
});

test('the same result gives the same bytes, with no time in them', () => {
  expect(htmlReport(mixed, context)).toBe(htmlReport(structuredClone(mixed), context));
  expect(htmlReport(mixed, { ...context, generatedOn: '2001-09-09' })).toContain('2001-09-09');
});

test('the headline says the worst', async () => {
  const allowed = resultOf([edge('allowed', 'backup', 'eu-central-1', 'eu-west-1')]);
  const unknown = resultOf([edge('undetermined', 'backup', 'eu-central-1', null)]);
  const heads = [mixed, allowed, unknown, resultOf([])].map(
    (result) => /<h1[^>]*>([^<]*)/.exec(htmlReport(result, context))?.[1],
  );
  expect(heads).toEqual([
    '4 edges of 14 leave their regime',
    'Nothing leaves its regime',
    'No edge is known to leave its regime, but 1 place could not be resolved',
    'Nothing was found that moves',
  ]);
});

test('every edge is in the table, every route on the map', async () => {
  const { page } = await open(htmlReport(mixed, context));
  for (const { constructPath, propertyPath, message, rule } of mixed.edges) {
    const text = (await page.locator('#edges-table').textContent()) ?? '';
    for (const value of [constructPath, propertyPath, message, rule]) expect(text).toContain(value);
  }
  // The way there, the way back, the loop within a region and the two ends nobody knows are all drawn.
  expect(await page.locator('figure >> nth=0 >> path.arrow').count()).toBe(14);
  await page.close();
});

test('filters by words, by what moves and by verdict, and says how many are left', async () => {
  const { page, noise } = await open(htmlReport(mixed, context));
  await page.fill('#filter-text', 'cn-north-1 backup');
  expect(await shown(page)).toBe(1);
  expect(await page.textContent('#filter-count')).toBe('1 of 14 edges');
  await page.fill('#filter-text', 'no such thing');
  expect(await shown(page)).toBe(0);
  expect(await page.locator('#no-match').isVisible()).toBe(true);
  await page.fill('#filter-text', '');
  await page.selectOption('#filter-what', 'replica');
  expect(await shown(page)).toBe(3);
  await page.uncheck('input[value="allowed"]');
  expect(await shown(page)).toBe(1);
  expect(noise).toEqual([]);
  await page.close();
});

test('sorts by text and by number, both ways, and tells a screen reader', async () => {
  const { page } = await open(htmlReport(mixed, context));
  const column = (n: number) => page.locator(`#edges-table tbody tr td:nth-child(${n})`).allTextContents();
  const what = page.getByRole('button', { name: 'What', exact: true });
  await what.click();
  expect(await column(2)).toEqual([...mixed.edges.map((e) => e.what)].sort());
  expect(await page.locator('#edges-table th[aria-sort]').getAttribute('aria-sort')).toBe('ascending');
  await what.click();
  expect(await column(2)).toEqual([...mixed.edges.map((e) => e.what)].sort().reverse());
  await page.getByRole('button', { name: 'Distance' }).click();
  const km = (await column(5)).map((text) => Number(text.replace(/[^0-9]/g, '')));
  expect(km).toEqual([...km].sort((a, b) => a - b));
  expect(Math.max(...km)).toBeGreaterThan(7000);
  await page.close();
});

test('everything can be reached and worked from the keyboard', async () => {
  const { page } = await open(htmlReport(mixed, context));
  const reached: string[] = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    reached.push(
      await page.evaluate<string>(
        `(({ tagName, id, name, ariaLabel, textContent }) =>
          tagName + ' ' + (id || name || ariaLabel || textContent.trim()))(document.activeElement)`,
      ),
    );
  }
  expect(reached[0]).toBe('A Skip to the report');
  for (const stop of [
    'A Provenance',
    'INPUT filter-text',
    'SELECT filter-what',
    'INPUT verdict',
    'BUTTON Verdict',
    'BUTTON Distance',
    'DIV Edges',
  ])
    expect(reached).toContain(stop);

  await page.getByRole('button', { name: 'What', exact: true }).focus();
  await page.keyboard.press('Enter');
  expect(await page.locator('#edges-table th[aria-sort]').textContent()).toBe('What');
  await page.close();
});

test('has what a screen reader steers by', async () => {
  const { page } = await open(htmlReport(mixed, context));
  expect(await page.locator('html').getAttribute('lang')).toBe('en');
  expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
  expect(await page.getByRole('region').count()).toBeGreaterThan(11);
  for (const map of await page.getByRole('img').all()) {
    const [title, description] = ((await map.getAttribute('aria-labelledby')) ?? '').split(' ');
    expect(await page.locator(`#${title}`).textContent()).toMatch(/^Map: /);
    expect(await page.locator(`#${description}`).textContent()).toContain(
      'The table of routes says the same',
    );
  }
  const tables = await page.locator('table').count();
  expect(await page.locator('table > caption').count()).toBe(tables);
  expect(await page.locator('th:not([scope])').count()).toBe(0);
  expect(await page.locator('#filter-count').getAttribute('aria-live')).toBe('polite');
  const ids = await page.locator('[id]').evaluateAll((all) => all.map((e) => (e as { id: string }).id));
  expect(new Set(ids).size).toBe(ids.length);
  await page.close();
});

test('text has enough contrast with its ground, in light and dark', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await open(htmlReport(mixed, context), { colorScheme });
    const colours = await page.evaluate<{ body: string; inks: string[] }>(`({
      body: getComputedStyle(document.body).backgroundColor,
      inks: [...new Set([...document.querySelectorAll('h1, .sub, .badge, .note, a, th, td, dt, dd, label, .tiles li')]
        .map((element) => getComputedStyle(element).color))],
    })`);
    for (const ink of colours.inks) expect([ink, contrast(ink, colours.body) >= 4.5]).toEqual([ink, true]);
    await page.close();
  }
});

function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const [r, g, blue] = colour
      .match(/[\d.]+/g)!
      .slice(0, 3)
      .map((value) => {
        const c = Number(value) / 255;
        return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * blue!;
  };
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

test('a narrow window does not scroll sideways', async () => {
  const { page } = await open(htmlReport(mixed, context), { viewport: { width: 360, height: 740 } });
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  expect(width).toBeLessThanOrEqual(360);
  await page.close();
});

test.each([1280, 390])(
  'in a window of %i pixels no table is cut off, and names on maps can be read',
  async (width) => {
    const { page } = await open(htmlReport(mixed, context), { viewport: { width, height: 800 } });
    const cut = await page.evaluate<string[]>(
      `[...document.querySelectorAll('.scroll:has(table)')].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.ariaLabel)`,
    );
    expect(cut).toEqual([]);
    const heights = await page.evaluate<number[]>(
      `[...document.querySelectorAll('svg .place')].map((e) => 11 * e.getScreenCTM().a)`,
    );
    expect(heights.length).toBeGreaterThan(10);
    expect(Math.min(...heights)).toBeGreaterThan(9);
    const label = await page.evaluate<string>(
      `getComputedStyle(document.querySelector('#routes td:nth-child(3)'), '::before').content`,
    );
    expect(label).toMatch(width === 390 ? /^"To "$/ : /^(none|normal)$/);
    await page.close();
  },
);

test('prints, with the whole table', async () => {
  const { page } = await open(htmlReport(mixed, context));
  await page.emulateMedia({ media: 'print' });
  expect(await shown(page)).toBe(14);
  expect(await page.locator('nav').isVisible()).toBe(false);
  expect((await page.pdf()).subarray(0, 5).toString()).toBe('%PDF-');
  await page.close();
});

/** The text as it must appear: what cannot be seen is spelt out. */
function visible(text: string): string {
  return ['\u0000', '\u0007', '\u2028', '\u202e'].reduce(
    (all, c) => all.replaceAll(c, `\\u{${c.charCodeAt(0).toString(16)}}`),
    text,
  );
}

const hostile = [
  '<script>alert(1)</script>',
  '</script><script>alert(2)</script>',
  '</title></style><img src=x onerror=alert(3)>',
  '" onmouseover="alert(4)" autofocus onfocus="alert(5)',
  "'><svg/onload=alert(6)>",
  '<!--',
  ']]>',
  '<base href="https://example.com/"><link rel=stylesheet href="//example.com/x.css">',
  'javascript:alert(7)',
  '&lt;b&gt;',
  'Prod/\u202etxt.exe\u0000\u0007\u2028',
  '__proto__',
  'constructor',
];

test('hostile strings everywhere stay text', async () => {
  const bad = hostile.map((text) => {
    const place = { region: text, account: text, partition: text, regime: text };
    return edge('violation', 'backup', null, null, {
      ...{ rule: text, template: text, stack: text, logicalId: text, constructPath: text },
      ...{ resourceType: text, propertyPath: text, message: text },
      ...{ from: place, to: { ...place, region: 'us-east-1' } },
    });
  });
  const known = edge('violation', 'backup', 'eu-west-1', 'us-east-1');
  const findings = hostile.flatMap((text) =>
    ['error', 'key', 'not-assessed'].map((rule) => ({
      ...{ rule: `${rule}-${text}`, severity: 'error' as const },
      ...{ template: text, logicalId: text, message: text },
    })),
  );
  const all = hostile.join(' ');
  const each = <T>(make: (text: string) => T) =>
    Object.fromEntries(hostile.map((text) => [text, make(text)]));
  const result = {
    ...resultOf([...bad, known], findings),
    catalogue: { version: all, sha256: all },
    inputs: hostile.map((text) => ({ path: text, sha256: text })),
  };
  const policy = {
    regimes: each((text) => ({ name: text, regions: [text] })),
    exceptions: hostile.map((text) => ({
      ...{ from: text, to: text, instrument: text, what: [text] },
      ...{ approvedBy: text, expires: text, conditions: text },
    })),
    soleRegion: each((text) => ({ acceptedBy: text, reviewOn: text, reason: text })),
  };
  const { page, noise } = await open(
    htmlReport(result, {
      ...{ toolVersion: all, policy, policyFile: { path: all, sha256: all }, asOf: all, generatedOn: all },
    }),
  );
  expect(await page.locator('script').count()).toBe(1);
  expect(
    await page.locator('img, base, link, iframe, [onload], [onerror], [onfocus], [onmouseover]').count(),
  ).toBe(0);
  expect(await page.locator('section').count()).toBe(12);
  expect(await page.locator('#edges-table tbody tr').count()).toBe(hostile.length + 1);
  const messages = await page.locator('#edges-table tbody tr .where p').allTextContents();
  expect(messages.toSorted()).toEqual([known.message, ...hostile.map(visible)].toSorted());
  expect(noise).toEqual([]);
  await page.close();
});

test('even markup that got in could not run or fetch', async () => {
  const injected = htmlReport(small, context).replace(
    '</main>',
    '<script>alert(1)</script><img src="https://example.com/x.png"><style>body{display:none}</style></main>',
  );
  const { page, noise } = await open(injected);
  // The browser names the request that it then does not make.
  expect(noise.filter((line) => !line.startsWith('console: '))).toEqual([
    'request: https://example.com/x.png',
    'refused: https://example.com/x.png csp',
  ]);
  expect(noise.filter((line) => /Content Security Policy/.test(line)).length).toBe(3);
  expect(await page.locator('h1').isVisible()).toBe(true);
  await page.close();
});

test('the annex supports, and never satisfies', () => {
  const text = htmlReport(mixed, context);
  expect(text).toContain('supports GDPR Art. 5(2), 24, 28(3)(a), 32, 44');
  expect(text).not.toMatch(/satisf|complian(t|ce with)|certif/i);
  for (const kind of ['design', 'operating', 'inherited', 'not assessed'])
    expect(text).toContain(`<span class="badge kind">${kind}</span>`);
});

describe('from the command', () => {
  const template = {
    Resources: {
      Replica: {
        Type: 'AWS::KMS::ReplicaKey',
        Properties: { KeyPolicy: {}, PrimaryKeyArn: 'arn:aws:kms:us-east-1:111111111111:key/mrk-1' },
      },
      '<img src=x onerror=alert(1)>': {
        Type: 'AWS::SecretsManager::Secret',
        Properties: { ReplicaRegions: [{ Region: 'eu-west-1' }, { Region: 'us-west-2' }] },
      },
    },
  };
  const audit = (...more: string[]) => {
    const file = join(folder, 'audited.template.json');
    writeFileSync(file, JSON.stringify(template));
    const cli = join(__dirname, '../../dist/bin/sovereign-backup.mjs');
    const args = [
      cli,
      'audit',
      file,
      '--region',
      'eu-central-1',
      '--format',
      'html',
      '--now',
      '2026-11-24',
      ...more,
    ];
    return spawnSync(process.execPath, args, { encoding: 'utf8' });
  };

  test('a real audit is a silent page with every edge', async () => {
    const { status, stdout, stderr } = audit();
    expect([status, stderr]).toEqual([1, '']);
    const { page, noise } = await open(stdout);
    expect(await page.textContent('h1')).toBe('2 edges of 3 leave their regime');
    expect(await shown(page)).toBe(3);
    expect(noise).toEqual([]);
    await page.close();
  });

  test('twice the same bytes, to a file and to standard output', () => {
    const out = join(folder, 'out.html');
    expect(audit('--out', out).status).toBe(1);
    expect(readFileSync(out, 'utf8')).toBe(audit().stdout);
  });
});
