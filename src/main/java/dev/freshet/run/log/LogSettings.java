package dev.freshet.run.log;

import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;

/** How the log looks, and what is in it. */
public final class LogSettings {
    private LogSettings() {}

    /** log4j2.xml knows the environment; what stands in application.properties is known only now. */
    public static void apply(Settings settings) {
        String format = settings.text(Setting.LOG_FORMAT).orElseThrow();
        boolean jsonSoFar = "json".equals(System.getenv(Setting.LOG_FORMAT.environment));
        if (jsonSoFar != format.equals("json")) {
            System.setProperty(Setting.LOG_FORMAT.key, format);
            Configurator.reconfigure();
        }
        Configurator.setLevel(
                "dev.freshet", Level.valueOf(settings.text(Setting.LOG_LEVEL).orElseThrow()));
    }
}
