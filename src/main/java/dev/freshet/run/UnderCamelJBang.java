package dev.freshet.run;

import dev.freshet.deliver.HostNames;
import dev.freshet.settings.CannotStart;
import org.apache.camel.CamelContext;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainSupport;
import org.apache.camel.spi.ContextServicePlugin;

/**
 * Where the main class is Camel JBang's, which finds this in the jar: the same start-up, as one of that main's
 * listeners.
 */
public final class UnderCamelJBang implements ContextServicePlugin {
    @Override
    public void load(CamelContext context) {
        HostNames.forgetSoon();
        // Camel JBang was there before, and loaded this jar into itself; Freshet's own main class came with its Camel,
        // and has its start-up
        if (UnderCamelJBang.class.getClassLoader() != CamelContext.class.getClassLoader()) {
            context.getRegistry().bind("startUp", new Hosted());
        }
    }

    /** Does what {@link RunUntilShutdown} does where Freshet's own main class runs. */
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
