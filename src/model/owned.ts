/** A kernel object (or directory) that this backend owns. */
export interface OwnedObject {
  readonly kind: 'process' | 'mount' | 'namespace' | 'interface' | 'cgroup' | 'nft' | 'directory' | 'address'
  readonly name: string
  /** The instance or environment it belongs to, where it says so. */
  readonly owner: string | undefined
}
