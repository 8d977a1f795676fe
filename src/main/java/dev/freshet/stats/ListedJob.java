package dev.freshet.stats;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.io.IOException;
import java.time.Instant;

/**
 * A job as it is listed.
 *
 * @param jobPayload JSON already, as are the results
 * @param priority of whatever numeric type an adopted table uses; so is retryCount
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record ListedJob(
        String id,
        String jobType,
        @JsonSerialize(using = WithoutSpaces.class) String jobPayload,
        String status,
        Object priority,
        Object retryCount,
        String tenantId,
        String errorMessage,
        @JsonSerialize(using = WithoutSpaces.class) String results,
        @JsonSerialize(using = ToStringSerializer.class) Instant startedAt,
        @JsonSerialize(using = ToStringSerializer.class) Instant completedAt,
        @JsonSerialize(using = ToStringSerializer.class) Instant createdAt,
        @JsonSerialize(using = ToStringSerializer.class) Instant updatedAt,
        String workerId) {
    /** PostgreSQL writes jsonb with spaces, and scripts search the answers literally, without them. */
    static final class WithoutSpaces extends JsonSerializer<String> {
        private static final ObjectMapper JSON = new ObjectMapper();

        @Override
        public void serialize(String json, JsonGenerator answer, SerializerProvider provider) throws IOException {
            provider.defaultSerializeValue(JSON.readTree(json), answer);
        }
    }
}
