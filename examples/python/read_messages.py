"""Prints the messages of chatfeed as JSON lines, with a schema registry or without one.

    python3 -m venv .venv && .venv/bin/pip install "confluent-kafka[avro,schemaregistry]" fastavro
    .venv/bin/python read_messages.py --brokers localhost:9092 --registry http://localhost:8081
    .venv/bin/python read_messages.py --brokers localhost:9092

With a registry Confluent's own client reads the values; its address may have a path, such as
http://localhost:8080/apis/ccompat/v7. Without one the schema lies in the folder `schemas` of chatfeed.
"""

import argparse
import io
import json
import struct
from pathlib import Path

import fastavro
from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


def by_registry(url, topic):
    """Confluent wire format: 0x00, the schema id, the value."""
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": url}))
    context = SerializationContext(topic, MessageField.VALUE)
    return lambda value: deserialize(value, context)


def by_fingerprint(name):
    """Avro single-object encoding: 0xC3 0x01, the fingerprint of the writer's schema, the value."""
    now = json.loads((SCHEMAS / f"{name}.avsc").read_text())
    texts = [now, *(json.loads(file.read_text()) for file in SCHEMAS.glob("former/*.avsc"))]
    known = {}
    for schema in texts:
        canonical = fastavro.schema.to_parsing_canonical_form(schema)
        fingerprint = fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")
        known[bytes.fromhex(fingerprint)] = fastavro.parse_schema(schema)
    reader = fastavro.parse_schema(now)

    def decode(value):
        if value[:1] == b"\x00":
            (schema_id,) = struct.unpack(">I", value[1:5])
            raise ValueError(f"the value names schema {schema_id} of a registry: give --registry")
        if value[:2] != b"\xc3\x01":
            raise ValueError("the value is not in Avro single-object encoding")
        return fastavro.schemaless_reader(io.BytesIO(value[10:]), known[value[2:10]], reader)

    return decode


def main():
    parser = argparse.ArgumentParser(description="Prints the messages of chatfeed as JSON lines.")
    parser.add_argument("--brokers", default="localhost:9092")
    parser.add_argument("--topic", default="chatfeed.messages")
    parser.add_argument("--registry", help="address of the schema registry; none: single-object encoding")
    parser.add_argument("--follow", action="store_true", help="go on at the end")
    options = parser.parse_args()
    decode = by_registry(options.registry, options.topic) if options.registry else by_fingerprint("message")
    consumer = Consumer(
        {
            "bootstrap.servers": options.brokers,
            "group.id": "chatfeed-example-python",
            "isolation.level": "read_committed",  # what was written and taken back is not seen
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    partitions = consumer.list_topics(options.topic, 10).topics[options.topic].partitions
    consumer.assign([TopicPartition(options.topic, number, 0) for number in partitions])
    left = set(partitions)
    while options.follow or left:
        record = consumer.poll(1.0)
        if record is None:
            continue
        if record.error():
            if record.error().code() != KafkaError._PARTITION_EOF:
                raise SystemExit(str(record.error()))
            left.discard(record.partition())
            continue
        print(json.dumps(decode(record.value()), ensure_ascii=False, default=str), flush=True)
    consumer.close()


if __name__ == "__main__":
    main()
