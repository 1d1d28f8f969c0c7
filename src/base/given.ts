/** An object whose members that are undefined are left out: what was not said, a default says. */
export type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

export const given = <T extends object>(values: T): Given<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>
