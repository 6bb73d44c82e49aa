import { limiterContract } from '@chatbox/testkit/contracts'
import { store } from './store.ts'

limiterContract('memory', store)
