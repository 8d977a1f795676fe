package dev.freshet.database;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's own time zone can be seen only by a session whose client gave none. The pool's driver always gives the
 * JVM's, so it is asked for through the other one (camel-pgevent's), and kept in the database for everybody.
 */
public final class ServerTimeZone {
    private static final Logger LOG = LoggerFactory.getLogger(ServerTimeZone.class);

    private final DataSource direct;

    /** @param direct null: there is only a transaction pooler */
    public ServerTimeZone(DataSource direct) {
        this.direct = direct;
    }

    public void learn() {
        if (direct == null) {
            return;
        }
        try (Connection connection = direct.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT freshet.learn_time_zone()");
        } catch (SQLException e) {
            LOG.debug("The server's time zone is as it was", e);
        }
    }
}
