import { authseamProject } from '../../tools/vitest-project.ts';

const project = authseamProject('matrix-oldest-axios');

/** The axios adapter on the oldest axios that its peer range allows. */
export default {
  ...project,
  resolve: { alias: [{ find: /^axios$/, replacement: 'axios-1.12' }] },
  test: { ...project.test, include: ['src/axios-{adapter,attach,errors,redirects}.test.ts'] },
};
