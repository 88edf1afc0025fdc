import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Prints the messages of chatfeed as JSON lines, with a schema registry or without one.
 *
 * <pre>
 * mvn -q compile exec:java -Dexec.args="BROKERS TOPIC SCHEMA_FOLDER [REGISTRY_URL]"
 * mvn -q compile exec:java -Dexec.args="localhost:9092 chatfeed.messages ../../schemas"
 * mvn -q compile exec:java -Dexec.args="localhost:9092 chatfeed.messages ../../schemas http://localhost:8081"
 * </pre>
 */
public final class ReadMessages {
  private interface Decoder {
    GenericRecord decode(byte[] value) throws IOException, InterruptedException;
  }

  public static void main(String[] words) throws Exception {
    String topic = words[1];
    Path schemas = Path.of(words[2]);
    Schema ours = new Schema.Parser().parse(schemas.resolve("message.avsc").toFile());
    Decoder decoder = words.length > 3 ? byRegistry(words[3], ours) : byFingerprint(schemas, ours);
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers", words[0],
            "isolation.level", "read_committed", // what was written and taken back is not seen
            "enable.auto.commit", false);
    try (var consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p)))
        for (var record : consumer.poll(Duration.ofSeconds(1)))
          System.out.println(decoder.decode(record.value()));
    }
  }

  /** Avro single-object encoding, which Avro itself reads: it needs the schemas that values can be written by. */
  private static Decoder byFingerprint(Path folder, Schema ours) throws IOException {
    var decoder = new BinaryMessageDecoder<GenericRecord>(GenericData.get(), ours);
    File[] former = folder.resolve("former").toFile().listFiles((dir, name) -> name.endsWith(".avsc"));
    if (former != null)
      for (File file : former) decoder.addSchema(new Schema.Parser().parse(file));
    return decoder::decode;
  }

  /** Confluent wire format: 0x00, the schema id (big-endian), the value. */
  private static Decoder byRegistry(String url, Schema ours) {
    HttpClient http = HttpClient.newHttpClient();
    Map<Integer, Schema> known = new HashMap<>();
    return value -> {
      ByteBuffer bytes = ByteBuffer.wrap(value);
      if (bytes.get() != 0) throw new IOException("The value names no schema of a registry.");
      int id = bytes.getInt();
      if (!known.containsKey(id)) {
        URI address = URI.create(url + "/schemas/ids/" + id);
        String answer = http.send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofString()).body();
        // Jackson comes with Avro.
        var json = new com.fasterxml.jackson.databind.ObjectMapper().readTree(answer);
        known.put(id, new Schema.Parser().parse(json.get("schema").asText()));
      }
      var reader = new GenericDatumReader<GenericRecord>(known.get(id), ours);
      return reader.read(
          null, DecoderFactory.get().binaryDecoder(value, bytes.position(), bytes.remaining(), null));
    };
  }
}
