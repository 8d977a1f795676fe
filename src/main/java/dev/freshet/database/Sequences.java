package dev.freshet.database;

import dev.freshet.settings.CannotStart;
import java.sql.SQLException;
import java.util.Map;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes sequences continue where the numbers ended, even in a copy of the database that was made without its sequences.
 */
public final class Sequences {
    record RaisedSequence(String sequence, long goesOnFrom) {}

    private static final Logger LOG = LoggerFactory.getLogger(Sequences.class);

    private final SqlFile raise = SqlFile.of("database/raise-sequences");
    private final Transactions transactions;

    public Sequences(DataSource dataSource) {
        this.transactions = new Transactions(dataSource);
    }

    public void raise() {
        try {
            for (RaisedSequence raised : transactions.in(c -> raise.rows(c, Map.of(), RaisedSequence.class))) {
                LOG.info(
                        "{} was behind its rows, as after a logical cut-over, and goes on from {}",
                        raised.sequence(),
                        raised.goesOnFrom());
            }
        } catch (SQLException e) {
            throw new CannotStart("The database's sequences could not be looked at: "
                    + String.valueOf(e.getMessage()).replaceAll("\\s*\\R\\s*", " "));
        }
    }
}
