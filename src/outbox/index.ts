/**
 * The transactional outbox: what must happen after a commit is written with it and delivered by a
 * worker, at least once.
 */
export {
  type Delivery,
  type Handler,
  type Handlers,
  type JsonValue,
  type OutboxTopic,
  PermanentFailure,
  TemporaryFailure,
  Unreachable,
} from './message.ts'
export { Outbox } from './outbox.ts'
export { DEFAULT_POLICY, type DeliveryPolicy } from './policy.ts'
export { OutboxWorker, type OutboxWorkerDeps } from './worker.ts'
