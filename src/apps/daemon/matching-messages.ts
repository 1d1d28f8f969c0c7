/** What goes between the daemon and the thread that holds packages against vulnerability data. */
import type { Distribution, Package } from '../../model/package.ts'
import type { Matched } from './evidence.ts'

export interface Start {
  /** Of the vulnerability data. */
  readonly folder: string
}

export interface Question {
  readonly id: number
  readonly packages: readonly Package[]
  readonly distribution: Distribution | undefined
  /** How OpenVEX documents may call it. */
  readonly products: readonly string[]
  /** Wall ms. */
  readonly now: number
}

/** `failure` is a DayflyError's. */
export type Answer =
  | { readonly ready: true }
  | { readonly id: number; readonly matched: Matched }
  | { readonly id: number; readonly failure: { readonly code: string; readonly message: string; readonly remedy: string | undefined } }
