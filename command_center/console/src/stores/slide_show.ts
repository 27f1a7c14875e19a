import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { complain } from '@/adapters/feedback'
import { removeParticipant } from '@/api/consultations'
import { askToPresent, slidePlace, slideUrl, stopPresenting, type AlternativeName } from '@/api/dispatch'
import { Problem } from '@/api/problem'
import { i18n } from '@/locales'
import { SlideSession } from '@/media/slide'

const JOIN_TRIES = 40
const JOIN_WAIT_MS = 250

/** The plan that is being shown to a consultation; it goes on while the operator changes pages. */
export const useSlideShow = defineStore('slide-show', () => {
  const consultationId = ref<string | null>(null)
  const state = ref<'idle' | 'starting' | 'showing'>('idle')
  const shownPlan = ref<{ planId: string; alternative: AlternativeName } | null>(null)
  let session: SlideSession | null = null
  let place: { bearer: string; participantId: string } | null = null
  const isOn = computed(() => state.value !== 'idle')

  async function begin(id: string, planId: string, alternative: AlternativeName): Promise<void> {
    if (isOn.value) await end()
    state.value = 'starting'
    consultationId.value = id
    try {
      const link = await slidePlace(id, i18n.global.t('dispatch.slideMember'))
      place = { bearer: link.token, participantId: link.participant_id }
      session = new SlideSession({ consultationId: id, bearer: link.token }, () => void end())
      await session.load(slideUrl(planId, alternative))
      await session.start()
      await askForToken(id, link.token)
      shownPlan.value = { planId, alternative }
      state.value = 'showing'
    } catch (error) {
      complain(error)
      await end()
    }
  }
  /** The node tells the roster that the session stands some moments after its answer. */
  async function askForToken(id: string, bearer: string): Promise<void> {
    for (let tried = 1; ; tried++) {
      try {
        await askToPresent(id, bearer)
        return
      } catch (error) {
        const isEarly = error instanceof Problem && error.code === 'content_not_in'
        if (!isEarly || tried >= JOIN_TRIES) throw error
        await new Promise((resolve) => window.setTimeout(resolve, JOIN_WAIT_MS))
      }
    }
  }
  /** Another plan, another alternative, or lines accepted meanwhile. */
  async function show(planId: string, alternative: AlternativeName): Promise<void> {
    if (!session || state.value !== 'showing') return
    shownPlan.value = { planId, alternative }
    await session.load(`${slideUrl(planId, alternative)}&at=${Date.now()}`).catch(complain)
  }
  async function end(): Promise<void> {
    const id = consultationId.value
    const was = place
    place = null
    state.value = 'idle'
    consultationId.value = null
    shownPlan.value = null
    if (id && was) await stopPresenting(id, was.bearer).catch(() => undefined)
    await session?.stop()
    session = null
    if (id && was) await removeParticipant(id, was.participantId).catch(() => undefined)
  }
  return { consultationId, state, isOn, shownPlan, begin, show, end }
})
