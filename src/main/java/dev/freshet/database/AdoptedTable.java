package dev.freshet.database;

import dev.freshet.settings.CannotStart;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A table of a replaced system that may exist already, with what the contract says about it.
 *
 * @param key the columns of its unique key, in alphabetical order; null: it needs none
 * @param attempt inserts a row as Freshet does
 */
record AdoptedTable(String name, List<Column> columns, String key, SqlFile attempt) {
    /** @param type {@code time} is with or without a time zone, {@code label} is any string or enum */
    record Column(String name, String type) {
        boolean takes(FoundColumn found) {
            return switch (type) {
                case "any" -> true;
                case "text" -> found.category().equals("S");
                case "label" -> found.category().equals("S") || found.category().equals("E");
                case "number" -> found.category().equals("N");
                case "time" ->
                    found.type().equals("timestamptz") || found.type().equals("timestamp");
                default -> type.equals(found.type());
            };
        }

        private String shown() {
            return type.equals("label") ? "text" : type;
        }

        /** What is wrong with the column of this name; empty if it is as required. */
        Optional<String> objection(Optional<FoundColumn> found) {
            if (found.isEmpty()) {
                return Optional.of("is missing (" + shown() + ")");
            }
            if (!takes(found.get())) {
                return Optional.of("is " + found.get().type() + ", not " + shown());
            }
            String written = found.get().written();
            if (name.equals("tag") && !TAKES_ANY_TAG.matcher(written).matches()) {
                return Optional.of(
                        "is " + written + ", which does not take every tag: write ALTER COLUMN tag TYPE text");
            }
            return Optional.empty();
        }
    }

    /** @param written the type as SQL writes it, with its length */
    record FoundColumn(String type, String category, String written) {}

    /** @param kind the kind of relation, as in pg_class */
    record FoundTable(String role, String kind, boolean isOurs, String owner, boolean hidesRows) {}

    /**
     * @param columns that require a value; null: none
     * @param help the statement that lets them do without one
     */
    record ColumnsToFill(String columns, String help) {}

    private record OneColumn(String table, String column) {}

    private record OtherColumns(String table, List<String> known) {}

    private record Key(String table, String key) {}

    private static final SqlFile TABLE = SqlFile.of("database/adopted-table");
    private static final SqlFile COLUMN = SqlFile.of("database/adopted-column");
    private static final SqlFile COLUMNS_TO_FILL = SqlFile.of("database/columns-to-fill");
    private static final SqlFile HAS_UNIQUE_KEY = SqlFile.of("database/has-unique-key");
    private static final Pattern TAKES_ANY_TAG =
            Pattern.compile("text|character varying|character varying\\((25[6-9]|2[6-9]\\d|[3-9]\\d\\d|\\d{4,})\\)");

    /** @param columns each as its name and its type */
    static AdoptedTable of(String name, String key, SqlFile attempt, String... columns) {
        List<Column> known = new ArrayList<>();
        for (String column : columns) {
            String[] nameAndType = column.split(" ");
            known.add(new Column(nameAndType[0], nameAndType[1]));
        }
        return new AdoptedTable(name, known, key, attempt);
    }

    /** @throws CannotStart if it exists in a form that Freshet cannot work with */
    void check(Connection connection) throws SQLException {
        Optional<FoundTable> found = TABLE.firstRow(connection, Map.of("table", name), FoundTable.class);
        if (found.isEmpty()) {
            return;
        }
        checkOwner(found.get());
        checkColumns(connection);
        checkOtherColumns(connection);
        if (key != null) {
            checkKey(connection);
        }
    }

    private void checkOwner(FoundTable found) {
        if (!"r".equals(found.kind())) {
            throw new CannotStart("public." + name
                    + " is there already, but is no ordinary table: rename it, so that Freshet can create its own");
        }
        if (!found.isOurs()) {
            throw new CannotStart("The table public." + name + " is there already and belongs to "
                    + Adoption.quoted(found.owner()) + "; Freshet must own the tables it adopts: run  ALTER TABLE"
                    + " public." + name + " OWNER TO " + Adoption.quoted(found.role()) + ";");
        }
        if (found.hidesRows()) {
            throw new CannotStart("The row-level security of public." + name
                    + " would hide rows from Freshet: run  ALTER TABLE public." + name
                    + " NO FORCE ROW LEVEL SECURITY;");
        }
    }

    private void checkColumns(Connection connection) throws SQLException {
        List<String> objections = new ArrayList<>();
        for (Column column : columns) {
            column.objection(COLUMN.firstRow(connection, new OneColumn(name, column.name()), FoundColumn.class))
                    .ifPresent(objection -> objections.add(column.name() + " " + objection));
        }
        if (!objections.isEmpty()) {
            throw new CannotStart("The table public." + name + " is there already, but in another form: "
                    + String.join(", ", objections) + "; rename it, or change it with ALTER TABLE");
        }
    }

    /** Columns that Freshet does not know must not require a value. */
    private void checkOtherColumns(Connection connection) throws SQLException {
        List<String> known = columns.stream().map(Column::name).toList();
        ColumnsToFill found = COLUMNS_TO_FILL.row(connection, new OtherColumns(name, known), ColumnsToFill.class);
        if (found.columns() != null) {
            throw new CannotStart("The table public." + name + " has columns of its own that must not be null and have"
                    + " no default (" + found.columns() + "), so that Freshet cannot add rows: give them one, or run"
                    + "  ALTER TABLE public." + name + " " + found.help() + ";");
        }
    }

    private void checkKey(Connection connection) throws SQLException {
        if (!HAS_UNIQUE_KEY.row(connection, new Key(name, key), Boolean.class)) {
            throw new CannotStart("The table public." + name + " has no unique key (" + key
                    + "): run  ALTER TABLE public." + name + " ADD PRIMARY KEY (" + key + ");");
        }
    }
}
