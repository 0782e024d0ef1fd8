import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericData.EnumSymbol;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.JsonEncoder;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;

/** Reads and writes Darkroom's three records with Apache Avro's own single-object encoding. */
public class AvroInterop {
  public static void main(String[] args) throws IOException {
    if (args.length == 2 && args[0].equals("decode")) {
      decode(schema(args[1]));
    } else if (args.length == 4 && args[0].equals("encode")) {
      print(event(schema(args[1])));
      print(status(schema(args[2])));
      print(deadLetter(schema(args[3])));
    } else {
      System.err.println("usage: decode SCHEMA < HEX-LINES | encode EVENT-SCHEMA STATUS-SCHEMA DEAD-LETTER-SCHEMA");
      System.exit(2);
    }
  }

  /** Prints one line of Avro JSON for each line of hexadecimal digits on standard input. */
  private static void decode(Schema schema) throws IOException {
    var decoder = new BinaryMessageDecoder<GenericRecord>(GenericData.get(), schema);
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.writeBytes(json(decoder.decode(HexFormat.of().parseHex(line))));
      System.out.println();
    }
  }

  private static byte[] json(GenericRecord record) throws IOException {
    var bytes = new ByteArrayOutputStream();
    JsonEncoder encoder = EncoderFactory.get().jsonEncoder(record.getSchema(), bytes, false);
    new GenericDatumWriter<GenericRecord>(record.getSchema()).write(record, encoder);
    encoder.flush();
    return bytes.toByteArray();
  }

  private static void print(GenericRecord record) throws IOException {
    var encoder = new BinaryMessageEncoder<GenericRecord>(GenericData.get(), record.getSchema());
    ByteBuffer bytes = encoder.encode(record);
    System.out.println(HexFormat.of().formatHex(bytes.array(), bytes.position(), bytes.limit()));
  }

  private static GenericRecord event(Schema schema) {
    return new GenericRecordBuilder(schema)
        .set("event_id", "java-1")
        .set("kind", symbol(schema, "kind", "UPLOADED"))
        .set("user_id", "Zoë 😀")
        .set("image_id", "a/b")
        .set("version", Long.MAX_VALUE)
        .set("source", new GenericRecordBuilder(nullable(schema, "source"))
            .set("bucket", "images")
            .set("key", "zoë/a.jpg")
            .build())
        .set("presets", List.of("thumb", "large"))
        .set("attributes", Map.of("camera", "F3", "", "empty"))
        .set("occurred_at", 1772600767123L)
        .build();
  }

  private static GenericRecord status(Schema schema) {
    Schema derivative = field(schema, "derivatives").getElementType();
    Schema failure = field(schema, "failures").getElementType();
    return new GenericRecordBuilder(schema)
        .set("event_id", "java-1")
        .set("kind", symbol(schema, "kind", "REDERIVE"))
        .set("user_id", "u")
        .set("image_id", "i")
        .set("version", 7L)
        .set("outcome", symbol(schema, "outcome", "PARTIAL"))
        .set("derivatives", List.of(new GenericRecordBuilder(derivative)
            .set("preset", "thumb")
            .set("preset_version", 2)
            .set("bucket", "derivatives")
            .set("key", "u/i/7/thumb-0a1b.webp")
            .set("width", 256)
            .set("height", 256)
            .set("format", "webp")
            .set("bytes", 5_000_000_000L)
            .set("sha256", "ab".repeat(32))
            .build()))
        .set("source", new GenericRecordBuilder(nullable(schema, "source"))
            .set("format", "jpeg")
            .set("width", 4000)
            .set("height", 3000)
            .set("bytes", 1_234_567L)
            .set("sha256", "cd".repeat(32))
            .set("frames", 1)
            .set("has_alpha", true)
            .build())
        .set("failures", List.of(new GenericRecordBuilder(failure)
            .set("preset", "large")
            .set("stage", symbol(failure, "stage", "RENDER"))
            .set("reason", symbol(failure, "reason", "RENDER_FAILED"))
            .set("message", "no memory left")
            .build()))
        .set("timings", new GenericRecordBuilder(field(schema, "timings"))
            .set("fetch_ms", 1)
            .set("render_ms", 2)
            .set("store_ms", 3)
            .build())
        .set("attempts", 2)
        .set("job_version", "0.1.0")
        .build();
  }

  private static GenericRecord deadLetter(Schema schema) {
    return new GenericRecordBuilder(schema)
        .set("stage", symbol(schema, "stage", "DECODE"))
        .set("reason", symbol(schema, "reason", "NOT_AVRO"))
        .set("message", "no marker")
        .set("payload", ByteBuffer.wrap(new byte[] {0, (byte) 0xff, (byte) 0xc3, 1}))
        .set("payload_bytes", 4L)
        .set("payload_sha256", "ef".repeat(32))
        .set("job_version", "0.1.0")
        .build();
  }

  private static Schema schema(String path) throws IOException {
    return new Schema.Parser().parse(new File(path));
  }

  private static Schema field(Schema schema, String name) {
    return schema.getField(name).schema();
  }

  private static Schema nullable(Schema schema, String name) {
    return field(schema, name).getTypes().get(1);
  }

  private static EnumSymbol symbol(Schema schema, String name, String value) {
    return new EnumSymbol(field(schema, name), value);
  }
}
