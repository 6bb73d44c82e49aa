export {
  defaultWorkerBounds,
  defaultWorkerTimes,
  type WorkerBounds,
  type WorkerDeps,
  type WorkerTimes,
} from './deps.ts'
export { type WorkerMetrics, workerMetrics } from './metrics.ts'
export { BREAKER_OPEN_MS, createModels, type Models, type ModelsOptions } from './models.ts'
export {
  type FinishReason,
  type Model,
  type PromptMessage,
  type Provider,
  type ProviderEvent,
  ProviderFault,
  type ProviderFaultCode,
  type ProviderFaultDetails,
  type ProviderRequest,
  type Thread,
} from './provider.ts'
export { type DemoOptions, demoProvider } from './providers/demo.ts'
export { createDifyProvider, type DifyOptions } from './providers/dify.ts'
export { createWorker, type WorkerOptions } from './worker.ts'
