import type { Locator, Page } from 'playwright-core';
import { eventually } from './steps.ts';

/** One line of the editor as it is drawn. */
export interface Line {
  readonly text: string;
  /** What stands behind the line's end. */
  readonly annotation: string;
  /** Its colour, as computed. */
  readonly colour: string;
  readonly top: number;
}

/** The window, acted on with mouse and keyboard and read from what is drawn. */
export class Workbench {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async open(url: string, folder: string): Promise<void> {
    await this.page.goto(`${url}?folder=${folder}`);
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
    await this.page.locator('.explorer-folders-view .monaco-list-row').first().waitFor({ timeout: 30_000 });
  }

  async openFile(name: string): Promise<void> {
    await this.page.keyboard.press('Control+p');
    const input = this.page.locator('.quick-input-widget input');
    await input.waitFor();
    await input.fill(name);
    await this.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: name }).waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
    await this.page.locator('.editor-instance .view-line').first().waitFor();
  }

  /** Runs a command by its title, from the palette. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input');
    await input.waitFor();
    await input.fill(`>${title}`);
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  async chooseTheme(name: string): Promise<void> {
    await this.page.keyboard.press('Control+k');
    await this.page.keyboard.press('Control+t');
    const input = this.page.locator('.quick-input-widget input');
    await input.waitFor();
    await input.fill(name);
    await this.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: name }).waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  async goTo(line: number, column = 1): Promise<void> {
    await this.page.keyboard.press('Control+g');
    const input = this.page.locator('.quick-input-widget input');
    await input.waitFor();
    await input.fill(`:${line}:${column}`);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** The drawn lines from top to bottom, with what stands behind each. */
  lines(): Promise<Line[]> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.editor-instance .view-line')]
        .map((line) => {
          const behind = [...line.querySelectorAll('span')]
            .map((span) => getComputedStyle(span, '::after'))
            .filter(({ content }) => content !== 'none' && content !== 'normal');
          return {
            text: line.innerText.replace(/\u00a0/g, ' ').trimEnd(),
            annotation: behind
              .map(({ content }) =>
                content
                  .replace(/^"|"$/g, '')
                  .replace(/\\"/g, '"')
                  .replace(/\u00a0/g, ' '),
              )
              .join(' | '),
            colour: behind[0]?.color ?? '',
            top: line.getBoundingClientRect().top,
          };
        })
        .sort((a, b) => a.top - b.top),
    );
  }

  /** What stands behind the line that begins like this. */
  async annotation(beginning: string): Promise<string> {
    return (await this.lines()).find(({ text }) => text.startsWith(beginning))?.annotation ?? '';
  }

  /** Waits for an annotation that looks like this. */
  annotated(beginning: string, pattern: RegExp, milliseconds?: number): Promise<string> {
    return eventually(
      `beside “${beginning}” ${String(pattern)}`,
      () => this.annotation(beginning),
      (text) => pattern.test(text),
      milliseconds,
    );
  }

  /** The lenses above the line that begins like this, with at most a doc comment of two lines in between. */
  private async lensesAbove(beginning: string): Promise<readonly { title: string; index: number }[]> {
    const lines = await this.lines();
    const at = lines.findIndex(({ text }) => text.startsWith(beginning));
    if (at < 0) return [];
    let first = at;
    while (first > 0 && lines[first - 1]!.text.startsWith('///')) first--;
    const from = lines[first - 1]?.top ?? 0;
    const lenses = await this.page.evaluate(() =>
      [...document.querySelectorAll('.codelens-decoration a')].map((lens) => ({
        title: lens.textContent.trim(),
        top: lens.getBoundingClientRect().top,
      })),
    );
    return lenses.flatMap(({ title, top }, index) => (top > from && top < lines[first]!.top ? [{ title, index }] : []));
  }

  async hasLens(beginning: string, title: string): Promise<boolean> {
    return (await this.lensesAbove(beginning)).some((lens) => lens.title === title);
  }

  /** Waits for a lens of this title above the line that begins like this. */
  async lens(beginning: string, title: string): Promise<Locator> {
    const found = await eventually(
      `a lens “${title}” above “${beginning}”`,
      () => this.lensesAbove(beginning),
      (lenses) => lenses.some((lens) => lens.title === title),
    );
    return this.page.locator('.codelens-decoration a').nth(found.find((lens) => lens.title === title)!.index);
  }

  async clickLens(beginning: string, title: string): Promise<void> {
    await (await this.lens(beginning, title)).click();
  }

  /** How many stretches of text are underlined as errors. */
  errors(): Promise<number> {
    return this.page.locator('.editor-instance .squiggly-error').count();
  }

  /** Text of the hover over a word of a line. */
  async hoverWord(beginning: string, word: string): Promise<string> {
    const line = this.page
      .locator('.editor-instance .view-line', { hasText: beginning.replaceAll(' ', '\u00a0') })
      .first();
    const token = line.locator('span span', { hasText: word }).first();
    const box = await token.boundingBox();
    if (!box) throw new Error(`“${word}” is not drawn in “${beginning}”`);
    return this.hoverAt(box.x + Math.min(8, box.width / 2), box.y + box.height / 2);
  }

  /** Text of the hover over what stands behind a line. */
  async hoverAnnotation(beginning: string): Promise<string> {
    const spot = await this.page.evaluate((start) => {
      for (const line of document.querySelectorAll<HTMLElement>('.editor-instance .view-line')) {
        if (!line.innerText.replace(/\u00a0/g, ' ').startsWith(start)) continue;
        for (const span of line.querySelectorAll('span')) {
          if (['none', 'normal'].includes(getComputedStyle(span, '::after').content)) continue;
          const box = span.getBoundingClientRect();
          if (box.width > 0) return { x: box.left + Math.min(box.width - 4, 120), y: box.top + box.height / 2 };
        }
      }
      return undefined;
    }, beginning);
    if (!spot) throw new Error(`nothing stands behind “${beginning}”`);
    return this.hoverAt(spot.x, spot.y);
  }

  private async hoverAt(x: number, y: number): Promise<string> {
    await this.page.mouse.move(x - 3, y + 120);
    await this.page.mouse.move(x - 2, y);
    await this.page.mouse.move(x, y, { steps: 3 });
    const hover = this.page.locator('.monaco-editor .monaco-hover:not(.hidden) .monaco-hover-content');
    await hover.first().waitFor({ timeout: 8000 });
    return eventually(
      'a hover with text',
      () => hover.first().innerText(),
      (text) => text.trim() !== '' && !text.startsWith('Loading'),
    );
  }

  async completions(): Promise<string[]> {
    const rows = this.page.locator('.suggest-widget.visible .monaco-list-row');
    await rows.first().waitFor({ timeout: 8000 });
    return rows.evaluateAll((all) => all.map((row) => row.getAttribute('aria-label') ?? ''));
  }

  notifications(): Promise<string[]> {
    return this.page
      .locator('.notification-toast')
      .evaluateAll((all) => all.map((each) => (each as HTMLElement).innerText));
  }

  /** Waits for a notification that looks like this. */
  async notification(pattern: RegExp, milliseconds?: number): Promise<string> {
    const texts = await eventually(
      `a notification ${String(pattern)}`,
      () => this.notifications(),
      (all) => all.some((text) => pattern.test(text)),
      milliseconds,
    );
    return texts.find((text) => pattern.test(text))!;
  }

  async press(button: string): Promise<void> {
    await this.page.locator('.notification-toast').getByRole('button', { name: button }).first().click();
  }

  async dismissNotifications(): Promise<void> {
    await this.command('Notifications: Clear All Notifications');
    await eventually(
      'no notifications',
      () => this.notifications(),
      (all) => all.length === 0,
    );
  }

  /** Text and accessible label of the extension's item in the status bar. */
  async status(): Promise<string> {
    const item = this.page.locator('.statusbar-item[id^="espalier"]').first();
    if ((await item.count()) === 0) return '';
    return `${await item.innerText()} | ${(await item.getAttribute('aria-label')) ?? ''}`;
  }
}
