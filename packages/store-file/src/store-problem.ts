/** What is wrong, in words of this package: they name paths and nothing that was read, and reach the caller whole. */
export class StoreProblem extends Error {}
