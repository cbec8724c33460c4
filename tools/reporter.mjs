// A vitest reporter. It names every skipped test with its reason, and its very last line is `N passed, N failed, N skipped`.
// A file that failed to load, a hook that failed and an unhandled error count as failed.
// With AUTHSEAM_REQUIRE_ALL=1 a test skipped with a note that begins with "needs " (a tool that is not installed) counts as failed too.
import process from 'node:process';

export default class FooterReporter {
  #watch = false;
  #lines = [];

  onInit(vitest) {
    this.#watch = vitest.config.watch;
    // At exit, so that nothing (coverage, a slow shutdown) is printed after it.
    process.on('exit', () => this.#print());
  }

  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const skips = [];
    for (const module of modules) {
      count.failed += brokenParts(module);
      for (const test of module.children.allTests()) {
        const outcome = outcomeOf(test);
        count[outcome.counted] += 1;
        if (outcome.skip) skips.push(outcome.skip);
      }
    }
    this.#lines = [...skips, `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`];
    if (count.failed > 0) process.exitCode = 1;
    if (this.#watch) this.#print();
  }

  #print() {
    if (this.#lines.length > 0) process.stdout.write(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }
}

function brokenParts(module) {
  const suites = [...module.children.allSuites()];
  const broken = [module, ...suites].filter((part) => part.errors().length > 0).length;
  const neverRan = module.state() === 'queued' || module.state() === 'pending';
  return broken + (neverRan && broken === 0 ? 1 : 0);
}

function outcomeOf(test) {
  const result = test.result();
  if (result.state === 'passed' || result.state === 'failed') return { counted: result.state };
  if (result.state !== 'skipped') return { counted: 'failed', skip: `never finished: ${nameOf(test)}` };
  const note = result.note ?? (test.options.mode === 'todo' ? 'todo' : 'no reason given');
  const required = process.env.AUTHSEAM_REQUIRE_ALL === '1' && note.startsWith('needs ');
  return { counted: required ? 'failed' : 'skipped', skip: `${required ? 'required, but skipped' : 'skipped'}: ${nameOf(test)} (${note})` };
}

function nameOf(test) {
  return `${test.project.name} ${test.module.relativeModuleId} > ${test.fullName}`;
}
