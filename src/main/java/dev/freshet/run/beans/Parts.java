package dev.freshet.run.beans;

import dev.freshet.audit.AuditLog;
import dev.freshet.database.DatabaseUrl;
import dev.freshet.database.Transactions;
import dev.freshet.demo.DemoReceiver;
import dev.freshet.run.routes.LiveRoutes;
import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.ProducerTemplate;

/**
 * What the beans of all stages are built from.
 *
 * @param demoReceiver the address at which Freshet's own receiver stands in for a target; null: it does not
 * @param demoKey what Freshet shows to that receiver; null: there is none
 * @param single provides a new connection each time, for statements that take long
 * @param direct an address on which LISTEN works; null: there is none
 */
public record Parts(
        CamelContext context,
        Settings settings,
        String demoReceiver,
        String demoKey,
        Transactions transactions,
        DataSource pool,
        DataSource single,
        DatabaseUrl direct,
        LiveRoutes liveRoutes,
        PrometheusMeterRegistry meters) {

    public Parts(
            CamelContext context,
            Settings settings,
            String demoReceiver,
            Transactions transactions,
            DataSource pool,
            DataSource single,
            DatabaseUrl direct,
            LiveRoutes liveRoutes) {
        this(
                context,
                settings,
                demoReceiver,
                demoReceiver == null ? null : DemoReceiver.newSecret(),
                transactions,
                pool,
                single,
                direct,
                liveRoutes,
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
    }

    void bind(String name, Object bean) {
        context.getRegistry().bind(name, bean);
    }

    Duration duration(Setting setting) {
        return settings.duration(setting);
    }

    int number(Setting setting) {
        return settings.number(setting);
    }

    /** Null if it is not set. */
    String secret(Setting setting) {
        return settings.text(setting).orElse(null);
    }

    boolean hasBatchTarget() {
        return demoReceiver != null || settings.batchTargetUrl().isPresent();
    }

    /** Rows that are written when there is time for it: the audit must not delay anything. */
    Consumer<AuditLog.Row> audit() {
        ProducerTemplate audit = context.createProducerTemplate();
        return row -> audit.sendBody("seda:audit?discardWhenFull=true&size=10000", row);
    }
}
