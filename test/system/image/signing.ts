/** Signs as cosign does, with a key of its own: what it leaves in a registry beside an image. */
import { generateKeyPairSync, sign } from 'node:crypto'
import type { Blob } from './maker.ts'
import { sha256 } from './maker.ts'

const release = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
/** PEM: what is to be trusted. */
export const releaseKey = release.publicKey.export({ type: 'spki', format: 'pem' })
const signed = (bytes: Buffer): string => sign('sha256', bytes, release.privateKey).toString('base64')
export const json = (value: unknown, mediaType: string): Blob => {
  const bytes = Buffer.from(JSON.stringify(value))
  return { bytes, mediaType, digest: sha256(bytes) }
}
const descriptor = ({ mediaType, digest, bytes }: Blob) => ({ mediaType, digest, size: bytes.length })

export const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const config = json({}, 'application/vnd.oci.image.config.v1+json')

/** Blobs and manifest of the tag `.sig`. */
export const signature = (digest: string) => {
  const critical = { identity: { 'docker-reference': '' }, image: { 'docker-manifest-digest': digest }, type: 'cosign container image signature' }
  const payload = json({ critical, optional: null }, 'application/vnd.dev.cosign.simplesigning.v1+json')
  const layers = [{ ...descriptor(payload), annotations: { 'dev.cosignproject.cosign/signature': signed(payload.bytes) } }]
  return { blobs: [config, payload], manifest: json({ schemaVersion: 2, mediaType: manifestType, config: descriptor(config), layers }, manifestType) }
}

export const slsa = 'https://slsa.dev/provenance/v1'
const envelope = (digest: string) => {
  const subject = [{ name: 'web', digest: { sha256: digest.slice('sha256:'.length) } }]
  const payload = Buffer.from(JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType: slsa, predicate: { by: 'ci' } }))
  const type = 'application/vnd.in-toto+json'
  const sig = signed(Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]))
  return { payloadType: type, payload: payload.toString('base64'), signatures: [{ sig }] }
}
/** Of the tag `.att`. */
export const attestation = (digest: string) => {
  const blob = json(envelope(digest), 'application/vnd.dsse.envelope.v1+json')
  return { blobs: [config, blob], manifest: json({ schemaVersion: 2, config: descriptor(config), layers: [descriptor(blob)] }, manifestType) }
}
/** What refers to the image. */
export const bundle = (digest: string) => {
  const material = { publicKey: { hint: '' }, tlogEntries: [] }
  const blob = json({ mediaType: bundleType, verificationMaterial: material, dsseEnvelope: envelope(digest) }, bundleType)
  const manifest = { schemaVersion: 2, mediaType: manifestType, artifactType: bundleType, config: descriptor(config), layers: [descriptor(blob)] }
  return { blobs: [config, blob], manifest: json(manifest, manifestType) }
}
export const referrersIndex = (...manifests: Blob[]): Blob =>
  json(
    { schemaVersion: 2, manifests: manifests.map(one => ({ ...descriptor(one), artifactType: bundleType })) },
    'application/vnd.oci.image.index.v1+json',
  )
/** The tag that stands for a digest. */
export const tagOf = (digest: string, suffix = ''): string => `${digest.replace(':', '-')}${suffix}`
