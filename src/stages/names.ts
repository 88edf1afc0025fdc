/** How a sink is called among the stages: in metrics, dead letters and the audit. */
export const sinkStage = (sink: string): string => `sink:${sink}`

/** Whether a stage is a sink. */
export const isSinkStage = (stage: string): boolean => stage.startsWith(sinkStage(''))
