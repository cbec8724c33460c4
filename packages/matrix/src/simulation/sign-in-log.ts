/** Who signed in and out, and in which order: which session may still stand in the store. */
export interface SignInLog {
  /** @param session `undefined`: a sign-out. @returns To be called when it has succeeded. */
  begin(session?: string): () => void;
  /** Whether somebody signed in or out after the sign-in of `session` was over, and was told that it succeeded. */
  isOverruled(session: string): boolean;
}

interface Step {
  readonly session: string | undefined;
  readonly began: number;
  /** A failed one may reach the store at any time. */
  ended: number;
}

export function signInLog(): SignInLog {
  const steps: Step[] = [];
  let count = 0;
  return {
    begin(session) {
      const step: Step = { session, began: ++count, ended: Infinity };
      steps.push(step);
      return () => {
        step.ended = ++count;
      };
    },
    isOverruled(session) {
      const signIn = steps.find((step) => step.session === session);
      return steps.some(({ began, ended }) => signIn && began > signIn.ended && ended < Infinity);
    },
  };
}
