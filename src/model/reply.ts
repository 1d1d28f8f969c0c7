/** What was answered to a request that may be sent again: whoever repeats it with the same key gets that answer, and nothing is done twice. */

export interface KeptReply {
  readonly status: number
  /** The JSON document that was answered; of an answer in lines the last one. */
  readonly body: string
}

export type KeyState =
  /** It is the caller's from now on. */
  | { readonly kind: 'new' }
  /** The first request with it is under way. */
  | { readonly kind: 'running' }
  /** A daemon that took it is gone, and nobody knows how far it came. */
  | { readonly kind: 'interrupted' }
  /** It is that of another request. */
  | { readonly kind: 'other' }
  | { readonly kind: 'answered'; readonly reply: KeptReply }

/** Kept as long as `keptFor` and for so many keys of a caller; see store/replies.ts. */
export interface Replies {
  /** `request` is a digest of all that was asked. */
  take(caller: string, key: string, request: string): KeyState
  answered(caller: string, key: string, reply: KeptReply): void
  /** It failed, and has left nothing: the key is free. */
  release(caller: string, key: string): void
}
