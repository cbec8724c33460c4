import type { Answer } from '../answer.ts';

/** A form that a person answers with allow or deny: the one kind of page that the authorization servers of this package show. */
export interface ApprovalPage {
  readonly title: string;
  /** Where the form goes. Default: back to the page's own URL. */
  readonly action?: string;
  /** Who may sign in; the first one is filled in. Default: nobody is asked. */
  readonly users?: readonly string[];
  /** What may be agreed to; all are ticked. Default none. */
  readonly scope?: readonly string[];
  readonly hidden?: Readonly<Record<string, string>>;
  /** What went wrong the last time. */
  readonly problem?: string;
}

/** What a person made of an {@link ApprovalPage}. */
export interface Approval {
  readonly isAllowed: boolean;
  readonly user: string;
  readonly scope: readonly string[];
}

/** The page in HTML. Its fields are `user` (text), `scope` (a checkbox each) and `decision`, which the two buttons set. */
export function approvalPage({ title, action = '', users = [], scope = [], hidden = {}, problem }: ApprovalPage): string {
  const fields = [
    ...Object.entries(hidden).map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`),
    ...users.slice(0, 1).map((user) => `<label>User <input type="text" name="user" value="${escaped(user)}"></label>`),
    ...scope.map((word) => `<label><input type="checkbox" name="scope" value="${escaped(word)}" checked> ${escaped(word)}</label>`),
    '<button name="decision" value="allow">Allow</button>',
    '<button name="decision" value="deny">Deny</button>',
  ];
  const warning = problem === undefined ? '' : `<p>${escaped(problem)}</p>`;
  const form = `<form method="post" action="${escaped(action)}">${fields.join('\n')}</form>`;
  return `<!DOCTYPE html><html lang="en"><title>${escaped(title)}</title><h1>${escaped(title)}</h1>${warning}${form}</html>`;
}

/** The page as a route answers it. */
export function approvalAnswer(page: ApprovalPage, status = 200): Answer {
  return { status, headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }, body: approvalPage(page) };
}

/** Reads the form as it was sent. */
export function approvalOf(form: URLSearchParams): Approval {
  return { isAllowed: form.get('decision') === 'allow', user: form.get('user') ?? '', scope: form.getAll('scope') };
}

/** A form that a browser submits by itself (OAuth 2.0 Form Post Response Mode §2). */
export function selfSubmittingForm(action: string, fields: readonly (readonly [string, string])[]): Answer {
  const inputs = fields.map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`);
  const form = `<form method="post" action="${escaped(action)}">${inputs.join('')}</form>`;
  return {
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
    body: `<!DOCTYPE html><html lang="en"><title>Back to it</title><body onload="document.forms[0].submit()">${form}</body></html>`,
  };
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
