/** Giving an order: busy while it runs, words when it fails, the page read anew when it is done. */
import { ref } from 'vue'
import { complain, toast } from '@/adapters/feedback'
import { i18n } from '@/locales'

export function useOrders(changed: () => void) {
  const busy = ref('')
  async function give(name: string, order: () => Promise<unknown>, quiet = false): Promise<boolean> {
    busy.value = name
    try {
      await order()
      if (!quiet) toast(i18n.global.t('control.done', { action: name }))
      changed()
      return true
    } catch (error) {
      complain(error)
      return false
    } finally {
      busy.value = ''
    }
  }
  return { busy, give }
}
