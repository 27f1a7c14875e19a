/** 拨号规则: where numbers lead, in and out, at the own centre. */
import { get, put, query } from './client'

export type DialWay = 'inside' | 'trunk' | 'gatekeeper' | 'barred'
export interface DialRule {
  direction: 'in' | 'out'
  match: string
  is_whole: boolean
  strip: number
  add: string
  way: DialWay
  note: string
}
export interface DialPlan {
  region_code: string
  rules: DialRule[]
}
export interface DialTrial {
  kind: string
  number: string
  match: string
  name: string
}

export const readDialPlan = () => get<DialPlan>('/dial-plan')
export const saveDialPlan = (rules: DialRule[]) => put<DialPlan>('/dial-plan', { rules })
export const tryNumber = (direction: 'in' | 'out', number: string) => get<DialTrial>(`/dial-plan/trial${query({ direction, number })}`)
