/** Images that ran, those among them that were removed long ago too. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { InventoryImageView } from '../../../../api/schemas/security.ts'
import { InventoryList } from '../../../../api/schemas/security.ts'
import { get, pathOf } from '../../api/http.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Search } from '../../components/search.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Ago } from '../../components/time.tsx'
import { imageName, plural, shortDigest } from '../../format.ts'
import { navigate } from '../../router.tsx'
import { SeverityCounts } from './severities.tsx'

export const calledImage = ({ names, digest }: Pick<InventoryImageView, 'names' | 'digest'>): string => imageName(names[0] ?? shortDigest(digest))

const columns: readonly Column<InventoryImageView>[] = [
  {
    ...{ key: 'name', title: 'Image', width: 'minmax(7rem, 2fr)', sort: calledImage },
    cell: image => (
      <span className="finding-name">
        <span className="line">
          <strong className="wrap">{calledImage(image)}</strong>
          {image.names.length > 1 ? <span className="soft">+{image.names.length - 1}</span> : null}
          {image.blocked ? <Badge word="blocked" tone="bad" /> : null}
          {image.present ? null : <Badge word="removed" tone="quiet" />}
          {image.problems.length > 0 ? <Badge word="not wholly understood" tone="warn" /> : null}
        </span>
        <code className="soft">{shortDigest(image.digest)}</code>
      </span>
    ),
  },
  {
    ...{
      key: 'wrong',
      title: 'Vulnerabilities',
      width: 'minmax(6rem, 15rem)',
      sort: ({ vulnerabilities: of }: InventoryImageView) => -(of.critical * 1e6 + of.high * 1e3 + of.medium),
    },
    cell: ({ vulnerabilities, exploited }) => (
      <span className="line">
        <SeverityCounts counts={vulnerabilities} />
        {exploited > 0 ? <Badge word={`${exploited} exploited`} tone="bad" /> : null}
      </span>
    ),
  },
  {
    ...{ key: 'from', title: 'Made of', width: 'minmax(7rem, 1fr)', minor: true, sort: ({ packages }: InventoryImageView) => packages },
    cell: ({ distribution, packages }) => (
      <span className="finding-name">
        <span>{distribution === null ? 'no distribution' : `${distribution.id} ${distribution.version}`}</span>
        <span className="soft">{plural(packages, 'package')}</span>
      </span>
    ),
  },
  {
    ...{ key: 'ran', title: 'Ran in', width: '9rem', minor: true, sort: ({ environments }: InventoryImageView) => environments },
    cell: ({ environments }) => plural(environments, 'environment'),
  },
  {
    ...{ key: 'running', title: 'Now', width: '6.5rem', sort: ({ running }: InventoryImageView) => -running },
    cell: ({ running, last }) =>
      running > 0 ? (
        <Badge word={`${running} running`} tone="good" />
      ) : last === null ? (
        '–'
      ) : (
        <span className="soft">
          <Ago at={last} />
        </span>
      ),
  },
]

export const Images = () => {
  const [text, setText] = useState('')
  const images = useQuery({
    queryKey: ['inventory'],
    queryFn: ({ signal }) => get(InventoryList, pathOf('/v1/inventory'), signal),
    refetchInterval: 15_000,
  })
  return (
    <Shown query={images} what="the images">
      {({ images: all }) => {
        const rows = all.filter(({ names, digest }) => `${names.join(' ')} ${digest}`.toLowerCase().includes(text.toLowerCase()))
        return (
          <div className="stack">
            <div className="spread">
              <Search main label="Search images" placeholder="Name or digest" value={text} onChange={setText} />
              <span className="soft">{plural(all.length, 'image')} that ran, as far as records speak of them</span>
            </div>
            {rows.length === 0 ? (
              <Empty title={all.length === 0 ? 'No image has run yet.' : 'Nothing fits.'}>
                {all.length === 0 ? <CliLine words={['run', '-it', 'debian:12']} /> : null}
              </Empty>
            ) : (
              <Table
                label="Images that ran"
                columns={columns}
                rows={rows}
                rowKey={({ digest }) => digest}
                onRow={({ digest }) => navigate(`/security/images/${digest}`)}
                rowHeight={54}
                maxHeight={660}
              />
            )}
            <CliLine words={['image', 'ls']} />
          </div>
        )
      }}
    </Shown>
  )
}
