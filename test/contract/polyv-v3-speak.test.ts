import { polyvSuite } from './provider/polyv.ts'

polyvSuite('v3-speak')
