/**
 * Kafka's settings for one small node that is broker and controller at once. It listens on loopback only and
 * runs in the folder that holds its data.
 */
export function serverProperties({ port, controllerPort }: { port: number; controllerPort: number }): string {
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=BROKER://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=BROKER://127.0.0.1:${port}
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
# Relative, because a path may hold characters that Kafka takes for its own, such as a comma.
log.dirs=data

# A new start waits until the controller believes that the broker of the last start is gone: after a clean stop at
# once (so the controlled shutdown must stay on), after a kill when its session has ended.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500

auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
# A chatfeed that rests for weeks must find its place again.
offsets.retention.minutes=5256000
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

num.network.threads=2
num.io.threads=4
background.threads=2
group.coordinator.threads=1
share.coordinator.threads=1
log.cleaner.dedupe.buffer.size=8388608
`.trimStart()
}
