/** A rule of detection against what an environment did, or against cases. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { TriedRuleView } from '../../../../api/schemas/rules.ts'
import { getEnvironments } from '../../api/queries.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { plural } from '../../format.ts'
import { Editor, Faults, useTried } from './trying.tsx'

const first = `- rule: Shell with a download
  desc: A shell that is told to fetch something
  condition: >
    evt.type in (execve, execveat)
    and proc.name in (sh, bash)
    and (proc.cmdline contains "curl"
         or proc.cmdline contains "wget"
         or proc.cmdline contains "/tmp/")
  output: A shell fetches (command=%proc.cmdline)
  priority: WARNING
  tags: [own]
`

const firstCases = `apiVersion: dayfly.dev/v1
kind: RuleTest
metadata: { name: own }
cases:
- name: a download is told
  events:
  - type: exec
    exe: /bin/sh
    args: [sh, -c, 'curl http://192.0.2.1/x']
  expect: [Shell with a download]
- name: a shell alone is not
  events:
  - type: exec
    exe: /bin/sh
    args: [sh]
  expect: []
`

const Answer = ({ tried: { problems, faults, rules, matches, found, events, complete, cases, took } }: { readonly tried: TriedRuleView }) => (
  <div className="stack">
    <Faults
      faults={[...problems.map(({ line, column, message, item }) => `${line}:${column}: ${item === null ? '' : `${item}: `}${message}`), ...faults]}
    />
    {rules
      .filter(({ inert }) => inert)
      .map(({ name, lacking }) => (
        <p key={name} className="notice wrap">
          {name} never matches here: it asks for {lacking.join(', ')}
        </p>
      ))}
    {cases.map(({ name, failures }) => (
      <div key={name} className="objection">
        <div className="line">
          <Badge word={failures.length === 0 ? 'ok' : 'failed'} />
          <strong className="wrap">{name}</strong>
        </div>
        {failures.map(failure => (
          <p key={failure} className="wrap">
            {failure}
          </p>
        ))}
      </div>
    ))}
    {events > 0 || cases.length === 0 ? (
      <p>
        <strong>{plural(found, 'match', 'matches')}</strong>{' '}
        <span className="soft">
          in {plural(events, 'event')}
          {complete ? '' : ': as far as time and room went'}
        </span>
      </p>
    ) : null}
    {matches.map(({ rule, priority, output, time, process, workload }) => (
      <div key={`${rule} ${time} ${output}`} className="objection">
        <div className="line">
          <Badge word={priority} />
          <strong>{rule}</strong>
          <span className="soft">
            <Time at={time} /> {workload} <code>{process}</code>
          </span>
        </div>
        <p className="wrap">{output}</p>
      </div>
    ))}
    <p className="soft figures">judged in {took.toFixed(1)} ms</p>
  </div>
)

export const TryRule = () => {
  const [rules, setRules] = useState(first)
  const [cases, setCases] = useState(firstCases)
  const [chosen, setChosen] = useState<string>()
  const environments = useQuery({ queryKey: ['environments', 'playground'], queryFn: ({ signal }) => getEnvironments(signal), staleTime: 30_000 })
  const all = environments.data ?? []
  const against = chosen ?? 'cases'
  const body = against === 'cases' ? { rules, cases } : { rules, environment: against }
  const tried = useTried(TriedRuleView, '/v1/playground/rule', rules.trim() === '' ? undefined : body)
  const name = all.find(({ id }) => id === against)?.name
  return (
    <div className="columns">
      <div className="stack">
        <Card title="Rules">
          <Editor label="In the language of Falco's rules" value={rules} rows={14} onChange={setRules} />
        </Card>
        <Card title="Against">
          <div className="stack">
            <label className="field">
              What it is to judge
              <select value={against} onChange={event => setChosen(event.target.value)}>
                <option value="cases">cases that are written here</option>
                {all.map(({ id, name: called, state }) => (
                  <option key={id} value={id}>{`what ${called} did (${state})`}</option>
                ))}
              </select>
            </label>
            {against === 'cases' ? <Editor label="A document of kind RuleTest" value={cases} rows={12} onChange={setCases} /> : null}
          </div>
        </Card>
      </div>
      <div className="stack">
        <Card title="What it says">
          <div aria-live="polite" className={tried.isPlaceholderData ? 'stale' : undefined}>
            {rules.trim() === '' ? (
              <Empty title="Write a rule." />
            ) : (
              <Shown query={tried} what="the matches">
                {found => <Answer tried={found} />}
              </Shown>
            )}
          </div>
        </Card>
        <CliLine words={name === undefined ? ['rules', 'test', 'rules.yaml', 'cases.yaml'] : ['rules', 'run', 'rules.yaml', '--replay', name]} />
      </div>
    </div>
  )
}
