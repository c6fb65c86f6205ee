#!/usr/bin/env node
// The panel of runs, and Try it, in a plain browser page, fed with a search and answers that never were: to work on them, and to look at them.
// Usage: panelPreview.mjs            makes .cache/preview/index.html, to be opened in a browser (#state=…&theme=…, see feed.ts)
//        panelPreview.mjs --pictures  pictures of every state and theme in .cache/preview/
//        panelPreview.mjs --run FOLDER  the same of a run that was: a folder of .espalier/runs
//        panelPreview.mjs --measure   how long 10 000 candidates, and 100 000 steps, take from the first message to the last drawing
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const { values } = parseArgs({
  options: {
    pictures: { type: 'boolean' },
    measure: { type: 'boolean' },
    only: { type: 'string' },
    run: { type: 'string' },
  },
});
const recorded = values.run === undefined ? undefined : readRun(resolve(values.run));
process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const folder = resolve('.cache/preview');
mkdirSync(folder, { recursive: true });
await build({
  entryPoints: {
    feed: 'webview-ui/preview/feed.ts',
    panel: 'webview-ui/panel/main.ts',
    tryFeed: 'webview-ui/preview/tryFeed.ts',
    tryIt: 'webview-ui/try/main.ts',
    comparison: 'webview-ui/compare/main.ts',
    comparisonFeed: 'webview-ui/preview/comparisonFeed.ts',
  },
  outdir: folder,
  bundle: true,
  platform: 'browser',
  format: 'iife',
  logLevel: 'warning',
});
const page = join(folder, 'index.html');
writeFileSync(
  page,
  '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><link rel="stylesheet" href="panel.css"><body><script src="recorded.js"></script><script src="feed.js"></script><script src="panel.js"></script></body></html>',
);
const tryPage = join(folder, 'tryIt.html');
writeFileSync(
  tryPage,
  '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><link rel="stylesheet" href="tryIt.css"><body><script src="tryFeed.js"></script><script src="tryIt.js"></script></body></html>',
);
const comparisonPage = join(folder, 'comparison.html');
writeFileSync(
  comparisonPage,
  '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><link rel="stylesheet" href="comparison.css"><body><script src="comparisonFeed.js"></script><script src="comparison.js"></script></body></html>',
);
writeFileSync(join(folder, 'recorded.js'), `globalThis.recorded = ${JSON.stringify(recorded) ?? 'undefined'};\n`);
console.log(page);

const PICTURES = [
  ['running', 'state=running&theme=dark&random=part', 1280],
  ['running-light', 'state=running&theme=light', 1280],
  ['finished', 'state=finished&theme=dark&random=1', 1280],
  ['finished-light', 'state=finished&theme=light&random=1', 1280],
  ['finished-hc', 'state=finished&theme=high-contrast&random=1', 1280],
  ['finished-hc-light', 'state=finished&theme=high-contrast-light&random=1', 1280],
  ['proposals', 'state=running&theme=dark&proposals=1', 1280],
  ['proposals-light', 'state=finished&theme=light&proposals=1', 1280],
  ['proposals-hc', 'state=finished&theme=high-contrast&proposals=1', 1280],
  ['proposals-450', 'state=finished&theme=dark&proposals=1', 450],
  ['kl', 'state=running&theme=dark&objective=kl', 1280],
  ['kl-light', 'state=finished&theme=light&objective=kl', 1280],
  ['kl-hc', 'state=finished&theme=high-contrast&objective=kl', 1280],
  ['kl-rates', 'run=rates&state=finished&theme=dark&objective=kl', 1280],
  ['kl-masks', 'run=masks&state=finished&theme=light&objective=kl', 1280],
  ['protocol', 'state=running&theme=light&protocol=wanda', 900],
  ['narrow', 'state=running&theme=dark', 640],
  ['narrow-450', 'state=finished&theme=light&random=1', 450],
  ['narrow-900', 'state=finished&theme=dark&random=1', 900],
  ['before', 'state=running&theme=dark&until=0', 1280],
  ['before-light', 'state=running&theme=light&until=0', 900],
  ['before-hc', 'state=running&theme=high-contrast&until=0', 900],
  ['starting', 'state=starting&theme=dark', 1280],
  ['first', 'state=running&theme=dark&until=1', 1280],
  ['paused', 'state=paused&theme=light', 1280],
  ['interrupted', 'state=interrupted&theme=dark', 1280],
  ['failed', 'state=failed&theme=dark', 1280],
  ['elsewhere', 'state=elsewhere&theme=light', 1280],
  ...['rates', 'masks'].flatMap((run) => {
    const until = run === 'masks' ? 'until=430' : 'until=9';
    return [
      [run, `run=${run}&state=running&theme=dark&${until}`, 1280],
      [`${run}-light`, `run=${run}&state=running&theme=light&${until}`, 1280],
      [`${run}-finished`, `run=${run}&state=finished&theme=dark`, 1280],
      [`${run}-hc`, `run=${run}&state=finished&theme=high-contrast`, 1280],
      [`${run}-hc-light`, `run=${run}&state=finished&theme=high-contrast-light`, 1280],
      [`${run}-800`, `run=${run}&state=finished&theme=light`, 800],
      [`${run}-large`, `run=${run}&state=finished&theme=dark&blocks=32`, 1280],
      [`${run}-450`, `run=${run}&state=finished&theme=dark`, 450],
      [`${run}-one`, `run=${run}&state=finished&theme=light&blocks=1`, 1280],
      [`${run}-nan`, `run=${run}&state=running&theme=dark&trouble=nan&${until}`, 1280],
      [`${run}-starting`, `run=${run}&state=starting&theme=dark`, 1280],
      [`${run}-first`, `run=${run}&state=running&theme=dark&until=0`, 1280],
      [`${run}-paused`, `run=${run}&state=paused&theme=light&${until}`, 1280],
      [`${run}-failed`, `run=${run}&state=failed&theme=dark&${until}`, 1280],
    ];
  }),
  ...['levels', 'drops'].flatMap((name) => {
    const run = `run=rates&drop=${name === 'drops' ? 'sublayers' : 'off'}`;
    return [
      [`rates-${name}`, `${run}&state=running&theme=dark&until=9`, 1280],
      [`rates-${name}-light`, `${run}&state=finished&theme=light`, 1280],
      [`rates-${name}-hc`, `${run}&state=finished&theme=high-contrast`, 1280],
      [`rates-${name}-800`, `${run}&state=finished&theme=light`, 800],
      [`rates-${name}-450`, `${run}&state=finished&theme=dark`, 450],
      [`rates-${name}-first`, `${run}&state=running&theme=dark&until=0`, 1280],
      [`rates-${name}-large`, `${run}&state=finished&theme=dark&blocks=32&generations=400`, 1280],
    ];
  }),
  ...[
    ['recovery', 'state=running&theme=dark&until=260', 1280],
    ['recovery-light', 'state=running&theme=light&until=260', 1280],
    ['recovery-hc', 'state=finished&theme=high-contrast', 1280],
    ['recovery-hc-light', 'state=finished&theme=high-contrast-light', 1280],
    ['recovery-finished', 'state=finished&theme=dark', 1280],
    ['recovery-diverged', 'state=finished&theme=light&trouble=diverged', 1280],
    ['recovery-nan', 'state=finished&theme=dark&trouble=nan', 1280],
    ['recovery-first', 'state=running&theme=dark&until=0', 1280],
    ['recovery-starting', 'state=starting&theme=dark', 1280],
    ['recovery-paused', 'state=paused&theme=light&until=140', 800],
    ['recovery-450', 'state=finished&theme=dark', 450],
    ['recovery-long', 'state=finished&theme=light&steps=30000', 1280],
  ].map(([name, hash, width]) => [name, `run=recovery&${hash}`, width]),
  ['masks-blocks', 'run=masks&state=finished&theme=dark&components=heads-channels-layers', 1280],
  ['masks-huge', 'run=masks&state=finished&theme=light&blocks=80&channels=4000', 1280],
  ['rates-huge', 'run=rates&state=finished&theme=light&blocks=80&generations=1000&population=4', 1280],
  ['rates-refused', 'run=rates&state=running&theme=dark&trouble=refused&until=9', 1280],
  ...[
    ['empty', 'state=empty&theme=dark', 1000],
    ['opening', 'state=opening&theme=dark', 1000],
    ['answering', 'state=answering&theme=dark', 1000],
    ['done', 'state=done&theme=dark', 1000],
    ['done-light', 'state=done&theme=light', 1000],
    ['done-hc', 'state=done&theme=high-contrast', 1000],
    ['done-hc-light', 'state=done&theme=high-contrast-light', 1000],
    ['done-450', 'state=done&theme=light', 450],
    ['done-320', 'state=done&theme=dark', 320],
    ['opening-hc', 'state=opening&theme=high-contrast', 1000],
    ['opening-light', 'state=opening&theme=light', 1000],
    ['failed', 'state=failed&theme=dark', 1000],
    ['failed-light', 'state=failed&theme=light', 450],
    ['failed-hc', 'state=failed&theme=high-contrast', 1000],
    ['dense', 'state=dense&theme=light', 1000],
    ['long', 'state=long&theme=dark', 700],
  ].map(([name, hash, width]) => [`try-${name}`, hash, width]),
  ...[
    ['null', 'theme=dark&workers=null', 1400],
    ['none', 'theme=dark&workers=0', 1400],
    ['none-light', 'theme=light&workers=0', 600],
    ['none-hc', 'theme=high-contrast&workers=0', 1400],
    ['one', 'theme=light&workers=1', 1400],
    ['three', 'theme=dark&workers=3', 1400],
    ['three-light', 'theme=light&workers=3', 600],
    ['three-hc', 'theme=high-contrast&workers=3', 1400],
    ['forty', 'theme=dark&workers=40', 1400],
    ['forty-600', 'theme=light&workers=40', 600],
    ['trouble', 'theme=dark&workers=trouble', 1400],
    ['trouble-light', 'theme=light&workers=trouble', 1400],
    ['trouble-600', 'theme=dark&workers=trouble', 600],
    ['trouble-hc', 'theme=high-contrast&workers=trouble', 600],
    ['trouble-hc-light', 'theme=high-contrast-light&workers=trouble', 1400],
    ['stuck', 'theme=light&workers=stuck', 1400],
    ['hostile', 'theme=dark&workers=hostile', 600],
    ['refused', 'theme=dark&trouble=queue', 1400],
    ['refused-600', 'theme=light&trouble=queue', 600],
  ].map(([name, hash, width]) => [
    `workers-${name}`,
    `state=${hash.includes('trouble=queue') ? 'failed' : 'running'}&${hash}`,
    width,
  ]),
  ['rates-classical', 'run=rates&state=finished&theme=dark&llm=none', 1280],
  ...[
    ['ten', 'theme=dark&measure=dense&along=seconds', 1400],
    ['ten-light', 'theme=light&pin=0', 1400],
    ['ten-hc', 'theme=high-contrast&measure=baseline&pin=wanda', 1400],
    ['ten-hc-light', 'theme=high-contrast-light&measure=dense&whole=1', 1400],
    ['seeds', 'theme=dark&runs=4&grouped=1', 900],
    ['seeds-light', 'theme=light&runs=4&grouped=1', 900],
    ['seeds-hc', 'theme=high-contrast&runs=4&grouped=1&along=steps', 900],
    ['seeds-hc-light', 'theme=high-contrast-light&runs=4', 900],
    ['brushed', 'theme=dark&brush=1', 1400],
    ['tagged', 'theme=light&tag=paper', 900],
    ['one', 'theme=dark&runs=1', 900],
    ['ten-600', 'theme=dark&measure=dense', 600],
  ].map(([name, hash, width]) => [`compare-${name}`, hash, width]),
];

const RECORDED = [
  ['recorded', 'state=finished&theme=dark', 1280],
  ['recorded-light', 'state=finished&theme=light', 1280],
  ['recorded-800', 'state=finished&theme=high-contrast', 800],
];

if (values.pictures || values.measure) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    if (values.pictures) for (const picture of recorded ? RECORDED : PICTURES) await take(browser, ...picture);
    if (values.measure) await measure(browser);
  } finally {
    await browser.close();
  }
}

/** What a run was asked, and its journal. */
function readRun(from) {
  const { plan } = JSON.parse(readFileSync(join(from, 'run.json'), 'utf8'));
  const lines = readFileSync(join(from, 'journal.jsonl'), 'utf8').trimEnd().split('\n');
  return { plan, events: lines.map((line) => JSON.parse(line)) };
}

async function open(browser, hash, width, address = page) {
  const tab = await browser.newPage({ viewport: { width, height: 900 } });
  tab.on('pageerror', (error) => console.log(`${hash}: ${error.stack ?? error}`));
  await tab.goto(`${pathToFileURL(address).href}#${hash}`);
  // The page draws once everything has come.
  await tab.waitForFunction(() => performance.getEntriesByName('drawn').length > 0, undefined, { timeout: 60_000 });
  await tab.waitForTimeout(700);
  return tab;
}

async function take(browser, name, hash, width) {
  if (values.only && !name.startsWith(values.only)) return;
  const tab = await open(browser, hash, width, pageOf(name));
  if (/^(rates|masks)-(finished|hc|800|450)/.test(name)) {
    await tab.getByRole('button', { name: 'Measure speed' }).click();
    const exchange = tab.locator('.exchanges details').first();
    if (name.startsWith('rates')) await exchange.locator('summary').click();
    await tab.locator('.heat').first().focus();
    await tab.waitForTimeout(400);
  }
  if (/^finished|^narrow-/.test(name) || recorded?.plan.kind === 'metrics') {
    await tab.getByRole('button', { name: 'Evaluate', exact: true }).last().click();
    await tab.waitForTimeout(400);
  }
  await tab.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  await tab.close();
}

function pageOf(name) {
  if (name.startsWith('compare-')) return comparisonPage;
  return name.startsWith('try-') ? tryPage : page;
}

async function measure(browser) {
  for (const [what, hash] of [
    ['10 000 candidates', 'state=finished&generations=200&population=50'],
    ['100 000 steps', 'run=masks&state=finished&steps=100000'],
  ])
    await measureOne(browser, what, hash);
}

async function measureOne(browser, what, hash) {
  const tab = await open(browser, hash, 1280);
  await tab.waitForTimeout(6000);
  const milliseconds = await tab.evaluate(() => {
    const [fed] = performance.getEntriesByName('fed');
    return performance.getEntriesByName('drawn').at(-1).startTime - fed.startTime;
  });
  console.log(`${what}: ${milliseconds.toFixed(0)} ms from the first message to the last drawing`);
  await tab.close();
}
