package dev.freshet.database;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns the server's own time zone, which only a session whose client has set none can see. The pool's driver always
 * sets the JVM's. So it is read through the other driver (camel-pgevent's), and stored in the database for all
 * instances.
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
