import type { Command } from '../command.ts'
import { withDaemon } from '../daemon.ts'
import { createProgress } from '../progress.ts'
import { registryAuth } from '../registry-auth.ts'

export const command: Command = {
  name: 'image pull',
  takes: ['NAME'],
  summary: 'Fetch an image from a registry, or from any place that skopeo knows.',
  details: ['Every digest is verified. Credentials are those of docker and podman: REGISTRY_AUTH_FILE, containers/auth.json, .docker/config.json.'],
  options: [
    { name: 'platform', value: 'OS/ARCH', help: "Default: this host's." },
    { name: 'tls-verify', value: 'BOOL', help: 'true or false. Default: true, but for a registry on the loopback.', completion: ['true', 'false'] },
  ],
  examples: [
    ['dayfly image pull debian:12', 'from Docker Hub'],
    ['dayfly image pull oci-archive:/tmp/app.tar', 'from a file'],
  ],
  run: async (context, args) => {
    const [name = ''] = args.positionals
    const [auth, platform, tlsVerify] = [registryAuth(context.env), args.text('platform'), args.boolean('tls-verify')]
    const request = {
      name,
      ...(auth === undefined ? {} : { auth }),
      ...(platform === undefined ? {} : { platform }),
      ...(tlsVerify === undefined ? {} : { tlsVerify }),
    }
    const progress = process.stderr.isTTY && !context.json ? createProgress(name) : undefined
    const image = await withDaemon(context, () => context.client.pull(request, progress?.show ?? (() => {}))).finally(() => progress?.clear())
    context.write(context.json ? `${JSON.stringify(image)}\n` : `${image.digest}\n`)
    return 0
  },
}
