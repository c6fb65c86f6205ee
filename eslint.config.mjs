import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const OPENS = [
  'open',
  'openSync',
  'readFile',
  'readFileSync',
  'createReadStream',
  'copyFile',
  'copyFileSync',
  'cp',
  'cpSync',
  'appendFile',
  'appendFileSync',
];
const OPENING = ['fs', 'node:fs', 'fs/promises', 'node:fs/promises'].map((name) => ({
  name,
  importNames: [...OPENS, 'default', 'promises'],
  message: 'Files are opened by src/files: regular ones, bounded, never waiting.',
}));

const RANDOM = {
  selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
  message: 'Randomness is passed in: see base/rng.ts.',
};
const RECURSIVE_MKDIR = {
  selector: "CallExpression[callee.name=/^mkdir(Sync)?$/] Property[key.name='recursive']",
  message: 'It never ends where no folder can be made: see files/makeFolders.ts.',
};

export default tseslint.config(
  {
    ignores: ['dist/', 'node_modules/', 'test-results/', '.cache/', 'src/engine/graph/onnx/onnx_pb.*'],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Indexing typed arrays inside bounds is what numeric code does all day; noUncheckedIndexedAccess makes each one `!`.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'no-restricted-syntax': ['error', RANDOM],
    },
  },
  {
    // What is opened may be a pipe, a device, a link or without end: src/files knows, and nobody else opens anything.
    files: ['src/**/*.ts', 'tools/**/*.ts'],
    ignores: ['src/files/**'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { paths: OPENING }] },
  },
  {
    files: ['src/**/*.ts', 'tools/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', RANDOM, RECURSIVE_MKDIR] },
  },
  {
    // docs/privacy.md names every place that opens a connection.
    files: ['src/**/*.ts'],
    ignores: ['src/llm/openAiClient.ts', 'src/hub/hubClient.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'].map((name) => ({
          name,
          message: 'Connections are opened in the places that docs/privacy.md names.',
        })),
      ],
    },
  },
  {
    // What a person is told goes through the one place that takes links, icons and control characters out of it.
    files: ['src/extension/**/*.ts'],
    ignores: ['src/extension/messages.ts', 'src/extension/markdownString.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['showInformationMessage', 'showWarningMessage', 'showErrorMessage', 'withProgress'].map((property) => ({
          property,
          message: 'Names and errors of others may hold links: see src/extension/messages.ts.',
        })),
        { property: 'MarkdownString', message: 'Nothing in it may be trusted: see src/extension/markdownString.ts.' },
      ],
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        AbortController: 'readonly',
      },
    },
  },
);
