/** Patches outstanding: what apt would install, and what the vulnerability data says of the host's packages. */
import type { HostView } from '../../../../api/schemas/host.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Loading } from '../../components/states.tsx'
import { Table } from '../../components/table.tsx'
import { Ago } from '../../components/time.tsx'
import { plural } from '../../format.ts'
import { SeverityCounts } from '../security/severities.tsx'

export const Patches = ({ patches }: { readonly patches: HostView['patches'] }) => {
  if (patches === null) return <Loading what="the patches: apt is asked what it would install" />
  const { updates, vulnerabilities, exploited, worst, problems, listsFrom, dataFrom, takenAt } = patches
  const security = updates.filter(update => update.security).length
  return (
    <div className="stack">
      {problems.map(problem => (
        <p key={problem} className="host-notice wrap">
          {problem}
        </p>
      ))}
      <div className="columns">
        <Card
          title={updates.length === 0 ? 'Updates' : plural(updates.length, 'update')}
          actions={security > 0 ? <Badge word={`${security} of security`} tone="bad" /> : null}
        >
          <div className="stack">
            <p className="soft">
              What apt would install, looked at <Ago at={takenAt} />;{' '}
              {listsFrom === null ? (
                'its lists were never fetched, so it knows of none'
              ) : (
                <>
                  its lists are of <Ago at={listsFrom} />
                </>
              )}
              .
            </p>
            {updates.length === 0 ? (
              <Empty title="apt would install nothing." />
            ) : (
              <Table
                label="Updates"
                rows={updates.toSorted((left, right) => Number(right.security) - Number(left.security) || left.name.localeCompare(right.name))}
                rowKey={({ name }) => name}
                columns={[
                  {
                    key: 'name',
                    title: 'Package',
                    cell: ({ name, security: of }) => (
                      <span className="line">
                        <strong className="wrap">{name}</strong>
                        {of ? <Badge word="security" tone="bad" /> : null}
                      </span>
                    ),
                    sort: ({ name }) => name,
                  },
                  { key: 'installed', title: 'Installed', minor: true, cell: ({ installed }) => <code className="wrap">{installed}</code> },
                  { key: 'candidate', title: 'Would be', cell: ({ candidate }) => <code className="wrap">{candidate}</code> },
                ]}
                maxHeight={520}
              />
            )}
          </div>
        </Card>
        <Card title="Vulnerabilities of its packages" actions={exploited > 0 ? <Badge word={`${exploited} exploited`} tone="bad" /> : null}>
          {vulnerabilities === null ? (
            <Empty title="There is no vulnerability data about this system.">
              <CliLine words={['vulndb', 'update']} />
            </Empty>
          ) : (
            <div className="stack">
              <div className="spread">
                <SeverityCounts counts={vulnerabilities} />
                {dataFrom === null ? null : (
                  <span className="soft">
                    data of <Ago at={dataFrom} />
                  </span>
                )}
              </div>
              {worst.length === 0 ? (
                <Empty title="None that has a fix." />
              ) : (
                <Table
                  label="Vulnerabilities that have a fix, the worst first"
                  rows={worst}
                  rowKey={({ id, package: of }) => `${id} ${of}`}
                  columns={[
                    {
                      key: 'severity',
                      title: 'Severity',
                      width: '6rem',
                      cell: one => (
                        <Badge
                          word={one.exploited ? 'exploited' : one.severity}
                          tone={one.exploited || one.severity === 'critical' || one.severity === 'high' ? 'bad' : 'warn'}
                        />
                      ),
                    },
                    { key: 'id', title: 'Vulnerability', cell: ({ id }) => <span className="wrap">{id}</span>, sort: ({ id }) => id },
                    {
                      key: 'package',
                      title: 'Package',
                      cell: ({ package: of }) => <code className="wrap">{of}</code>,
                      sort: ({ package: of }) => of,
                    },
                    { key: 'fixed', title: 'Fixed in', minor: true, cell: ({ fixed }) => <code className="wrap">{fixed}</code> },
                  ]}
                />
              )}
            </div>
          )}
        </Card>
      </div>
    </div>
  )
}
