import {
  AbstractParserErrorMessageProvider,
  createDefaultCoreModule,
  createDefaultSharedCoreModule,
  DefaultLexer,
  DefaultTokenBuilder,
  DefaultValueConverter,
  EmptyFileSystem,
  inject,
} from 'langium';
import type {
  GrammarAST,
  LangiumCoreServices,
  LangiumParser,
  LangiumSharedCoreServices,
  LexerResult,
  Module,
  PartialLangiumCoreServices,
} from 'langium';
import type { TokenType } from 'chevrotain';
import { PruneGeneratedModule, PruneGeneratedSharedModule } from './generated/module.ts';
import { isName } from './words.ts';

/** A parser for the grammar. It keeps state between calls: one that has thrown is not to be used again. */
export function createGrammarParser(): LangiumParser {
  const sharedModule: Module<LangiumSharedCoreServices, Partial<LangiumSharedCoreServices>> = {};
  const shared: LangiumSharedCoreServices = inject(
    createDefaultSharedCoreModule(EmptyFileSystem),
    PruneGeneratedSharedModule,
    sharedModule,
  );
  const services: LangiumCoreServices = inject(createDefaultCoreModule({ shared }), PruneGeneratedModule, OUR_MODULE);
  shared.ServiceRegistry.register(services);
  return services.parser.LangiumParser;
}

/** Keywords are names wherever no declaration begins, so that `model: tiny` and `metric search = W` are what they say. */
class ContextualKeywords extends DefaultTokenBuilder {
  protected override buildKeywordToken(
    keyword: GrammarAST.Keyword,
    terminals: TokenType[],
    caseInsensitive: boolean,
  ): TokenType {
    const token = super.buildKeywordToken(keyword, terminals, caseInsensitive);
    const name = terminals.find((terminal) => terminal.name === 'ID');
    if (name !== undefined && isName(keyword.value)) token.CATEGORIES = [name];
    return token;
  }
}

/** Comments are no part of any tree: documentation is read from the text (see `docComment.ts`). */
class CommentlessLexer extends DefaultLexer {
  override tokenize(text: string): LexerResult {
    return { ...super.tokenize(text), hidden: [] };
  }
}

/** Paths hold backslashes on Windows: a string has no escapes, and ends at the next quote. */
class PlainValues extends DefaultValueConverter {
  protected override runConverter(rule: GrammarAST.AbstractRule, input: string): string {
    return rule.name === 'STRING' ? input.slice(1, -1) : input;
  }
}

/** What a token type is called in a message. */
const TERMINAL_NAMES: Readonly<Record<string, string>> = {
  ID: 'a name',
  STRING: 'a path in quotes',
  NUMBER: 'a number',
  PERCENTAGE: 'a percentage',
  RATIO: 'a ratio',
};

/** Says what was expected; `syntaxProblem.ts` adds where and what stands there instead. */
class ExpectationMessages extends AbstractParserErrorMessageProvider {
  override buildMismatchTokenMessage(options: { expected: TokenType; ruleName: string }): string {
    const expected = options.expected.name;
    if (expected === 'EOF') return this.buildNotAllInputParsedMessage(options);
    if (expected === ']') return '`,` or `]`';
    if (expected === ')' && !options.ruleName.startsWith('Group')) return '`,` or `)`';
    return TERMINAL_NAMES[expected] ?? `\`${expected}\``;
  }

  override buildNotAllInputParsedMessage({ ruleName }: { ruleName: string }): string {
    return ruleName.startsWith('Property') ? '`,` or the next property' : 'an operator or the next declaration';
  }

  override buildNoViableAltMessage({ ruleName }: { ruleName: string }): string {
    return ruleName.startsWith('Declaration') ? 'a declaration' : 'an operand, a metric, a number or `(`';
  }

  override buildEarlyExitMessage({ ruleName }: { ruleName: string }): string {
    return this.buildNoViableAltMessage({ ruleName });
  }
}

const OUR_MODULE: Module<LangiumCoreServices, PartialLangiumCoreServices> = {
  parser: {
    TokenBuilder: () => new ContextualKeywords(),
    Lexer: (services) => new CommentlessLexer(services),
    ValueConverter: () => new PlainValues(),
    ParserErrorMessageProvider: () => new ExpectationMessages(),
  },
};
