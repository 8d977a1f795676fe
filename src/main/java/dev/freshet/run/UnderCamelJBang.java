package dev.freshet.run;

import dev.freshet.deliver.HostNames;
import dev.freshet.settings.CannotStart;
import org.apache.camel.CamelContext;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainSupport;
import org.apache.camel.spi.ContextServicePlugin;

/**
 * Starts Freshet under Camel JBang, whose main class finds this plugin in the jar: the same start-up, as a listener of
 * that main.
 */
public final class UnderCamelJBang implements ContextServicePlugin {
    @Override
    public void load(CamelContext context) {
        HostNames.forgetSoon();
        if (isHost()) { // otherwise the start-up is there already
            context.getRegistry().bind("startUp", new Hosted());
        }
    }

    /** Camel JBang loads Camel's classes by another class loader than this jar; Freshet's own main class does not. */
    static boolean isHost() {
        return UnderCamelJBang.class.getClassLoader() != CamelContext.class.getClassLoader();
    }

    /** Does what {@link RunUntilShutdown} does when Freshet's own main class runs. */
    private static final class Hosted extends StartUp {
        @Override
        public void beforeConfigure(BaseMainSupport main) {
            StopInTime.onSignals((MainSupport) main);
            Runtime.getRuntime().addShutdownHook(new Thread(this::close, "freshet-close"));
            try {
                super.beforeConfigure(main);
            } catch (RuntimeException failure) {
                System.exit(RunUntilShutdown.sayWhy(failure));
            }
        }

        @Override
        public void afterStop(BaseMainSupport main) {
            super.afterStop(main);
            try {
                throwLateRefusal();
            } catch (CannotStart refusal) {
                System.exit(RunUntilShutdown.sayWhy(refusal));
            }
        }
    }
}
