/** A hall's newest self-test in plain words. */
import type { SelfTest } from '@/api/types'
import { withAge } from '@/components/time'
import { i18n } from '@/locales'

export const isSelfTestGood = (test: SelfTest | null): boolean => test?.codes[0] === 'good'

export function selfTestWords(test: SelfTest): string {
  const { t, te } = i18n.global
  const words = test.codes.map((code) => (te(`library.selfTest.${code}`) ? t(`library.selfTest.${code}`, { loss: Math.round(test.loss_pct) }) : code))
  return words.join(t('library.selfTest.joint'))
}

/** For a table's cell: what was found, and when. */
export function selfTestCell(test: SelfTest | null): string {
  return test ? `${selfTestWords(test)}（${withAge(test.at, Date.now())}）` : ''
}
