/** Toasts and the second, deliberate step before something destructive. */
import { ElMessage, ElMessageBox } from 'element-plus'
import { Problem } from '@/api/problem'
import { i18n } from '@/locales'

const t = (key: string) => i18n.global.t(key)

export function toast(text: string): void {
  ElMessage({ message: text, type: 'success', grouping: true, duration: 2500 })
}

/** Something happened that the operator should know and may act on. */
export function warn(text: string): void {
  ElMessage({ message: text, type: 'warning', grouping: true, duration: 12_000, showClose: true })
}

/** Says what went wrong and what to do; the problem's own words come from the server. */
export function complain(error: unknown): void {
  ElMessage({ message: wordsOf(error), type: 'error', grouping: true, duration: 6000, showClose: true })
}

export function wordsOf(error: unknown): string {
  if (error instanceof Problem) return error.words(i18n.global.locale.value)
  return t('problem.unexpected')
}

/** True when the operator confirmed after reading the consequence. */
export async function confirm(title: string, consequence: string, action: string): Promise<boolean> {
  try {
    await ElMessageBox.confirm(consequence, title, {
      confirmButtonText: action,
      cancelButtonText: t('action.cancel'),
      confirmButtonClass: 'el-button--danger',
      type: 'warning',
      autofocus: false,
    })
    return true
  } catch {
    return false
  }
}

/** A sentence typed by the operator, or null when the step was abandoned. */
export async function askFor(title: string, question: string, action: string, required: string): Promise<string | null> {
  try {
    const answer = await ElMessageBox.prompt(question, title, {
      confirmButtonText: action,
      cancelButtonText: t('action.cancel'),
      inputType: 'textarea',
      inputValidator: (value: string) => (value?.trim() ? true : required),
    })
    return String(answer.value).trim()
  } catch {
    return null
  }
}
