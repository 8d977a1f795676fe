package dev.freshet.database;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.RecordComponent;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The values of a statement's parameters, from a record or a map: the parameter {@code :#freshWithinSeconds} is the
 * component {@code freshWithinSeconds}. A component that is itself a record stands for its own components, so that
 * statements with common parameters can share a record. A component that the statement does not use is refused, because
 * a name must be misspelt somewhere.
 */
final class ParameterBinder {
    private static final MethodType VALUE_OF_RECORD = MethodType.methodType(Object.class, Record.class);

    private final String statement;
    /** In the order of the statement; a parameter that is used twice appears twice. */
    private final List<String> parameters;

    private final ClassValue<MethodHandle[]> components = new ClassValue<>() {
        @Override
        protected MethodHandle[] computeValue(Class<?> type) {
            return componentsOf(type);
        }
    };

    ParameterBinder(String statement, List<String> parameters) {
        this.statement = statement;
        this.parameters = List.copyOf(parameters);
    }

    Object[] values(Map<String, ?> given) {
        Object[] values = new Object[parameters.size()];
        for (int i = 0; i < values.length; i++) {
            String parameter = parameters.get(i);
            if (!given.containsKey(parameter)) {
                throw missing(parameter);
            }
            values[i] = given.get(parameter);
        }
        return values;
    }

    Object[] values(Record given) {
        MethodHandle[] read = components.get(given.getClass());
        Object[] values = new Object[read.length];
        try {
            for (int i = 0; i < values.length; i++) {
                values[i] = (Object) read[i].invokeExact(given);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        return values;
    }

    static void bind(Connection connection, PreparedStatement prepared, Object[] values) throws SQLException {
        for (int i = 0; i < values.length; i++) {
            prepared.setObject(i + 1, values[i] instanceof List<?> list ? texts(connection, list) : values[i]);
        }
    }

    private static Array texts(Connection connection, List<?> list) throws SQLException {
        return connection.createArrayOf(
                "text", list.stream().map(o -> o == null ? null : o.toString()).toArray());
    }

    private MethodHandle[] componentsOf(Class<?> type) {
        Map<String, MethodHandle> byName = new HashMap<>();
        addComponents(type, type, MethodHandles.identity(type), byName);
        for (String component : byName.keySet()) {
            if (!parameters.contains(component)) {
                throw new IllegalArgumentException("sql/queries/" + statement + ".sql has no parameter " + component
                        + ", which " + type.getName() + " has; its parameters are " + parameters);
            }
        }
        return parameters.stream()
                .map(parameter -> {
                    MethodHandle component = byName.get(parameter);
                    if (component == null) {
                        throw missing(parameter);
                    }
                    return component.asType(VALUE_OF_RECORD);
                })
                .toArray(MethodHandle[]::new);
    }

    /** @param path leads from an instance of the outermost record to one of this type */
    private static void addComponents(
            Class<?> outermost, Class<?> type, MethodHandle path, Map<String, MethodHandle> byName) {
        for (RecordComponent component : type.getRecordComponents()) {
            MethodHandle value = MethodHandles.filterReturnValue(path, accessor(type, component));
            if (component.getType().isRecord()) {
                addComponents(outermost, component.getType(), value, byName);
            } else if (byName.put(component.getName(), value) != null) {
                throw new IllegalArgumentException(outermost.getName() + " has " + component.getName() + " twice");
            }
        }
    }

    private static MethodHandle accessor(Class<?> type, RecordComponent component) {
        try {
            return MethodHandles.privateLookupIn(type, MethodHandles.lookup()).unreflect(component.getAccessor());
        } catch (IllegalAccessException e) {
            throw new IllegalArgumentException(component.getName() + " of " + type + " cannot be read", e);
        }
    }

    private IllegalArgumentException missing(String parameter) {
        return new IllegalArgumentException("sql/queries/" + statement + ".sql needs " + parameter);
    }
}
