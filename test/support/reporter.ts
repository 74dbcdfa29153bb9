import { writeSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import type { AggregatedResult, Test, TestResult } from '@jest/reporters'
import { readNotes } from './notes.ts'

/** The title of a skipped test that stands for programs which the machine lacks; it does not fail. */
const NOT_HERE = 'not on this machine: '

interface Options {
  readonly rootDir: string
  readonly testNamePattern?: string
}

/**
 * Plain lines for people and machines: one per file, failures in full, and `N passed, N failed` as
 * the very last. A skipped or todo test is a failure: nothing may be skipped.
 */
export default class Reporter {
  readonly #options: Options
  #passed = 0
  #failed = 0
  #notes: string[] = []
  readonly #begun = performance.now()
  /** Seconds of all files of a folder. */
  readonly #folders = new Map<string, number>()

  constructor(options: Options) {
    this.#options = options
    process.once('exit', () => this.#close())
  }

  onTestResult(_test: Test, result: TestResult): void {
    const file = relative(this.#options.rootDir, result.testFilePath)
    const skipped = this.#options.testNamePattern
      ? []
      : result.testResults.filter(
          ({ status, title }) =>
            !['passed', 'failed'].includes(status) && !title.startsWith(NOT_HERE),
        )
    const broken = result.testExecError ? 1 : 0
    const failed = result.numFailingTests + skipped.length + broken
    this.#passed += result.numPassingTests
    this.#failed += failed
    if (failed === 0 && result.numPassingTests === 0 && this.#options.testNamePattern) return

    const seconds = (result.perfStats.end - result.perfStats.start) / 1000
    const folder = dirname(file)
    this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + seconds)
    print(
      `${failed > 0 ? 'FAIL' : 'ok  '} ${file} (${result.numPassingTests} passed${failed > 0 ? `, ${failed} failed` : ''}, ${seconds.toFixed(1)} s)`,
    )
    for (const test of skipped) print(`  ${test.status}, which counts as failed: ${test.fullName}`)
    if (result.failureMessage) print(result.failureMessage)
    for (const line of result.console ?? []) print(`  console.${line.type}: ${line.message}`)
  }

  onRunComplete(_contexts: unknown, results: AggregatedResult): void {
    this.#notes = readNotes()
    if (results.numTotalTestSuites === 0) this.#failed += 1
  }

  /** Jest turns an error here into a failing exit code. */
  getLastError(): Error | undefined {
    return this.#failed > 0 ? new Error(`${this.#failed} failed`) : undefined
  }

  #close(): void {
    for (const line of this.#notes) print(line)
    for (const line of this.#times()) print(line)
    print(`${this.#passed} passed, ${this.#failed} failed`)
  }

  /** Where the time goes, the slowest folder first; files run beside each other. */
  #times(): string[] {
    if (this.#folders.size < 2) return []
    const slowest = [...this.#folders].toSorted(([, a], [, b]) => b - a)
    const took = (performance.now() - this.#begun) / 1000
    return [
      ...slowest.map(([folder, seconds]) => `time of ${folder}: ${seconds.toFixed(0)} s`),
      `time of all: ${took.toFixed(0)} s`,
    ]
  }
}

function print(line: string): void {
  writeSync(1, `${line}\n`)
}
