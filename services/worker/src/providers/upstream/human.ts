/**
 * What a human of the team had said, for a model that knows itself as the only assistant. Without the note it would take the
 * words for its own, with what was promised in them.
 */
export const saidByHuman = (text: string): string => `[A human of the team answered here:]\n${text}`
