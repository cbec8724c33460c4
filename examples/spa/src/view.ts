/** What `main[data-state]` can be: page.css shows the section that goes with it. */
export type PageState = 'loading' | 'signed-out' | 'signed-in';

/** The page, as far as the rest has to know it. */
export const view = {
  get state(): PageState {
    return element('main').dataset['state'] as PageState;
  },
  show(state: PageState, status: string): void {
    element('main').dataset['state'] = state;
    element('#status').textContent = status;
  },
  showAnswer(answer: unknown): void {
    element('#answer').textContent = JSON.stringify(answer, undefined, 2);
  },
  /** As text, never as markup: a server's words may be in it. */
  showProblem(problem: string | undefined): void {
    element('#problem').hidden = problem === undefined;
    element('#problem').textContent = problem ?? '';
  },
  addEvent(text: string): void {
    const item = document.createElement('li');
    item.textContent = text;
    element('#events').append(item);
  },
  /** A button without an action is not shown. */
  on(button: 'sign-in' | 'call' | 'expire' | 'sign-out', action: (() => void) | undefined): void {
    element(`#${button}`).hidden = action === undefined;
    if (action) element(`#${button}`).addEventListener('click', action);
  },
};

function element(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`The page has no ${selector}.`);
  return found;
}
