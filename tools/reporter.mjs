// A vitest reporter. It ends in what was skipped (a line for each reason), what failed (with the reason) and, as the very
// last line, `N passed, N failed, N skipped`: whoever sees no more than the end of a long log sees what went wrong.
// A file that failed to load, a hook that failed and an unhandled error count as failed.
// With AUTHSEAM_REQUIRE_ALL=1 a test skipped with a note that begins with "needs " (a tool that is not installed) counts as failed too.
import process from 'node:process';

const NAMED_SKIPS = 3;

export default class FooterReporter {
  #watch = false;
  #lines = [];

  onInit(vitest) {
    this.#watch = vitest.config.watch;
    // At exit, so that nothing (coverage, a slow shutdown) is printed after it.
    process.on('exit', () => this.#print());
  }

  onTestRunEnd(modules, unhandledErrors) {
    const failures = unhandledErrors.map((error) => failure('unhandled error', error));
    const skips = new Map();
    let passed = 0;
    let skipped = 0;
    for (const module of modules) {
      failures.push(...brokenParts(module));
      for (const test of module.children.allTests()) {
        const { state, note } = outcomeOf(test);
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failures.push(failure(nameOf(test), note ?? test.result().errors?.[0]));
        else {
          skipped += 1;
          skips.set(note, [...(skips.get(note) ?? []), nameOf(test)]);
        }
      }
    }
    this.#lines = [...[...skips].map(skipLine), ...failures, `${passed} passed, ${failures.length} failed, ${skipped} skipped`];
    if (failures.length > 0) process.exitCode = 1;
    if (this.#watch) this.#print();
  }

  #print() {
    if (this.#lines.length > 0) process.stdout.write(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }
}

function brokenParts(module) {
  const broken = [module, ...module.children.allSuites()].filter((part) => part.errors().length > 0);
  const isUntouched = module.state() === 'queued' || module.state() === 'pending';
  if (broken.length === 0 && isUntouched) return [failure(placeOf(module), 'never ran')];
  return broken.map((part) => failure(part === module ? placeOf(module) : nameOf(part), part.errors()[0]));
}

function outcomeOf(test) {
  const result = test.result();
  if (result.state === 'passed' || result.state === 'failed') return { state: result.state };
  if (result.state !== 'skipped') return { state: 'failed', note: 'never finished' };
  const note = result.note ?? (test.options.mode === 'todo' ? 'todo' : 'no reason given');
  const isRequired = process.env.AUTHSEAM_REQUIRE_ALL === '1' && note.startsWith('needs ');
  return isRequired ? { state: 'failed', note: `required, but skipped: ${note}` } : { state: 'skipped', note };
}

function failure(name, reason) {
  const text = typeof reason === 'string' ? reason : (reason?.message ?? 'no reason given');
  return `failed: ${name}\n  ${text.slice(0, 500).replaceAll('\n', '\n  ')}`;
}

function skipLine([note, names]) {
  const named = names.slice(0, NAMED_SKIPS).join('; ');
  const others = names.length - NAMED_SKIPS;
  return `skipped, ${note}: ${named}${others > 0 ? `; and ${others} more` : ''}`;
}

function nameOf(test) {
  return `${placeOf(test.module)} > ${test.fullName}`;
}

function placeOf(module) {
  return `${module.project.name} ${module.relativeModuleId}`;
}
