import { authseamProject } from '../../tools/vitest-project.ts';

export default authseamProject('telemetry');
