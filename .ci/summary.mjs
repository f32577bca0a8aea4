/** Prints what became of the tests as one line: `N passed, N failed`, and `, N skipped` where some did not run. */
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8') || '{"numRuntimeErrorTestSuites":1}');
const { numPassedTests = 0, numFailedTests = 0, numRuntimeErrorTestSuites = 0, numPendingTests = 0 } = report;
// A suite that cannot even be loaded reports no test, yet is a failure.
const failed = numFailedTests + numRuntimeErrorTestSuites;
console.log(`${numPassedTests} passed, ${failed} failed${numPendingTests > 0 ? `, ${numPendingTests} skipped` : ''}`);
