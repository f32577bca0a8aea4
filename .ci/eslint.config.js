import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const imports = {
  patterns: [
    { regex: `^(${builtinModules.join('|')})$`, message: 'Write the `node:` prefix.' },
    { regex: '^[.#/](.*/)?dist/', message: 'Import the source, not what it compiles to.' },
  ],
};
const sleep = { name: 'node:timers/promises', importNames: ['setTimeout'], message: 'Wait for a condition instead.' };
const unfinishedTest = {
  selector: 'CallExpression > MemberExpression[object.name=/^(describe|it|test)$/][property.name=/^(skip|only|todo)$/]',
  message: 'No skipped, focused or planned tests.',
};

export default defineConfig(
  globalIgnores(['**/dist/', 'data/']),
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: fileURLToPath(new URL('..', import.meta.url)) },
    },
    rules: {
      '@typescript-eslint/consistent-type-exports': 'error',
      // Leaves files with decorators alone: their imports are metadata that dependency injection reads at run time.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNever: true },
      ],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Objects of closures are taken apart freely here; the rule cannot tell them from methods that need `this`.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', { max: 350 }],
      'no-console': 'error',
      'no-control-regex': 'off',
      'no-restricted-imports': ['error', imports],
      'no-undef': 'off',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['**/*.spec.ts'],
    rules: {
      'max-lines': ['error', { max: 500 }],
      'no-restricted-imports': ['error', { ...imports, paths: [sleep] }],
      'no-restricted-syntax': ['error', unfinishedTest],
      // `expect.objectContaining(…)` and its like are `any`.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: ['apps/**', 'bench/**', '.ci/**'],
    rules: { 'no-console': 'off' },
  },
);
