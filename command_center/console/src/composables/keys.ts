/** Single-letter keys, silent while something is being typed or a dialog is open. */
import { onMounted, onUnmounted } from 'vue'

export type KeyMap = Record<string, (event: KeyboardEvent) => void>

export function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null
  return !!element?.closest?.('input, textarea, select, [contenteditable=true]')
}

function dialogIsOpen(): boolean {
  return [...document.querySelectorAll<HTMLElement>('.el-overlay')].some((overlay) => overlay.style.display !== 'none')
}

export function useKeys(keys: KeyMap): void {
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (event.defaultPrevented || isTyping(event.target) || dialogIsOpen()) return
    const onButton = (event.target as HTMLElement | null)?.closest?.('button, a')
    if (event.key === 'Enter' && onButton) return
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!action) return
    event.preventDefault()
    action(event)
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onUnmounted(() => window.removeEventListener('keydown', onKey))
}
