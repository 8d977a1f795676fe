package dev.freshet.database;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/**
 * Creates records from rows: the component {@code lastFailedAt} is the column {@code last_failed_at}. If the type is
 * not a record, it is the type of the first column.
 */
final class RowReader<T> {
    /** Converts a column to a component's type. */
    private interface Column {
        Object read(ResultSet row, int index) throws SQLException;
    }

    private static final Map<Class<?>, Column> COLUMNS = Map.ofEntries(
            Map.entry(String.class, ResultSet::getString),
            Map.entry(Boolean.class, ResultSet::getBoolean),
            Map.entry(Integer.class, ResultSet::getInt),
            Map.entry(Long.class, ResultSet::getLong),
            Map.entry(Double.class, ResultSet::getDouble),
            Map.entry(BigDecimal.class, ResultSet::getBigDecimal),
            Map.entry(Timestamp.class, ResultSet::getTimestamp),
            Map.entry(Instant.class, RowReader::instant),
            Map.entry(UUID.class, ResultSet::getObject),
            Map.entry(Array.class, ResultSet::getArray),
            Map.entry(Object.class, ResultSet::getObject));

    private static final ClassValue<RowReader<?>> READERS = new ClassValue<>() {
        @Override
        protected RowReader<?> computeValue(Class<?> type) {
            return new RowReader<>(type);
        }
    };

    private final Class<T> type;
    private final RecordComponent[] components;
    private final String[] labels;
    private final MethodHandle constructor;

    @SuppressWarnings("unchecked") // the reader of a class creates instances of that class
    static <T> RowReader<T> of(Class<T> type) {
        return (RowReader<T>) READERS.get(type);
    }

    private RowReader(Class<T> type) {
        this.type = type;
        this.components = type.isRecord() ? type.getRecordComponents() : new RecordComponent[0];
        this.labels = Arrays.stream(components)
                .map(component -> snakeCase(component.getName()))
                .toArray(String[]::new);
        this.constructor = type.isRecord() ? constructor(type, components) : null;
    }

    /** @param statement its name, for the message if a row cannot be read */
    T read(ResultSet row, String statement) throws SQLException {
        if (constructor == null) {
            return type.cast(value(row, 1, type, statement));
        }
        Object[] values = new Object[components.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = value(row, row.findColumn(labels[i]), components[i].getGenericType(), statement);
        }
        try {
            return type.cast(constructor.invokeWithArguments(values));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static Object value(ResultSet row, int index, Type type, String statement) throws SQLException {
        if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
            return list(row.getArray(index));
        }
        Class<?> wanted = MethodType.methodType((Class<?>) type).wrap().returnType();
        Column column = COLUMNS.get(wanted);
        if (column == null) {
            throw new IllegalArgumentException("sql/queries/" + statement + ".sql: no column is read as " + type);
        }
        Object value = column.read(row, index);
        if (!row.wasNull()) {
            return value;
        }
        if (((Class<?>) type).isPrimitive()) {
            throw new IllegalStateException("sql/queries/" + statement + ".sql: the column "
                    + row.getMetaData().getColumnLabel(index) + " is null");
        }
        return null;
    }

    /** SQL NULL becomes an empty list. */
    private static List<?> list(Array array) throws SQLException {
        return array == null ? List.of() : Collections.unmodifiableList(Arrays.asList((Object[]) array.getArray()));
    }

    private static Instant instant(ResultSet row, int index) throws SQLException {
        Timestamp timestamp = row.getTimestamp(index);
        return timestamp == null ? null : timestamp.toInstant();
    }

    private static MethodHandle constructor(Class<?> type, RecordComponent[] components) {
        Class<?>[] types =
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        try {
            return MethodHandles.privateLookupIn(type, MethodHandles.lookup())
                    .findConstructor(type, MethodType.methodType(void.class, types));
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(type + " cannot be made of rows", e);
        }
    }

    private static String snakeCase(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
    }
}
