/** What people who come from docker or podman write, and what it is here. */

/** Commands, by what does the same. */
export const dockerCommands: ReadonlyMap<string, string> = new Map([
  ['rm', 'dayfly down'],
  ['rmi', 'dayfly image rm'],
  ['images', 'dayfly image ls'],
  ['pull', 'dayfly image pull'],
  ['import', 'dayfly image import'],
  ['load', 'dayfly image pull docker-archive:/PATH'],
  ['prune', 'dayfly image gc'],
  ['info', 'dayfly doctor'],
  ['ls', 'dayfly ps'],
  ['list', 'dayfly ps'],
  ['login', 'skopeo login'],
])

/** Options of `run`, by a sentence that says what to do instead. */
export const dockerOptions: ReadonlyMap<string, string> = new Map([
  ['--rm', 'Leave it out: nothing is left when it ends but its record.'],
  ...['-v', '--volume', '--mount'].map(
    option => [option, 'There are no volumes: `dayfly exec -i NAME -- tar x` takes files in, --secret takes one in when it starts.'] as const,
  ),
  ...['-p', '-P', '--publish', '--publish-all'].map(
    option => [option, 'Nothing is published: this host reaches it at its own address (`dayfly exec NAME -- hostname -i`).'] as const,
  ),
  ...['--network', '--net'].map(option => [option, 'It has a network of its own, closed by default: --allow opens ways out.'] as const),
  ['--privileged', 'Nothing is privileged: --cap-add gives one capability more.'],
  ['--cap-drop', 'All are dropped but a small set: leave it out.'],
  ['--tmpfs', '/tmp is one already.'],
  ['--platform', 'Fetch the image for it first: `dayfly image pull --platform OS/ARCH IMAGE`.'],
])
