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
 * One statement of sql/queries, with parameters in the notation of camel-sql ({@code :#limit}), so that routes and Java
 * share the files.
 */
public final class SqlFile {
    private static final Pattern PARAMETER = Pattern.compile(":#(\\w+)");

    private final String name;
    private final String sql;
    private final ParameterBinder binder;

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
        List<String> parameters = new ArrayList<>();
        while (matcher.find()) {
            parameters.add(matcher.group(1));
            matcher.appendReplacement(plain, "?");
        }
        matcher.appendTail(plain);
        this.sql = plain.toString();
        this.binder = new ParameterBinder(name, parameters);
    }

    public List<Map<String, Object>> rows(Connection connection, Map<String, ?> values) throws SQLException {
        return read(connection, binder.values(values), SqlFile::map);
    }

    /** @param values a record whose components have the names of the parameters */
    public List<Map<String, Object>> rows(Connection connection, Record values) throws SQLException {
        return read(connection, binder.values(values), SqlFile::map);
    }

    /** @param type a record whose components have the names of the columns, or the type of the first column */
    public <T> List<T> rows(Connection connection, Map<String, ?> values, Class<T> type) throws SQLException {
        return read(connection, binder.values(values), reader(type));
    }

    public <T> List<T> rows(Connection connection, Record values, Class<T> type) throws SQLException {
        return read(connection, binder.values(values), reader(type));
    }

    /** Returns the first row of a statement that always has one. */
    public <T> T row(Connection connection, Map<String, ?> values, Class<T> type) throws SQLException {
        return theFirst(rows(connection, values, type));
    }

    public <T> T row(Connection connection, Record values, Class<T> type) throws SQLException {
        return theFirst(rows(connection, values, type));
    }

    public <T> Optional<T> firstRow(Connection connection, Map<String, ?> values, Class<T> type) throws SQLException {
        return rows(connection, values, type).stream().filter(Objects::nonNull).findFirst();
    }

    public <T> Optional<T> firstRow(Connection connection, Record values, Class<T> type) throws SQLException {
        return rows(connection, values, type).stream().filter(Objects::nonNull).findFirst();
    }

    public int update(Connection connection, Map<String, ?> values) throws SQLException {
        return update(connection, binder.values(values));
    }

    public int update(Connection connection, Record values) throws SQLException {
        return update(connection, binder.values(values));
    }

    public Bound with(Map<String, ?> values) {
        return new Bound(binder.values(values));
    }

    public Bound with(Record values) {
        return new Bound(binder.values(values));
    }

    /** Processes the rows of a result that is too long to hold in memory. */
    public interface EachRow {
        void read(ResultSet row) throws SQLException;
    }

    /** The statement with its values. */
    public final class Bound {
        private final Object[] values;

        private Bound(Object[] values) {
            this.values = values;
        }

        /** Must be called in a transaction. Fetches {@code fetch} rows at a time. */
        public void each(Connection connection, int fetch, EachRow reader) throws SQLException {
            try (PreparedStatement prepared = connection.prepareStatement(sql)) {
                prepared.setFetchSize(fetch);
                ParameterBinder.bind(connection, prepared, values);
                try (ResultSet result = prepared.executeQuery()) {
                    while (result.next()) {
                        reader.read(result);
                    }
                }
            }
        }
    }

    /** An array column of texts; NULL becomes an empty list. */
    public static List<String> texts(Object array) throws SQLException {
        return array == null ? List.of() : List.of((String[]) ((Array) array).getArray());
    }

    private interface Reader<T> {
        T read(ResultSet row) throws SQLException;
    }

    private <T> Reader<T> reader(Class<T> type) {
        RowReader<T> reader = RowReader.of(type);
        return row -> reader.read(row, name);
    }

    private <T> List<T> read(Connection connection, Object[] values, Reader<T> reader) throws SQLException {
        try (PreparedStatement prepared = connection.prepareStatement(sql)) {
            ParameterBinder.bind(connection, prepared, values);
            List<T> rows = new ArrayList<>();
            if (prepared.execute()) {
                try (ResultSet result = prepared.getResultSet()) {
                    while (result.next()) {
                        rows.add(reader.read(result));
                    }
                }
            }
            return rows;
        }
    }

    private static Map<String, Object> map(ResultSet row) throws SQLException {
        Map<String, Object> values = new LinkedHashMap<>();
        for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
            values.put(row.getMetaData().getColumnLabel(i), row.getObject(i));
        }
        return values;
    }

    private <T> T theFirst(List<T> rows) {
        if (rows.isEmpty()) {
            throw new IllegalStateException("sql/queries/" + name + ".sql has no row");
        }
        return rows.get(0);
    }

    private int update(Connection connection, Object[] values) throws SQLException {
        try (PreparedStatement prepared = connection.prepareStatement(sql)) {
            ParameterBinder.bind(connection, prepared, values);
            return prepared.executeUpdate();
        }
    }
}
