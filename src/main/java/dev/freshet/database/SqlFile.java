package dev.freshet.database;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One statement of sql/queries, with parameters named as camel-sql names them ({@code :#limit}), so that routes and
 * Java share the files.
 */
public final class SqlFile {
    private static final Pattern PARAMETER = Pattern.compile(":#(\\w+)");

    private final String name;
    private final String sql;
    private final List<String> parameters = new ArrayList<>();

    public static SqlFile of(String name) {
        return new SqlFile(name, text(name));
    }

    public static String text(String name) {
        try (InputStream in = SqlFile.class.getResourceAsStream("/sql/queries/" + name + ".sql")) {
            if (in == null) {
                throw new IllegalArgumentException("no statement sql/queries/" + name + ".sql");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public SqlFile(String name, String text) {
        this.name = name;
        Matcher matcher = PARAMETER.matcher(text);
        StringBuilder plain = new StringBuilder();
        while (matcher.find()) {
            parameters.add(matcher.group(1));
            matcher.appendReplacement(plain, "?");
        }
        matcher.appendTail(plain);
        this.sql = plain.toString();
    }

    public List<Map<String, Object>> rows(Connection connection, Map<String, ?> values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(connection, statement, values);
            List<Map<String, Object>> rows = new ArrayList<>();
            if (statement.execute()) {
                try (ResultSet result = statement.getResultSet()) {
                    while (result.next()) {
                        Map<String, Object> row = new LinkedHashMap<>();
                        for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                            row.put(result.getMetaData().getColumnLabel(i), result.getObject(i));
                        }
                        rows.add(row);
                    }
                }
            }
            return rows;
        }
    }

    /** @param type a record whose components are named as the columns, or the first column's type */
    public <T> List<T> rows(Connection connection, Map<String, ?> values, Class<T> type) throws SQLException {
        RowReader<T> reader = RowReader.of(type);
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(connection, statement, values);
            List<T> rows = new ArrayList<>();
            if (statement.execute()) {
                try (ResultSet result = statement.getResultSet()) {
                    while (result.next()) {
                        rows.add(reader.read(result, name));
                    }
                }
            }
            return rows;
        }
    }

    /** The first row, of a statement that always has one. */
    public <T> T row(Connection connection, Map<String, ?> values, Class<T> type) throws SQLException {
        List<T> rows = rows(connection, values, type);
        if (rows.isEmpty()) {
            throw new IllegalStateException("sql/queries/" + name + ".sql has no row");
        }
        return rows.get(0);
    }

    public <T> Optional<T> firstRow(Connection connection, Map<String, ?> values, Class<T> type) throws SQLException {
        return rows(connection, values, type).stream().filter(Objects::nonNull).findFirst();
    }

    public int update(Connection connection, Map<String, ?> values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(connection, statement, values);
            return statement.executeUpdate();
        }
    }

    /** What is done with each row of a result that is too long to hold. */
    public interface EachRow {
        void read(ResultSet row) throws SQLException;
    }

    /** The statement with its values. */
    public record Bound(SqlFile statement, Map<String, ?> values) {
        /** Inside a transaction, {@code fetch} rows at a time. */
        public void each(Connection connection, int fetch, EachRow reader) throws SQLException {
            try (PreparedStatement prepared = connection.prepareStatement(statement.sql)) {
                prepared.setFetchSize(fetch);
                statement.bind(connection, prepared, values);
                try (ResultSet result = prepared.executeQuery()) {
                    while (result.next()) {
                        reader.read(result);
                    }
                }
            }
        }
    }

    public Bound with(Map<String, ?> values) {
        return new Bound(this, values);
    }

    /** An array column of texts; none is an empty list. */
    public static List<String> texts(Object array) throws SQLException {
        return array == null ? List.of() : List.of((String[]) ((Array) array).getArray());
    }

    private void bind(Connection connection, PreparedStatement statement, Map<String, ?> values) throws SQLException {
        for (int i = 0; i < parameters.size(); i++) {
            String parameter = parameters.get(i);
            if (!values.containsKey(parameter)) {
                throw new IllegalArgumentException("sql/queries/" + name + ".sql needs " + parameter);
            }
            Object value = values.get(parameter);
            if (value instanceof List<?> list) {
                value = connection.createArrayOf(
                        "text",
                        list.stream().map(o -> o == null ? null : o.toString()).toArray());
            }
            statement.setObject(i + 1, value);
        }
    }
}
