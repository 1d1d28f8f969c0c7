/** What a Java archive is called: from what Maven left in it, else from its manifest, else from its file's name. */
import { isWord } from '../system/collect.ts'

export interface Coordinates {
  readonly group: string
  readonly artifact: string
  readonly version: string
}

/** `key=value` lines of Java's properties, as far as Maven writes them. */
export const parseProperties = (text: string): ReadonlyMap<string, string> => {
  const properties = new Map<string, string>()
  for (const line of text.split('\n')) {
    const trimmed = line.trim()
    const equals = trimmed.search(/[=:]/)
    if (trimmed.startsWith('#') || trimmed.startsWith('!') || equals < 0) continue
    properties.set(trimmed.slice(0, equals).trim(), trimmed.slice(equals + 1).trim())
  }
  return properties
}

/** Main attributes of META-INF/MANIFEST.MF, by lower-case name. A line that begins with a blank continues the one before. */
export const parseManifest = (text: string): ReadonlyMap<string, string> => {
  const attributes = new Map<string, string>()
  let last: string | undefined
  for (let start = 0; start < text.length; ) {
    const feed = text.indexOf('\n', start)
    const end = feed < 0 ? text.length : feed
    const line = text[end - 1] === '\r' ? text.slice(start, end - 1) : text.slice(start, end)
    start = end + 1
    if (line === '') break // sections about single files follow
    const value = attributes.get(last ?? '')
    if (line.startsWith(' ') && last !== undefined) {
      if (value !== undefined && value.length < 4096) attributes.set(last, value + line.slice(1))
      continue
    }
    const colon = line.indexOf(':')
    last = colon > 0 ? line.slice(0, colon).toLowerCase() : undefined
    if (last !== undefined) attributes.set(last, line.slice(colon + 1).trim())
  }
  return attributes
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57

/** Parts after a dash that belong to a version. */
const qualifier = /^(?:\d.*|snapshot|release|final|ga|jre\d*|android|incubating|(?:alpha|beta|rc|cr|m|sp|b|milestone|preview|ea|pre|build)[.-]?\d*)$/i

/** `log4j-1.2-api` and `2.17.1` of `log4j-1.2-api-2.17.1`; the version is undefined where none follows a dash. */
export const parseFileName = (stem: string): { artifact: string; version: string | undefined } => {
  let first: number | undefined
  for (let dash = stem.indexOf('-', 1); dash > 0; dash = stem.indexOf('-', dash + 1)) {
    if (!isDigit(stem.charCodeAt(dash + 1))) continue
    first ??= dash
    const version = stem.slice(dash + 1)
    if (version.split('-').every(part => qualifier.test(part))) return { artifact: stem.slice(0, dash), version }
  }
  if (first === undefined) return { artifact: stem, version: undefined }
  // A classifier follows: `netty-transport-native-epoll-4.1.100.Final-linux-x86_64`.
  const [version = ''] = stem.slice(first + 1).split('-', 1)
  return { artifact: stem.slice(0, first), version }
}

/**
 * Groups of well-known projects that do not build with Maven, so that their archives do not say it. Longer beginnings stand before shorter ones;
 * one that ends in a dash is a beginning, others are whole names.
 */
const knownGroups: readonly (readonly [string, string])[] = [
  ['spring-boot-', 'org.springframework.boot'],
  ['spring-boot', 'org.springframework.boot'],
  ['spring-security-oauth2-autoconfigure', 'org.springframework.security.oauth.boot'],
  ['spring-security-', 'org.springframework.security'],
  ['spring-data-', 'org.springframework.data'],
  ['spring-cloud-', 'org.springframework.cloud'],
  ['spring-session-', 'org.springframework.session'],
  ['spring-integration-', 'org.springframework.integration'],
  ['spring-batch-', 'org.springframework.batch'],
  ['spring-kafka', 'org.springframework.kafka'],
  ['spring-amqp', 'org.springframework.amqp'],
  ['spring-rabbit', 'org.springframework.amqp'],
  ['spring-graphql', 'org.springframework.graphql'],
  ['spring-ldap-', 'org.springframework.ldap'],
  ['spring-retry', 'org.springframework.retry'],
  ['spring-hateoas', 'org.springframework.hateoas'],
  ['spring-ws-', 'org.springframework.ws'],
  ['spring-', 'org.springframework'],
  ['reactor-netty', 'io.projectreactor.netty'],
  ['reactor-netty-', 'io.projectreactor.netty'],
  ['reactor-', 'io.projectreactor'],
  ['micrometer-tracing', 'io.micrometer'],
  ['micrometer-', 'io.micrometer'],
  ['tomcat-embed-', 'org.apache.tomcat.embed'],
  ['tomcat-', 'org.apache.tomcat'],
  ['hibernate-validator', 'org.hibernate.validator'],
  ['hibernate-commons-annotations', 'org.hibernate.common'],
  ['hibernate-core', 'org.hibernate.orm'],
  ['bcprov-', 'org.bouncycastle'],
  ['bcpkix-', 'org.bouncycastle'],
  ['bcutil-', 'org.bouncycastle'],
  ['bcpg-', 'org.bouncycastle'],
  ['kotlin-', 'org.jetbrains.kotlin'],
  ['kotlinx-', 'org.jetbrains.kotlinx'],
  ['okhttp', 'com.squareup.okhttp3'],
  ['okio', 'com.squareup.okio'],
  ['okio-jvm', 'com.squareup.okio'],
  ['retrofit', 'com.squareup.retrofit2'],
  ['groovy', 'org.codehaus.groovy'],
  ['groovy-', 'org.codehaus.groovy'],
  ['lucene-', 'org.apache.lucene'],
  ['kafka-clients', 'org.apache.kafka'],
  ['kafka-streams', 'org.apache.kafka'],
  ['kafka_2.12', 'org.apache.kafka'],
  ['kafka_2.13', 'org.apache.kafka'],
  ['scala-library', 'org.scala-lang'],
  ['scala-reflect', 'org.scala-lang'],
  ['elasticsearch', 'org.elasticsearch'],
  ['elasticsearch-', 'org.elasticsearch'],
  ['opensearch', 'org.opensearch'],
  ['opensearch-', 'org.opensearch'],
  ['mysql-connector-java', 'mysql'],
  ['mysql-connector-j', 'com.mysql'],
  ['postgresql', 'org.postgresql'],
  ['h2', 'com.h2database'],
  ['rxjava', 'io.reactivex.rxjava2'],
  ['junit-jupiter', 'org.junit.jupiter'],
  ['junit-jupiter-', 'org.junit.jupiter'],
  ['aspectjweaver', 'org.aspectj'],
  ['aspectjrt', 'org.aspectj'],
  ['cglib', 'cglib'],
  ['asm', 'org.ow2.asm'],
  ['log4j', 'log4j'],
  ['javassist', 'org.javassist'],
  ['shiro-', 'org.apache.shiro'],
  ['struts2-', 'org.apache.struts'],
]

const knownGroup = (artifact: string): string | undefined =>
  knownGroups.find(([name]) => (name.endsWith('-') ? artifact.startsWith(name) : artifact === name))?.[1]

const isName = (text: string | undefined): text is string => text !== undefined && isWord(text) && /^[\w.-]+$/.test(text)

/** `1.2.3` of `1.2.3 (r4711)`; not `${project.version}`. */
const asVersion = (text: string | undefined): string | undefined => {
  const [word = ''] = (text ?? '').trim().split(/\s/, 1)
  return isWord(word) && /^[\w.+~-]*\d[\w.+~-]*$/.test(word) ? word : undefined
}

/** As `org.example.tool;singleton:=true` names it: the last part is the artifact where it has dashes, since a Java package never has. */
const symbolicName = (manifest: ReadonlyMap<string, string>): string | undefined => {
  const [name = ''] = (manifest.get('bundle-symbolicname') ?? '').split(';', 1)
  return isName(name.trim()) ? name.trim() : undefined
}

/**
 * What Maven itself would have said of an archive that it did not build; undefined where nobody says a version. The group is a guess where neither the
 * manifest nor the list above knows it: then it is the artifact's own name, as many old projects have it.
 */
export const guess = (stem: string, manifest: ReadonlyMap<string, string>): Coordinates | undefined => {
  const file = parseFileName(stem)
  const symbolic = symbolicName(manifest)
  const dotted = symbolic?.slice(symbolic.lastIndexOf('.') + 1)
  const artifact = file.version === undefined && dotted?.includes('-') ? dotted : file.artifact
  const version =
    asVersion(file.version) ??
    asVersion(manifest.get('implementation-version')) ??
    asVersion(manifest.get('bundle-version')) ??
    asVersion(manifest.get('specification-version'))
  if (version === undefined || !isName(artifact)) return undefined
  const vendor = manifest.get('implementation-vendor-id')
  const group =
    knownGroup(artifact) ??
    (symbolic?.endsWith(`.${artifact}`) ? symbolic.slice(0, -artifact.length - 1) : undefined) ??
    (isName(vendor) && vendor.includes('.') ? vendor : undefined) ??
    (symbolic?.includes('.') ? symbolic : undefined) ??
    artifact
  return { group, artifact, version }
}

/** From pom.properties; undefined where Maven's own variables were left in it. */
export const fromProperties = (text: string): Coordinates | undefined => {
  const properties = parseProperties(text)
  const [group, artifact, version] = [properties.get('groupId'), properties.get('artifactId'), asVersion(properties.get('version'))]
  return isName(group) && isName(artifact) && version !== undefined ? { group, artifact, version } : undefined
}
