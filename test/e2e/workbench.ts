import type { Page } from 'playwright-core';
import { eventually, insist } from './steps.ts';
import type { Patience } from './steps.ts';

/** Milliseconds that a part of a gesture may take which is begun again where it fails. */
const BRIEF = 5000;

interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface Theme {
  /** As the picker of themes calls it. */
  readonly title: string;
  /** Class of a window that has it. */
  readonly kind: 'vs' | 'vs-dark' | 'hc-black' | 'hc-light';
}

/** One theme of every kind; the last one is the one that a window starts with. */
export const THEMES: Readonly<Record<string, Theme>> = {
  light: { title: 'Light Modern', kind: 'vs' },
  'high-contrast': { title: 'Dark High Contrast', kind: 'hc-black' },
  'high-contrast-light': { title: 'Light High Contrast', kind: 'hc-light' },
  dark: { title: 'Dark Modern', kind: 'vs-dark' },
};

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

  /** Loads the window anew, and waits until it is there. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
  }

  async openFile(name: string): Promise<void> {
    await this.take(['Control+p'], name, name);
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
    await this.page.locator('.editor-instance .view-line').first().waitFor();
  }

  /** Closes the editor whose tab has this name in it, by the tab's own button. */
  async closeTab(name: string): Promise<void> {
    const tab = this.page.locator('.tab', { hasText: name });
    await insist(
      `“${name}” closed`,
      async () => {
        await tab.first().hover({ timeout: BRIEF });
        await tab.first().locator('.codicon-close').click({ timeout: BRIEF });
      },
      async () => (await tab.count()) === 0,
    );
  }

  /** Runs a command by its title, from the palette. */
  async command(title: string): Promise<void> {
    await this.take(['F1'], `>${title}`, title);
  }

  /** Closes all editors; what was not saved is dropped. */
  async closeEditors(): Promise<void> {
    await this.command('View: Close All Editors');
    const empty = this.page.locator('.editor-group-container.empty').first();
    const drop = this.page.locator('.monaco-dialog-box').getByRole('button', { name: "Don't Save" });
    await drop.or(empty).first().waitFor();
    if (!(await empty.isVisible())) await drop.click();
    await empty.waitFor();
  }

  async chooseTheme({ title, kind }: Theme): Promise<void> {
    await this.take(['Control+k', 'Control+t'], title, title);
    await this.page.locator(`.monaco-workbench.${kind}`).waitFor();
  }

  /** Puts cursor and keyboard at a place in the text that the first group of editors shows. */
  async goTo(line: number, column = 1): Promise<void> {
    await insist(
      `the cursor at line ${line}, column ${column}`,
      async () => {
        await this.typeQuickly(['Control+1', 'Control+g'], `:${line}:${column}`);
        await this.pick(`Go to line ${line} `, BRIEF);
      },
      async () => (await this.cursor()) === `Ln ${line}, Col ${column}` && (await this.isKeyboardInText()),
    );
  }

  /** Place of the cursor and length of the selection as the status bar tells them; nothing where no text is active. */
  async cursor(): Promise<string> {
    const texts = await this.page.locator('.statusbar-item[id="status.editor.selection"]').allInnerTexts();
    return texts.join().trim();
  }

  isKeyboardInText(): Promise<boolean> {
    return this.page.evaluate(() => Boolean(document.activeElement?.closest('.editor-instance')));
  }

  /** Presses keys that are meant for the workbench, wherever the focus is: a page inside it passes them on late, or never. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.page.evaluate(() => {
      if (document.activeElement instanceof HTMLIFrameElement) document.activeElement.blur();
    });
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** Closes what would take the next keys: a quick input, a dialog, a menu, a notification. */
  async tidy(): Promise<void> {
    if (this.page.isClosed()) return;
    await this.closeQuickInput();
    await this.press('Escape');
    if ((await this.notifications()).length > 0) await this.dismissNotifications();
  }

  /** The texts of the rows that a quick input offers. */
  choices(): Promise<string[]> {
    return this.page.locator('.quick-input-widget:visible .monaco-list-row').allInnerTexts();
  }

  /** Takes a row of the quick input that is open. A click is for that row or for nothing; a key is for what has the focus. */
  async pick(label: string, timeout = 30_000): Promise<void> {
    await this.page
      .locator('.quick-input-widget:visible .monaco-list-row', { hasText: label })
      .first()
      .click({ timeout, noWaitAfter: true });
    // It is not to hover over anything.
    await this.page.mouse.move(0, 0);
  }

  async closeQuickInput(): Promise<void> {
    const widget = this.page.locator('.quick-input-widget');
    await insist(
      'the quick input closed',
      async () => {
        if (await widget.isVisible()) await widget.locator('input').first().press('Escape', { timeout: BRIEF });
      },
      () => widget.isHidden(),
    );
  }

  /** Opens a quick input anew and types into it. */
  private async typeQuickly(keys: readonly string[], text: string): Promise<void> {
    await this.closeQuickInput();
    await this.press(...keys);
    await this.page.locator('.quick-input-widget input').fill(text, { timeout: BRIEF });
  }

  /**
   * Opens a quick input, types, and takes the row of exactly this label. Until the row is taken all of it is done again where
   * it fails; what the row stands for happens once.
   */
  private async take(keys: readonly string[], typed: string, label: string): Promise<void> {
    const widget = this.page.locator('.quick-input-widget');
    await insist(
      `“${label}” in the quick input`,
      async () => {
        await this.typeQuickly(keys, typed);
        const row = widget.locator('.monaco-list-row').filter({ has: this.page.getByText(label, { exact: true }) });
        await row.first().click({ timeout: BRIEF, noWaitAfter: true });
      },
      // What was taken may ask the next question.
      async () => (await widget.isHidden()) || (await widget.locator('input').first().inputValue()) !== typed,
    );
    await this.page.mouse.move(0, 0);
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

  /**
   * Waits for an annotation that looks like this; an evaluation that asks first is agreed to.
   *
   * @param onSeen told what stands there meanwhile
   */
  annotated(
    beginning: string,
    pattern: RegExp,
    milliseconds?: number,
    onSeen?: (text: string) => void,
  ): Promise<string> {
    return eventually(
      `beside “${beginning}” ${String(pattern)}`,
      async () => {
        await this.agree();
        const text = await this.annotation(beginning);
        onSeen?.(text);
        return text;
      },
      (text) => pattern.test(text),
      milliseconds,
    );
  }

  /** On a slow machine an evaluation asks whether it is worth its minutes. */
  private async agree(): Promise<void> {
    const evaluate = this.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Evaluate', exact: true });
    if ((await evaluate.count()) > 0) await evaluate.click({ timeout: BRIEF });
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
  async lens(beginning: string, title: string, milliseconds?: number): Promise<void> {
    // An editor without the keyboard does not look for new lenses.
    if (!(await this.isKeyboardInText())) await this.press('Control+1');
    await eventually(
      `a lens “${title}” above “${beginning}”`,
      () => this.lensesAbove(beginning),
      (lenses) => lenses.some((lens) => lens.title === title),
      milliseconds,
    );
  }

  /** Clicks a lens until anything shows that a lens may lead to: other lenses, an annotation, an editor, a question, a notification. */
  async clickLens(beginning: string, title: string, patience: Patience = { milliseconds: 8000 }): Promise<void> {
    await this.lens(beginning, title);
    const before = await this.surroundings(beginning);
    await insist(
      `the lens “${title}” above “${beginning}” followed`,
      async () => {
        const index = (await this.lensesAbove(beginning)).find((lens) => lens.title === title)?.index;
        if (index === undefined) throw new Error('it is not there');
        // The element itself: another lens may have taken its place by the time of the click.
        const lens = await this.page.locator('.codelens-decoration a').nth(index).elementHandle({ timeout: BRIEF });
        if ((await lens.textContent())?.trim() !== title) throw new Error('it has moved');
        await lens.click({ timeout: BRIEF });
      },
      async () => (await this.surroundings(beginning)) !== before,
      patience,
    );
  }

  /** All that a lens above this line may change, to be compared. */
  private async surroundings(beginning: string): Promise<string> {
    return JSON.stringify([
      (await this.lensesAbove(beginning)).map(({ title }) => title),
      await this.annotation(beginning),
      await this.notifications(),
      await this.page.locator('.tab').allInnerTexts(),
      await this.page.locator('.quick-input-widget').isVisible(),
      await this.page.locator('.monaco-dialog-box').isVisible(),
    ]);
  }

  /** How many stretches of text are underlined as errors. */
  errors(): Promise<number> {
    return this.page.locator('.editor-instance .squiggly-error').count();
  }

  /** Hovers over a word of a line until it says this; gives all that it says. */
  hoverWord(beginning: string, word: string, says: RegExp): Promise<string> {
    return this.hover(`“${word}” in “${beginning}”`, says, async () => {
      const line = this.page
        .locator('.editor-instance .view-line', { hasText: beginning.replaceAll(' ', '\u00a0') })
        .first();
      const box = await line.locator('span span', { hasText: word }).first().boundingBox({ timeout: BRIEF });
      return box ? { x: box.x + Math.min(8, box.width / 2), y: box.y + box.height / 2 } : undefined;
    });
  }

  /** Hovers over what stands behind a line until it says this; gives all that it says. */
  hoverAnnotation(beginning: string, says: RegExp): Promise<string> {
    return this.hover(`what stands behind “${beginning}”`, says, () =>
      this.page.evaluate((start) => {
        for (const line of document.querySelectorAll<HTMLElement>('.editor-instance .view-line')) {
          if (!line.innerText.replace(/\u00a0/g, ' ').startsWith(start)) continue;
          for (const span of line.querySelectorAll('span')) {
            if (['none', 'normal'].includes(getComputedStyle(span, '::after').content)) continue;
            const box = span.getBoundingClientRect();
            if (box.width > 0) return { x: box.left + Math.min(box.width - 4, 120), y: box.top + box.height / 2 };
          }
        }
        return undefined;
      }, beginning),
    );
  }

  private async hover(what: string, says: RegExp, find: () => Promise<Spot | undefined>): Promise<string> {
    const { mouse } = this.page;
    const hover = this.page.locator('.monaco-editor .monaco-hover:not(.hidden) .monaco-hover-content');
    const text = async (): Promise<string> => (await hover.allInnerTexts()).join('\n');
    await insist(
      `a hover over ${what} that says ${String(says)}`,
      async () => {
        const spot = await find();
        if (!spot) throw new Error('it is not drawn');
        await mouse.move(spot.x - 3, spot.y + 120);
        // One that stays open says what was true when it opened.
        await hover.first().waitFor({ state: 'hidden', timeout: BRIEF });
        await mouse.move(spot.x - 2, spot.y);
        await mouse.move(spot.x, spot.y, { steps: 3 });
      },
      async () => says.test(await text()),
    );
    return text();
  }

  /** Asks for completions until this one is the first choice. */
  async complete(offer: RegExp): Promise<void> {
    const offered = (row: string): Promise<string[]> =>
      this.page
        .locator(`.suggest-widget.visible .monaco-list-row${row}`)
        .evaluateAll((all) => all.map((each) => each.getAttribute('aria-label') ?? ''));
    try {
      await insist(
        `the completion ${String(offer)}`,
        () => this.page.keyboard.press('Control+Space'),
        async () => (await offered('.focused')).some((label) => offer.test(label)),
      );
    } catch (error) {
      const text = (await this.lines()).map((line) => line.text).join('\n');
      throw new Error(`${String(error)}; offered: ${(await offered('')).join(' | ')}; the text:\n${text}`, {
        cause: error,
      });
    }
  }

  notifications(): Promise<string[]> {
    return this.page
      .locator('.notification-toast')
      .evaluateAll((all) => all.map((each) => (each as HTMLElement).innerText));
  }

  /** Waits for a notification that looks like this; an evaluation that asks first is agreed to. */
  async notification(pattern: RegExp, milliseconds?: number): Promise<string> {
    const texts = await eventually(
      `a notification ${String(pattern)}`,
      async () => {
        await this.agree();
        return this.notifications();
      },
      (all) => all.some((text) => pattern.test(text)),
      milliseconds,
    );
    return texts.find((text) => pattern.test(text))!;
  }

  /** Presses a button of a notification, which goes away by that. */
  async answer(notification: RegExp, button: string): Promise<void> {
    const toast = this.page.locator('.notification-toast', { hasText: notification });
    await insist(
      `“${button}” pressed`,
      () => toast.getByRole('button', { name: button }).first().click({ timeout: BRIEF }),
      async () => (await toast.getByRole('button', { name: button }).count()) === 0,
    );
  }

  async dismissNotifications(): Promise<void> {
    await insist(
      'no notifications',
      () => this.command('Notifications: Clear All Notifications'),
      async () => (await this.notifications()).length === 0,
    );
  }

  /** Text and accessible label of the extension's item in the status bar. */
  async status(): Promise<string> {
    const item = this.page.locator('.statusbar-item[id^="espalier"]').first();
    if ((await item.count()) === 0) return '';
    return `${await item.innerText()} | ${(await item.getAttribute('aria-label')) ?? ''}`;
  }
  /** Opens the menu of the extension's item in the status bar, and gives its rows. */
  async openMenu(): Promise<string[]> {
    await insist(
      'the menu of the status bar item',
      () => this.page.locator('.statusbar-item[id^="espalier"]').first().click({ timeout: BRIEF }),
      async () => (await this.choices()).length > 0,
    );
    return this.choices();
  }
}
