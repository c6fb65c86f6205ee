import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { SETTINGS } from '../../src/experiment/settings.ts';
import type { SettingName } from '../../src/experiment/settings.ts';
import type { SettingRow } from '../../src/experiment/settingRow.ts';

// The manifest says to the editor what the code does; here the two are compared. Nothing of the editor is needed for that.
vi.mock('vscode', () => ({}));

const root = path.resolve(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;

interface Manifest {
  readonly icon: string;
  readonly main: string;
  readonly extensionKind: string[];
  readonly capabilities: {
    untrustedWorkspaces: { supported: unknown; restrictedConfigurations: string[] };
    virtualWorkspaces: { supported: unknown };
  };
  readonly contributes: {
    readonly commands: { command: string; title: string; category: string }[];
    readonly menus: Record<string, { command: string; when: string }[]>;
    readonly configuration: { properties: Record<string, Property> }[];
    readonly languageModelTools: { name: string; modelDescription: string; inputSchema: unknown }[];
    readonly languages: { id: string; extensions: string[]; configuration: string; icon: Record<string, string> }[];
    readonly grammars: { language: string; path: string }[];
    readonly walkthroughs: {
      steps: { description: string; media: { markdown: string }; completionEvents: string[] }[];
    }[];
  };
}

interface Property {
  readonly type: string;
  readonly default: unknown;
  readonly scope: string;
  readonly enum?: string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly markdownDescription: string;
}

const properties = Object.assign(
  {},
  ...manifest.contributes.configuration.map((section) => section.properties),
) as Record<string, Property>;

describe('the manifest', () => {
  it('declares exactly the commands that are registered', async () => {
    const { COMMANDS } = await import('../../src/extension/commands.ts');
    expect(manifest.contributes.commands.map(({ command }) => command).sort()).toEqual(Object.keys(COMMANDS).sort());
    expect(manifest.contributes.commands.every(({ category }) => category === 'Espalier')).toBe(true);
  });

  it('names no command in a menu that does not exist', () => {
    const known = manifest.contributes.commands.map(({ command }) => command);
    for (const { command } of Object.values(manifest.contributes.menus).flat()) expect(known).toContain(command);
  });

  it('leads through commands that there are, with pages that ship', () => {
    const known = manifest.contributes.commands.map(({ command }) => command);
    const [walkthrough] = manifest.contributes.walkthroughs;
    for (const { description, media, completionEvents } of walkthrough!.steps) {
      const named = `${description} ${completionEvents.join(' ')}`.match(/espalier\.\w+/g) ?? [];
      expect(named.length).toBeGreaterThan(1);
      for (const command of named) expect(known).toContain(command);
      expect(existsSync(path.join(root, media.markdown)), media.markdown).toBe(true);
    }
  });

  it('declares the evaluation settings as the language knows them', async () => {
    const { EVALUATION_SETTINGS } = await import('../../src/extension/configuration.ts');
    for (const [name, key] of Object.entries(EVALUATION_SETTINGS)) {
      const row: SettingRow = SETTINGS[name as SettingName];
      const property = properties[`espalier.${key}`];
      expect(property?.default, key).toBe(row.default);
      if (row.kind === 'choice') expect(property?.enum, key).toEqual(row.choices);
      else expect(property?.minimum, key).toBe(row.orZero ? 0 : row.minimum);
    }
    const { LLM_SETTING_KEYS } = await import('../../src/extension/llm/llmConfiguration.ts');
    const llm = LLM_SETTING_KEYS.map((key) => `espalier.llm.${key}`);
    const { QUEUE_SETTING } = await import('../../src/extension/queue/queueConfiguration.ts');
    const inputs = ['espalier.model', 'espalier.text', 'espalier.calibration'];
    const figures = ['colours', 'font', 'width'].map((key) => `espalier.figures.${key}`);
    const others = [
      ...inputs,
      ...figures,
      QUEUE_SETTING,
      'espalier.notifications.runs',
      'espalier.results.form',
      ...llm,
    ];
    expect(Object.keys(properties).sort()).toEqual(
      [...others, ...Object.values(EVALUATION_SETTINGS).map((key) => `espalier.${key}`)].sort(),
    );
  });

  it('offers the forms of a result that there are', async () => {
    const { RESULT_FORMS } = await import('../../src/extension/results/resultForm.ts');
    expect(properties['espalier.results.form']?.enum).toEqual([...RESULT_FORMS]);
    expect(properties['espalier.results.form']?.default).toBe('auto');
  });

  it.each([
    ['espalier.device', 'machine-overridable'],
    ['espalier.threads', 'machine-overridable'],
    ['espalier.llm.provider', 'machine'],
    ['espalier.llm.endpoint', 'machine'],
    ['espalier.queue', 'machine'],
    ['espalier.model', 'resource'],
    ['espalier.evaluation.length', 'resource'],
  ])('%s belongs to the scope %s', (key, scope) => {
    expect(properties[key]?.scope).toBe(scope);
  });

  it('takes no queue, language model, device or input from a folder that is not trusted', () => {
    const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    expect([...restrictedConfigurations].sort()).toEqual([
      ...['espalier.calibration', 'espalier.device', 'espalier.llm.endpoint', 'espalier.llm.model'],
      ...['espalier.llm.provider', 'espalier.model', 'espalier.queue', 'espalier.text'],
    ]);
  });

  it('runs where the files are, needs trust to evaluate, and no virtual workspace', () => {
    expect(manifest.extensionKind).toEqual(['workspace']);
    expect(manifest.capabilities.untrustedWorkspaces.supported).toBe('limited');
    expect(manifest.capabilities.virtualWorkspaces.supported).toBe(false);
  });

  it('declares the tools for language models as they are, and that each reads, computes or writes by its own name', async () => {
    const { TOOLS } = await import('../../src/agents/tools.ts');
    const { manifestName } = await import('../../src/extension/agents/agentTools.ts');
    expect(manifest.contributes.languageModelTools.map(({ name, inputSchema }) => [name, inputSchema])).toEqual(
      TOOLS.map((tool) => {
        const schema: Record<string, unknown> = { ...z.toJSONSchema(tool.input, { io: 'input' }) };
        delete schema['$schema'];
        return [manifestName(tool), schema];
      }),
    );
    expect(manifest.contributes.languageModelTools.map(({ modelDescription }) => modelDescription)).toEqual(
      TOOLS.map(({ description }) => description),
    );
  });

  it('names files that are there', () => {
    const [language] = manifest.contributes.languages;
    const files = [
      manifest.icon,
      language!.configuration,
      ...Object.values(language!.icon),
      manifest.contributes.grammars[0]!.path,
    ];
    for (const file of files) expect(existsSync(path.join(root, file)), file).toBe(true);
  });
});
