import { disabledContract } from '@chatbox/testkit/contracts'
import { store } from './store.ts'

disabledContract('memory', store)
