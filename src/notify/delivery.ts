/** How what is sent came out, for whoever decides whether it is sent again. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  /** It is refused for what it is: the same will be refused again. */
  readonly hopeless: boolean
  /** What the receiver asks to be waited for, ms. */
  readonly after: number | undefined

  constructor(message: string, { hopeless = false, after, cause }: { hopeless?: boolean; after?: number | undefined; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.hopeless = hopeless
    this.after = after
  }
}
