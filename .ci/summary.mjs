/** Prints what became of the tests of all reports as one line: `N passed, N failed`, and `, N skipped` where some did not run. */
import { readFileSync } from 'node:fs';

let [passed, failed, skipped] = [0, 0, 0];
for (const file of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(file, 'utf8') || '{"numRuntimeErrorTestSuites":1}');
  passed += report.numPassedTests ?? 0;
  // A suite that cannot even be loaded reports no test, yet is a failure.
  failed += (report.numFailedTests ?? 0) + (report.numRuntimeErrorTestSuites ?? 0);
  skipped += report.numPendingTests ?? 0;
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
