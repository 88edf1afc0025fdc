import { polyvSuite } from './provider/polyv.ts'

polyvSuite('v3-history')
polyvSuite('v3-page')
