/** How urgent a detection is. */

/** Falco's priorities, most urgent first. */
export const priorities = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'informational', 'debug'] as const
export type Priority = (typeof priorities)[number]
