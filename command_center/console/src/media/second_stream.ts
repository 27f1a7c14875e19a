/** Sharing the screen and seeing what others share: the same for console and phone page. */
import { computed, ref, shallowRef } from 'vue'
import { readContent, releaseContent, requestContent, type Content } from '@/api/content'
import type { MediaCredentials } from '@/api/media_session'
import type { LiveEvent } from '@/api/types'
import { newest } from '@/composables/newest'
import { stopStream } from './devices'
import type { MediaSession } from './session'

const SHARPNESS: MediaStreamConstraints['video'] = {
  width: { max: 1920 },
  height: { max: 1080 },
  frameRate: { max: 10 },
}

export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === 'function'
}

/**
 * `refuse` is given what went wrong: a Problem of the server, null when the page was taken back,
 * undefined when nothing is wrong any more.
 */
export function useSecondStream(
  at: () => MediaCredentials,
  session: () => MediaSession | null,
  refuse: (error: unknown) => void,
) {
  const content = ref<Content | null>(null)
  const shared = shallowRef<MediaStream | null>(null)
  const received = shallowRef<MediaStream | null>(null)
  const isAsking = ref(false)
  const isBig = ref(true)
  const readNewest = newest()
  let ownId = ''

  /** What the second picture shows: one's own screen as a check, else what comes. */
  const stream = computed(() => shared.value ?? (content.value?.holder ? received.value : null))
  const holder = computed(() => content.value?.holder?.name ?? '')

  async function read(): Promise<void> {
    await readNewest(() => readContent(at()), (found) => (content.value = found)).catch(() => undefined)
  }
  function take(event: LiveEvent): void {
    if (event.type !== 'content.updated' || event.consultation_id !== at().consultationId) return
    const told = event.body as unknown as Content
    void readNewest(() => Promise.resolve(told), () => (content.value = told))
    if (shared.value && ownId && told.holder?.participant_id !== ownId) {
      stopSending()
      refuse(null)
    }
  }
  async function share(): Promise<void> {
    if (isAsking.value || shared.value) return
    isAsking.value = true
    try {
      // Asked first: who is refused need not choose a window.
      content.value = await requestContent(at())
      ownId = content.value.holder?.participant_id ?? ''
      const chosen = await navigator.mediaDevices.getDisplayMedia({ video: SHARPNESS, audio: false })
      const track = chosen.getVideoTracks()[0]
      if (!track) throw new DOMException('no picture', 'NotFoundError')
      track.contentHint = 'detail'
      track.addEventListener('ended', () => void stop())
      shared.value = chosen
      isBig.value = false
      await session()?.present(track)
      refuse(undefined)
    } catch (error) {
      if (ownId) await stop()
      // Closing the browser's window of choices is no error.
      if (!(error instanceof DOMException && error.name === 'NotAllowedError')) refuse(error)
    } finally {
      isAsking.value = false
    }
  }
  function stopSending(): void {
    stopStream(shared.value)
    shared.value = null
    ownId = ''
    isBig.value = true
    void session()?.present(null)
  }
  async function stop(): Promise<void> {
    stopSending()
    content.value = await releaseContent(at()).catch(() => content.value)
  }
  /** The session was made anew: what it sent is over, and the token with it. */
  function sessionLost(): void {
    received.value = null
    if (shared.value) void stop()
  }
  return { content, stream, shared, received, holder, isAsking, isBig, read, take, share, stop, sessionLost }
}
