import { polyvSuite } from './provider/polyv.ts'

polyvSuite('v2-history')
polyvSuite('v2-page')
