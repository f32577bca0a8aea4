/**
 * The import rules. Imports point one way: kernel ← store/port ← stores, runtime ← subsystems ← apps; a library is seen
 * by others through its index only. docs/contributing.md says the same in words.
 */
const library = '^libs/((?:store|channel)/[^/]+|[^/]+)/';
const libraryIndex = '^libs/((store|channel|testing)/)?[^/]+/index\\.ts$';
const spec = '\\.spec(-d)?\\.ts$';
const testSupport = '^libs/(testing|store/contract)/';
const tests = [spec, testSupport, '^(test|bench)/'];

/** What a product file of a library may import from other libraries: nothing but `allowed` (and its own files). */
function layer(name, from, ...allowed) {
  return {
    name: `layer-of-${name}`,
    comment: `libs/${name} may import ${allowed.length > 0 ? allowed.map((l) => `#libs/${l}`).join(', ') : 'no library'}`,
    severity: 'error',
    from: { path: `^libs/${from}/`, pathNot: tests },
    to: { path: '^libs/', pathNot: [`^libs/$1/`, ...allowed.map((l) => `^libs/${l}/`)] },
  };
}

const foundation = ['kernel', 'store/port'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    layer('kernel', '(kernel)'),
    layer('store/port', '(store/port)', 'kernel'),
    layer('store/*', '(store/(?!port/)[^/]+)', ...foundation),
    layer('validation', '(validation)', 'kernel'),
    layer('vault', '(vault)', ...foundation),
    layer('blob', '(blob)', ...foundation, 'vault'),
    layer('query-index', '(query-index)', ...foundation),
    layer('runtime', '(runtime)', ...foundation, 'validation', 'vault', 'blob'),
    layer('access', '(access)', 'kernel', 'validation'),
    layer('http', '(http)', ...foundation, 'access', 'validation', 'vault', 'blob', 'runtime'),
    layer('tracing', '(tracing)', ...foundation, 'validation', 'vault', 'blob', 'runtime', 'access', 'http'),
    {
      name: 'only-apps-trace',
      comment: 'Libraries have hooks of their own; what traces them is put there by apps.',
      severity: 'error',
      from: { path: '^libs/', pathNot: '^libs/tracing/' },
      to: { path: '^libs/tracing/' },
    },
    {
      name: 'opentelemetry-in-tracing-only',
      comment: 'What is traced tells libs/tracing; apps load it where a collector is set.',
      severity: 'error',
      from: { pathNot: '^libs/tracing/' },
      to: { path: '(^|node_modules/)@opentelemetry/' },
    },
    {
      name: 'subsystems-know-no-store',
      comment: 'A subsystem works on the port; which store it runs on is the choice of apps.',
      severity: 'error',
      from: { path: '^libs/', pathNot: [...tests, '^libs/store/'] },
      to: { path: '^libs/store/(?!port/)' },
    },
    {
      name: 'kernel-without-dependencies',
      comment: 'libs/kernel imports nothing but its own files and Node itself.',
      severity: 'error',
      from: { path: '^libs/kernel/', pathNot: spec },
      to: { pathNot: '^libs/kernel/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'libraries-know-no-app',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: ['^apps/', '^(test|bench)/'] },
    },
    {
      name: 'only-apps-assemble-the-streams',
      comment: 'streams.config.ts imports the libraries; a library that imported it would know them all.',
      severity: 'error',
      from: { pathNot: '^(apps|test|bench)/' },
      to: { path: '^streams\\.config\\.ts$' },
    },
    {
      name: 'nothing-past-an-index',
      comment: 'What a library exports is what its index.ts exports.',
      severity: 'error',
      from: { path: library },
      to: { path: '^libs/', pathNot: ['^libs/$1/', libraryIndex] },
    },
    {
      name: 'nothing-past-an-index-from-outside',
      severity: 'error',
      from: { pathNot: '^libs/' },
      to: { path: '^libs/', pathNot: libraryIndex },
    },
    {
      name: 'libraries-by-name',
      comment: 'Another library is imported as #libs/<path>, not by a relative path.',
      severity: 'error',
      from: { path: library },
      to: { path: '^libs/', pathNot: '^libs/$1/', dependencyTypesNot: ['aliased-subpath-import'] },
    },
    {
      name: 'libraries-by-name-from-outside',
      severity: 'error',
      from: { pathNot: '^libs/' },
      to: { path: '^libs/', dependencyTypesNot: ['aliased-subpath-import'] },
    },
    {
      name: 'console-knows-types-only',
      comment: 'The console talks to the server over HTTP; of the libraries it knows the types of the answers.',
      severity: 'error',
      from: { path: '^apps/console/' },
      to: { path: ['^libs/', '^apps/(?!console/)', '^streams\\.config\\.ts$'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-test-code-in-the-product',
      severity: 'error',
      from: { pathNot: tests },
      to: { path: tests },
    },
    {
      name: 'nobody-imports-a-spec',
      severity: 'error',
      from: {},
      to: { path: spec },
    },
    {
      name: 'eventstoredb-client-in-its-store-only',
      severity: 'error',
      from: { pathNot: ['^libs/store/(eventstoredb|facade)/', ...tests] },
      to: { path: '(^|node_modules/)@eventstore/db-client' },
    },
    {
      name: 'nest-at-the-edge-only',
      comment: '@nestjs/* belongs in apps, libs/http, a library’s http folder and *.module.ts.',
      severity: 'error',
      from: {
        path: ['^libs/', '^streams\\.config\\.ts$'],
        pathNot: ['^libs/http/', '^libs/[^/]+/http/', '^libs/[^/]+/[^/]+/http/', '\\.module\\.ts$'],
      },
      to: { path: '(^|node_modules/)@nestjs/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-packages-only',
      comment: 'A package that only another package brings along may be gone tomorrow.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-development-packages-in-the-product',
      severity: 'error',
      // The console is bundled: what it is made of need not be installed where it is served.
      from: { path: '^(apps|libs|streams\\.config\\.ts)', pathNot: [...tests, '^apps/console/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    exclude: { path: '^(dist|data|apps/console/dist)/' },
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    // `types` is the condition under which package.json maps #libs/* to the sources.
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'require', 'node', 'default'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
