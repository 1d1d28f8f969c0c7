import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cgroupOwner } from './cgroups.ts'

const id = '0123456789abcdef'.repeat(4)
const other = 'f'.repeat(64)

test('a control group says whose container it is', () => {
  const pod = '/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod0f3a_11.slice'
  const cases: Readonly<Record<string, readonly [string, string] | undefined>> = {
    [`/system.slice/docker-${id}.scope`]: ['docker', id],
    [`/docker/${id}`]: ['docker', id],
    [`/machine.slice/libpod-${id}.scope/container`]: ['podman', id],
    [`/libpod_parent/libpod-${id}`]: ['podman', id],
    [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`]: ['podman', id],
    [`${pod}/cri-containerd-${id}.scope`]: ['containerd', id],
    [`${pod}/crio-${id}.scope`]: ['cri-o', id],
    [`/kubepods/besteffort/pod0f3a-11/${id}`]: ['kubernetes', id],
    [`/system.slice/nerdctl-${id}.scope`]: ['containerd', id],
    [`/default/${id}`]: ['containerd', id],
    '/system.slice/docker.service/buildkit/x3v8': ['buildkit', 'x3v8'],
    '/lxc.payload.web/init.scope': ['lxc', 'web'],
    '/machine.slice/machine-db.scope': ['nspawn', 'db'],
    '/dayfly-0/i-1': ['dayfly', 'i-1'],
    [`/dayfly-0/i-1/docker/${id}`]: ['dayfly', 'i-1'],
    // Not where no such daemon lives, nor further down, nor what another runtime was told to put there.
    '/dayfly-1/i-1': undefined,
    '/elsewhere/dayfly-0/i-1': undefined,
    '/dayfly-0': undefined,
    [`/dayfly-1/${id}`]: ['containerd', id],
    [`/dayfly-0/${id}`]: ['containerd', id],
    [`/dayfly-0/docker-${id}.scope`]: ['docker', id],
    [`/dayfly-1/below/libpod-${id}`]: ['podman', id],
    // A container in a container is the outer one's: that is whom the host's owner knows.
    [`/docker/${id}/docker/${other}`]: ['docker', id],
    '/user.slice/user-0.slice/session-3.scope': undefined,
    '/docker/short': undefined,
    '/': undefined,
    '': undefined,
  }
  for (const [cgroup, owner] of Object.entries(cases)) {
    assert.deepEqual(
      cgroupOwner(cgroup, slice => slice === 0),
      owner === undefined ? undefined : { runtime: owner[0], id: owner[1] },
      cgroup,
    )
  }
})
