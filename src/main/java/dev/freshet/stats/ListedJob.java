package dev.freshet.stats;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.time.Instant;

/**
 * A job as it is listed.
 *
 * @param jobPayload is JSON already, as results are
 * @param priority of whatever type of number an adopted table has, as retryCount
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record ListedJob(
        String id,
        String jobType,
        @JsonRawValue String jobPayload,
        String status,
        Object priority,
        Object retryCount,
        String tenantId,
        String errorMessage,
        @JsonRawValue String results,
        @JsonSerialize(using = ToStringSerializer.class) Instant startedAt,
        @JsonSerialize(using = ToStringSerializer.class) Instant completedAt,
        @JsonSerialize(using = ToStringSerializer.class) Instant createdAt,
        @JsonSerialize(using = ToStringSerializer.class) Instant updatedAt,
        String workerId) {}
