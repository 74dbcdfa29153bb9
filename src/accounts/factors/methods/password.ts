import type { Method } from '../method.ts'

export const PASSWORD: Method = {
  id: 'password',
  steps: ['first'],
  factors: ['knows'],
  amr: ['pwd'],
  resistsPhishing: false,
  counts: 'way-in',
  isAvailable: ({ hasPassword }) => hasPassword,
}
