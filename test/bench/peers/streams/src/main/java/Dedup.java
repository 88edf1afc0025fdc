import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Passes the first record of every (key, fingerprint) of a topic, exactly once, and ends when it has read what was there
 * at its start: SETTINGS INPUT OUTPUT, the settings as name=value,name=value.
 */
public class Dedup {
  static final String STORE = "seen";
  static final LongAdder read = new LongAdder();

  public static void main(String[] words) throws Exception {
    Properties settings = new Properties();
    for (String pair : words[0].split(",")) settings.put(pair.split("=", 2)[0], pair.split("=", 2)[1]);
    StreamsBuilder builder = new StreamsBuilder();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(STORE), Serdes.Bytes(), Serdes.ByteArray()));
    KStream<Bytes, byte[]> input =
        builder.stream(words[1], Consumed.with(Serdes.Bytes(), Serdes.ByteArray()));
    input
        .processValues(First::new, STORE)
        .to(words[2], Produced.with(Serdes.Bytes(), Serdes.ByteArray()));
    long records = recordsIn(words[1], settings);
    try (KafkaStreams streams = new KafkaStreams(builder.build(), settings)) {
      streams.start();
      while (read.sum() < records) {
        if (streams.state().hasCompletedShutdown()) System.exit(1);
        Thread.sleep(20);
      }
    }
  }

  static long recordsIn(String topic, Properties settings) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", settings.get("bootstrap.servers")))) {
      var partitions = admin.describeTopics(Arrays.asList(topic)).allTopicNames().get().get(topic).partitions();
      long sum = 0;
      for (var partition : partitions) {
        TopicPartition key = new TopicPartition(topic, partition.partition());
        sum += admin.listOffsets(Map.of(key, OffsetSpec.latest())).partitionResult(key).get().offset();
      }
      return sum;
    }
  }

  static class First implements FixedKeyProcessor<Bytes, byte[], byte[]> {
    private FixedKeyProcessorContext<Bytes, byte[]> context;
    private KeyValueStore<Bytes, byte[]> seen;

    @Override
    public void init(FixedKeyProcessorContext<Bytes, byte[]> context) {
      this.context = context;
      seen = context.getStateStore(STORE);
    }

    @Override
    public void process(FixedKeyRecord<Bytes, byte[]> record) {
      byte[] fingerprint = fingerprint(record.value());
      if (!Arrays.equals(fingerprint, seen.get(record.key()))) {
        seen.put(record.key(), fingerprint);
        context.forward(record);
      }
      read.increment();
    }

    /** Of chatfeed's RawMessage: behind the header of 10 bytes, the revision and five strings; 16 bytes. */
    static byte[] fingerprint(byte[] value) {
      ByteBuffer bytes = ByteBuffer.wrap(value).position(10);
      varint(bytes);
      for (int field = 0; field < 5; field++) {
        int length = varint(bytes) >>> 1;
        bytes.position(bytes.position() + length);
      }
      byte[] fingerprint = new byte[16];
      bytes.get(fingerprint);
      return fingerprint;
    }

    static int varint(ByteBuffer bytes) {
      int value = 0;
      for (int shift = 0; ; shift += 7) {
        byte next = bytes.get();
        value |= (next & 0x7f) << shift;
        if (next >= 0) return value;
      }
    }
  }
}
