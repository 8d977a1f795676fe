package dev.freshet.run.log;

import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;

/** The format and the level of the log. */
public final class LogSettings {
    private LogSettings() {}

    /** log4j2.xml can read the environment, but the values of application.properties are known only now. */
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
