package dev.freshet.run.beans;

import dev.freshet.api.ApiRates;
import dev.freshet.api.Bind;
import dev.freshet.api.Keys;
import dev.freshet.api.Problems;
import dev.freshet.api.QuietHeaders;
import dev.freshet.api.Rate;
import dev.freshet.api.RefusalReports;
import dev.freshet.api.RefusedRequest;
import dev.freshet.api.Requests;
import dev.freshet.api.gate.Gate;
import dev.freshet.audit.AuditLog;
import dev.freshet.observe.Meters;
import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import java.util.function.Consumer;

/** The beans that routes/api.camel.yaml names, and the gate in front of every route. */
public final class ApiBeans {
    private ApiBeans() {}

    static void bind(Parts parts) {
        parts.bind("requests", new Requests());
        parts.bind("problems", new Problems());
        parts.bind("quietHeaders", new QuietHeaders());
    }

    /** In front of every route, so that no route can forget to check who may call it. */
    public static Gate gate(Parts parts) {
        Settings settings = parts.settings();
        Keys keys = new Keys(
                parts.secret(Setting.API_KEY),
                parts.secret(Setting.SERVICE_ROLE_KEY),
                parts.secret(Setting.READ_KEY),
                parts.secret(Setting.LIVE_KEY),
                parts.secret(Setting.ANON_KEY),
                parts.demoKey());
        Bind bind = Bind.at(
                settings.text(Setting.HOST).orElseThrow(),
                settings.flag(Setting.ALLOW_ANONYMOUS),
                settings.text(Setting.LIVE_ORIGINS).orElseThrow());
        ApiRates limits = new ApiRates(
                ApiRates.DEFAULT.bodyBytes(),
                ApiRates.DEFAULT.invalidateBodyBytes(),
                new Rate(settings.number(Setting.API_RATE), System::nanoTime));
        return new Gate(keys, bind, limits, refusals(parts));
    }

    private static RefusalReports refusals(Parts parts) {
        Consumer<AuditLog.Row> audit = parts.audit();
        RefusalReports refusals = new RefusalReports(refusal -> audit.accept(row(refusal)));
        new Meters(parts.meters()).of(refusals);
        return refusals;
    }

    private static AuditLog.Row row(RefusedRequest refusal) {
        return AuditLog.Row.of(
                "refused",
                null,
                null,
                refusal.client(),
                refusal.status(),
                refusal.method() + ' ' + refusal.path() + ": " + refusal.reason(),
                refusal.requestId());
    }
}
