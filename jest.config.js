/** One PostgreSQL for the run, real parts everywhere; run it through `npm test` so that the bundled Node is used. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.js' },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  reporters: ['<rootDir>/test/support/reporter.ts'],
  testTimeout: 90_000,
  maxWorkers: 3,
  workerIdleMemoryLimit: '700MB',
  verbose: false,
  watchman: false,
}
