import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { macroVectors } from './macrovectors.ts'
import { rate, severityOfScore } from './score.ts'

const scores = (known: readonly (readonly [string, number])[]): void => {
  for (const [vector, score] of known) assert.equal(rate(vector)?.score, score, vector)
}

describe('CVSS', () => {
  it('2.0: the examples of the guide, with their temporal and environmental scores', () => {
    scores([
      ['AV:N/AC:L/Au:N/C:N/I:N/A:C', 7.8],
      ['AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C', 6.4],
      ['AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H', 9.2],
      ['(AV:N/AC:L/Au:N/C:C/I:C/A:C)', 10],
      ['AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C', 8.3],
      ['AV:L/AC:H/Au:N/C:C/I:C/A:C', 6.2],
      ['AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C', 4.9],
      ['AV:L/AC:H/Au:M/C:N/I:N/A:N', 0],
    ])
  })

  it('3.0 and 3.1: the examples of the specification, and where the two differ', () => {
    scores([
      ['CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4],
      ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
      ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
      ['CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
      ['CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1],
      ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', 7.5],
      ['CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 6.8],
      ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
      ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O/RC:U', 7.8],
      ['CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H/CR:H/IR:H/AR:H/MS:C/MPR:H', 9.1],
      ['CVSS:3.1/AV:P/AC:H/PR:L/UI:R/S:U/C:L/I:H/A:H/E:H/RL:U/RC:U/CR:H/IR:M/AR:H/MAV:N/MAC:L/MPR:N/MUI:N/MS:C/MC:H/MI:H/MA:H', 9.2],
    ])
  })

  it('4.0: the ends of the scale, the examples of the specification, and a sample against another implementation', () => {
    scores([
      ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H', 10],
      ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N', 0],
      ['CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N', 5.1],
      ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 9.3],
      ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U', 8.1],
      ['CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:L/VA:H/SC:L/SI:L/SA:N', 5.9],
      ['CVSS:4.0/AV:P/AC:H/AT:N/PR:N/UI:A/VC:H/VI:L/VA:L/SC:H/SI:H/SA:N/IR:H/AR:H/MAV:L/MAC:L/MUI:A/MVA:L/MSC:N/MSA:N', 8.1],
      ['CVSS:4.0/AV:A/AC:H/AT:P/PR:H/UI:A/VC:N/VI:L/VA:N/SC:H/SI:H/SA:H/AU:Y/R:I/RE:L/U:Clear', 2.4],
      ['CVSS:4.0/AV:P/AC:H/AT:P/PR:N/UI:P/VC:L/VI:L/VA:N/SC:L/SI:L/SA:H/IR:L/AR:M/MAV:A/MAC:X/MAT:P/MUI:X/MVA:L/MSC:N/MSA:H', 4.8],
      ['CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:P/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N/CR:H/AR:X/MAV:X/MAT:N/MUI:P/MVC:N/MSI:L/MSA:X/S:X/V:C/RE:X', 5.1],
      ['CVSS:4.0/AV:A/AC:L/AT:N/PR:H/UI:P/VC:H/VI:N/VA:N/SC:H/SI:H/SA:H/CR:L/IR:M/AR:X/MAV:L/MAC:X/MPR:N/MVC:N/MVA:N/MSC:H/MSI:N', 6.2],
      ['CVSS:4.0/AV:P/AC:L/AT:N/PR:H/UI:P/VC:L/VI:L/VA:N/SC:H/SI:N/SA:H', 4.4],
      ['CVSS:4.0/AV:L/AC:L/AT:N/PR:H/UI:N/VC:L/VI:H/VA:N/SC:H/SI:L/SA:N/CR:H/IR:H/MAT:N/MPR:X/MVA:N/MSC:X/AU:X/R:U/V:D/RE:M/U:X', 8.2],
      ['CVSS:4.0/AV:L/AC:H/AT:N/PR:L/UI:P/VC:H/VI:N/VA:H/SC:N/SI:L/SA:L/E:A/CR:H/IR:M/MAV:A/MAC:L/MVC:X/MVI:H/MSC:X/MSA:N/AU:Y/U:Amber', 6.9],
      ['CVSS:4.0/AV:L/AC:H/AT:P/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:H/SA:H/E:P/AU:N/V:X/RE:H/U:Amber', 2.2],
      ['CVSS:4.0/AV:A/AC:L/AT:P/PR:N/UI:N/VC:H/VI:H/VA:L/SC:L/SI:H/SA:L', 8.8],
      ['CVSS:4.0/AV:P/AC:L/AT:N/PR:N/UI:P/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N/CR:L/MAV:L/MAC:X/MPR:N/MUI:X/MVI:N/MVA:H/MSC:L/MSI:X', 6.7],
      ['CVSS:4.0/AV:P/AC:L/AT:N/PR:L/UI:N/VC:N/VI:H/VA:N/SC:L/SI:H/SA:H/IR:H/MAV:P/MAC:H/MAT:N/MUI:A/MVC:X/MVA:L', 5.9],
      ['CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:P/VC:L/VI:L/VA:L/SC:H/SI:L/SA:N/CR:H/AR:H/MAV:N/MAC:X/MPR:H/MUI:N/MVI:N/MSC:X/MSI:H/MSA:N', 5.1],
      ['CVSS:4.0/AV:L/AC:H/AT:N/PR:L/UI:P/VC:H/VI:H/VA:H/SC:H/SI:N/SA:N/S:N/AU:N/R:A/V:C/RE:L/U:Red', 6.8],
      ['CVSS:4.0/AV:N/AC:L/AT:P/PR:H/UI:N/VC:N/VI:L/VA:L/SC:L/SI:H/SA:H/CR:H/IR:H/MAV:L/MAT:P/MVI:H/MVA:L/MSC:L/MSI:X/MSA:N', 6.9],
    ])
  })

  it('4.0: there are 270 MacroVectors, and none is above one that is worse in every way', () => {
    assert.equal(macroVectors.size, 270)
    for (const [vector, score] of macroVectors) {
      for (let at = 0; at < 6; at++) {
        const worse = `${vector.slice(0, at)}${Number(vector[at]) - 1}${vector.slice(at + 1)}`
        assert.ok((macroVectors.get(worse) ?? 100) >= score, `${worse} ${vector}`)
      }
    }
  })

  it('what is no vector has no score', () => {
    const metric = [
      'CVSS:3.1/',
      'CVSS:4.0/',
      'AV:N',
      'AC:L',
      'Au:N',
      'PR:N',
      'UI:N',
      'S:U',
      'C:H',
      'I:H',
      'A:H',
      '/',
      ':',
      'X',
      '__proto__:N',
      'constructor:N',
    ]
    for (const text of [
      '',
      'CVSS:3.1/',
      'CVSS:5.0/AV:N',
      'AV:N',
      'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H',
      'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/A:H',
      'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:Z',
      `AV:N/${'/'.repeat(1e6)}`,
    ])
      assert.equal(rate(text), undefined, text.slice(0, 60))
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...metric), { maxLength: 14 }), parts => {
        const rating = rate(parts.join('/'))
        assert.ok(rating === undefined || (rating.score >= 0 && rating.score <= 10))
      }),
    )
  })

  it('scores have names', () => {
    const named = [0, 0.1, 3.9, 4, 6.9, 7, 8.9, 9, 10].map(score => severityOfScore({ version: '3.1', vector: '', score }))
    assert.deepEqual(named, ['negligible', 'low', 'low', 'medium', 'medium', 'high', 'high', 'critical', 'critical'])
    assert.equal(severityOfScore({ version: '2.0', vector: '', score: 10 }), 'high')
  })
})
