/** What a registry keeps beside an image about it, by the shape in which it is signed. Nothing here is believed before `verify` says so. */

export type SignedDocument =
  /** cosign's simple signing: the payload, and its signature as the layer's annotation has it (base64). */
  | { readonly kind: 'simple-signing'; readonly payload: Buffer; readonly signature: string }
  /** A DSSE envelope: an attestation of cosign's `.att` tag. */
  | { readonly kind: 'envelope'; readonly envelope: Buffer }
  /** A Sigstore bundle, as referrers have it. */
  | { readonly kind: 'bundle'; readonly bundle: Buffer }

export const mediaTypes = {
  simpleSigning: 'application/vnd.dev.cosign.simplesigning.v1+json',
  envelope: 'application/vnd.dsse.envelope.v1+json',
  /** A bundle's version follows: `.v0.3+json`, or `+json;version=0.2`. */
  bundle: 'application/vnd.dev.sigstore.bundle',
} as const

export const signatureAnnotation = 'dev.cosignproject.cosign/signature'

/** Bytes of one document: an SBOM as an attestation is the largest of them. */
export const maximumDocument = 16 * 1024 * 1024
