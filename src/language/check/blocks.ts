import type { SearchMethod } from '../../search/kinds.ts';
import type { ProtocolName } from '../../experiment/protocols.ts';
import type { SaidSettings, SettingRow } from '../../experiment/settingRow.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { nearestName } from '../../metric/nearest.ts';
import { readRecovery, readUpdateValue } from './afterMask.ts';
import { readNamedRates } from './allocations.ts';
import { readArguments } from './argumentList.ts';
import type { GivenArguments } from './argumentList.ts';
import { didYouMean, shift } from './diagnostics.ts';
import type { SearchContent, TextInput } from './document.ts';
import { addSite } from './findings.ts';
import { tellMisplacedGroups } from './misplacedGroups.ts';
import { readPath } from './inputPath.ts';
import type { ParsedDeclaration, ParsedProperty } from '../syntax/pieces.ts';
import { blockKindOf, blocksWith, propertiesOf, propertyOf } from './properties.ts';
import type { BlockKind } from './properties.ts';
import type { Property } from './property.ts';
import { PropertyReader } from './propertyReader.ts';
import type { BlockContext } from './propertyReader.ts';
import { eachOnce, readMetric, readOperand, readOperation, readSparsity } from './propertyValues.ts';
import type { PropertySetting } from './property.ts';
import { inBrackets, readSetting } from './settingValues.ts';
import { readComponentScore, readNamedStructure, readPruning, readTarget } from './structures.ts';
import { readTasks } from './tasks.ts';
import type { ExpressionSyntax, Identifier, PropertySyntax, Span } from '../syntax/syntax.ts';

export interface CompiledBlock {
  /** Of an experiment or defaults, those of its properties that only a search has are undefined. */
  readonly content: SearchContent;
  /** Of a corpus: what is said of its rows. */
  readonly ownRows: SaidSettings;
  /** Whether anything in it is wrong; what is missing altogether is not looked at here. */
  readonly broken: boolean;
}

/** Settings by name, each checked against its row. */
type Said = Record<string, SettingRow['default']>;

type TextProperty = 'evaluate' | 'calibrate' | 'gradients' | 'train' | 'validate' | 'test';

function withRows(path: string, rows: Said): TextInput {
  return { path, ...(Object.keys(rows).length > 0 && { rows }) };
}

/** Reads an `experiment`, `search` or `defaults` block. Every mistake is told at the value at fault, and leaves the others as they are. */
export function compileBlock(parsed: ParsedDeclaration, context: BlockContext): CompiledBlock {
  return new BlockCompiler(parsed, context).compile();
}

class BlockCompiler {
  private readonly parsed: ParsedDeclaration;
  private readonly block: BlockKind;
  private readonly context: BlockContext;
  private readonly content: { -readonly [Key in keyof SearchContent]: SearchContent[Key] };
  private readonly settings: Record<PropertySetting['of'], Said> = {
    evaluation: {},
    method: {},
    search: {},
    llm: {},
    rows: {},
    tasks: {},
    task: {},
    protocol: {},
    // Stand in parentheses alone.
    update: {},
    recovery: {},
  };
  /** Where each property was said first, by what it says. */
  private readonly seen = new Map<string, Span>();
  private broken: boolean;

  constructor(parsed: ParsedDeclaration, context: BlockContext) {
    this.parsed = parsed;
    this.block = blockKindOf(parsed);
    this.context = context;
    // Each value has been checked against the row of its setting.
    const { evaluation, search, llm } = this.settings;
    this.content = { settings: evaluation, search, llm };
    this.broken = parsed.tree?.problem !== undefined;
  }

  compile(): CompiledBlock {
    for (const property of this.parsed.properties) {
      const { syntax, problem } = property.tree;
      if (problem !== undefined) {
        // A property with a syntax error counts as said.
        this.broken = true;
        const known = propertyOf(this.block, syntax.key.text);
        if (known) this.seen.set(subjectOf(known), shift(syntax.key.span, property.base));
      } else {
        const reader = new PropertyReader(property, this.context);
        this.compileProperty(syntax, property, reader);
        this.broken ||= reader.broken;
      }
    }
    const { method } = this.settings.method;
    if (method !== undefined) this.content.method = method as SearchMethod;
    const { protocol } = this.settings.protocol;
    if (protocol !== undefined) this.content.protocol = protocol as ProtocolName;
    const { tasks: asking } = this.settings;
    if (Object.keys(asking).length > 0) this.content.asking = asking;
    return { content: this.content, ownRows: this.settings.rows, broken: this.broken };
  }

  private compileProperty({ key, values }: PropertySyntax, { base }: ParsedProperty, reader: PropertyReader): void {
    const property = this.knownProperty(key, base, reader);
    if (property === undefined || !this.claim(property, key.span, reader)) return;
    tellMisplacedGroups(reader, values, property.value === 'prunings');
    const { name } = property;
    const { content } = this;
    switch (property.value) {
      case 'metrics':
        content[name as 'from' | 'baselines'] = eachOnce(reader, values, readMetric, ({ label }) => label);
        return;
      case 'prunings':
        content.prune = eachOnce(
          reader,
          values,
          readPruning,
          ({ label, rates, update }) => label + JSON.stringify([rates, update]),
        );
        return;
      case 'sparsities':
        content.at = eachOnce(reader, values, readSparsity, printSparsity);
        return;
      case 'operands':
        content.operands = eachOnce(reader, values, readOperand, String);
        return;
      case 'operations':
        content.operations = eachOnce(reader, values, readOperation, String);
        return;
      case 'tasks':
        content.tasks = readTasks(reader, values);
        return;
      case 'rates':
        content.rateBaselines = eachOnce(reader, values, readNamedRates, ({ rates }) => JSON.stringify(rates));
        return;
      case 'structures':
        content.structureBaselines = eachOnce(
          reader,
          values,
          readNamedStructure,
          (baseline) => baseline.name + JSON.stringify(baseline.structure),
        );
        return;
      case 'sparsity':
      case 'share':
      case 'model':
      case 'corpus':
      case 'target':
      case 'score':
      case 'update':
      case 'recovery':
      case 'setting': {
        const value = values[0];
        if (value === undefined) return;
        if (values.length > 1) {
          const { suffix, ...fixes } = inBrackets(reader, property.setting?.row, values);
          reader.report('property/type', values[1]!.span, `\`${name}\` takes one value${suffix}`, fixes);
        } else this.compileValue(property, value, reader);
      }
    }
  }

  /** Of a property that takes one value. */
  private compileValue(property: Property, value: ExpressionSyntax, reader: PropertyReader): void {
    const { content } = this;
    if (property.value === 'setting') {
      this.compileSetting(property.setting!, property.name, value, reader);
    } else if (property.value === 'sparsity' || property.value === 'share') {
      const sparsity = readSparsity(reader, value);
      if (sparsity !== undefined) content.at = [sparsity];
    } else if (property.value === 'target') {
      const target = readTarget(reader, value);
      if (target !== undefined) content.target = target;
    } else if (property.value === 'score') {
      const score = readComponentScore(reader, value);
      if (score !== undefined) content.score = score;
    } else if (property.value === 'update') {
      const update = readUpdateValue(reader, value, property.updates ?? 'any');
      if (update !== undefined) content.update = update;
    } else if (property.value === 'recovery') {
      const recovery = readRecovery(reader, value);
      if (recovery !== undefined) content.recover = recovery;
    } else if (property.value === 'model' || property.value === 'corpus') {
      const found = readPath(reader, property.value, value);
      const rows: Said = { ...found?.rows };
      const { span } = value;
      if (value.kind === 'call')
        this.compileArguments({ callee: value.callee, span, given: value.arguments }, property, rows, reader);
      // Names of files are long, and what is wrong stands behind them.
      if (value.kind === 'text')
        this.compileArguments(
          { callee: { text: `"${value.text}"`, span }, span, given: value.arguments },
          property,
          rows,
          reader,
        );
      if (found === undefined) return;
      if (property.value === 'model') content.model = found.path;
      else content[property.name as TextProperty] = withRows(found.path, rows);
    }
  }

  private knownProperty({ text, span }: Identifier, base: number, reader: PropertyReader): Property | undefined {
    const property = propertyOf(this.block, text);
    if (property !== undefined) {
      addSite(this.context.findings, base, span, { kind: 'property', name: text, property });
      return property;
    }
    const elsewhere = blocksWith(text);
    if (elsewhere.length > 0) {
      reader.report('property/misplaced', span, misplaced(text, this.block, elsewhere));
      return undefined;
    }
    const names = propertiesOf(this.block).map(({ name }) => name);
    const { suffix, ...fixes } = didYouMean(reader.at(span), nearestName(text, names));
    reader.report('property/unknown', span, `unknown property \`${text}\`${suffix}`, fixes);
    return undefined;
  }

  /** Takes note that a property is said; false where it was said before. */
  private claim(property: Property, span: Span, reader: PropertyReader): boolean {
    const before = this.seen.get(subjectOf(property));
    if (before === undefined) {
      this.seen.set(subjectOf(property), reader.at(span));
      return true;
    }
    const related = [{ ...before, message: 'the first one stands here' }];
    reader.report('property/duplicate', span, `\`${property.name}\` is said twice`, { related });
    return false;
  }

  /** The settings in parentheses behind a text: those of evaluations, and those of its own rows. */
  private compileArguments(given: GivenArguments, of: Property, rows: Said, reader: PropertyReader): void {
    readArguments(reader, given, of.arguments ?? [], (property, name, value) => {
      const setting = property.setting!;
      if (setting.of === 'rows') {
        const read = readSetting(reader, setting.row, property.name, value);
        if (read !== undefined) rows[setting.name] = read;
      } else if (this.claim(property, name, reader)) this.compileSetting(setting, property.name, value, reader);
    });
  }

  private compileSetting(
    setting: PropertySetting,
    property: string,
    syntax: ExpressionSyntax,
    reader: PropertyReader,
  ): void {
    const value = readSetting(reader, setting.row, property, syntax);
    if (value === undefined) return;
    this.settings[setting.of][setting.name] = value;
    if (setting.of === 'protocol')
      reader.site(syntax.span, { kind: 'protocol', name: value as ProtocolName, start: this.parsed.start });
  }
}

/** The same setting can be said as a property and in parentheses, under another name there. */
function subjectOf({ name, setting }: Property): string {
  return setting ? `${setting.of} ${setting.name}` : name;
}

/** Says where a property belongs that another kind of block has. */
function misplaced(text: string, here: BlockKind, elsewhere: readonly BlockKind[]): string {
  if (here === 'defaults') {
    const there = elsewhere.includes('experiment') ? 'an experiment' : 'a search';
    return `\`${text}\` belongs into ${there}: \`defaults\` says the rest`;
  }
  if (here === 'experiment') return `\`${text}\` belongs into a search, not into an experiment`;
  const searches = elsewhere.filter((block) => block !== 'experiment' && block !== 'defaults');
  if (searches.length === 0) return `\`${text}\` belongs into an experiment, not into a search`;
  const named = searches.map((method) => `\`method: ${method}\``).join(' and ');
  return `\`${text}\` belongs to ${named}, and this search is by \`${here}\``;
}
