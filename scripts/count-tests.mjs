// Prints "passed failed skipped" of a vitest JSON report. A test file that did not load counts as a failure.
import { readFileSync } from 'node:fs'

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
const skipped = report.numPendingTests + report.numTodoTests
console.log(report.numPassedTests, report.numFailedTests + broken.length, skipped)
