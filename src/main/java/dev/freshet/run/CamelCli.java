package dev.freshet.run;

import org.apache.camel.CamelContext;
import org.apache.camel.spi.CliConnectorFactory;

/**
 * Shows this process to Camel's command line, if a setting says so. The connector would show it as soon as it is on the
 * class path. Under Camel JBang, the connector is Camel JBang's own, and stays as it is.
 */
final class CamelCli {
    private CamelCli() {}

    static void show(CamelContext context, boolean isShown) {
        CliConnectorFactory connector = context.getCamelContextExtension().getContextPlugin(CliConnectorFactory.class);
        if (connector != null && !UnderCamelJBang.isHost()) {
            connector.setEnabled(isShown);
        }
    }
}
