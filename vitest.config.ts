import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/helpers/closing-line-reporter.ts';

const minute = 60_000;

/** Whole epochs in which every second counts: a machine that is busy with other suites would be what they find out. */
const EPOCHS_PLAYED = ['test/engine/schedule.test.ts', 'test/engine/poet-switch.test.ts'];

/** Suites that wait for containers and epochs most of the time: with two at once both cores idle. */
const WAITING_WORKERS = 3;

export default defineConfig({
  test: {
    reporters: ['default', new ClosingLineReporter()],
    pool: 'forks',
    // Two cores are what the suites are promised to run on.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          // Property tests take a second; on a machine that is busy with other things, many.
          testTimeout: minute,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          globalSetup: ['test/helpers/prepare-engine.ts'],
          testTimeout: minute,
          hookTimeout: 2 * minute,
          maxWorkers: WAITING_WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'engine',
          include: ['test/engine/**/*.test.ts'],
          exclude: EPOCHS_PLAYED,
          globalSetup: ['test/helpers/prepare-engine.ts'],
          testTimeout: 3 * minute,
          hookTimeout: 3 * minute,
          maxWorkers: WAITING_WORKERS,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          // On an engine of its own, beside the others: it takes as long as epochs take.
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          globalSetup: ['test/helpers/prepare-engine.ts'],
          testTimeout: 12 * minute,
          hookTimeout: 2 * minute,
          maxWorkers: WAITING_WORKERS,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'epochs',
          include: EPOCHS_PLAYED,
          globalSetup: ['test/helpers/prepare-engine.ts'],
          testTimeout: 3 * minute,
          hookTimeout: 3 * minute,
          sequence: { groupOrder: 4 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/helpers/prepare-engine.ts'],
          testTimeout: 2 * minute,
          hookTimeout: 2 * minute,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
