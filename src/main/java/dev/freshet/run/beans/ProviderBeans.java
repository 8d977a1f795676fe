package dev.freshet.run.beans;

import dev.freshet.deliver.PlainCall;
import dev.freshet.deliver.provider.Answer;
import dev.freshet.deliver.provider.AwsSignature;
import dev.freshet.deliver.provider.EdgeGrid;
import dev.freshet.deliver.provider.Redis;
import dev.freshet.deliver.provider.Spellings;
import dev.freshet.settings.Setting;
import java.time.Clock;

/** The beans that the templates of routes/templates name: the protocols of the different caches. */
final class ProviderBeans {
    private ProviderBeans() {}

    static void bind(Parts parts) {
        parts.bind("spelling", new Spellings());
        parts.bind("answer", new Answer());
        parts.bind("awsSignature", new AwsSignature(Clock.systemUTC()));
        parts.bind("edgeGrid", new EdgeGrid(Clock.systemUTC()));
        parts.bind("redis", new Redis(parts.duration(Setting.TARGET_TIMEOUT)));
        parts.bind("plainCall", new PlainCall());
    }
}
