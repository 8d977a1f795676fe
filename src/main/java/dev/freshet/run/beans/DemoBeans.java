package dev.freshet.run.beans;

import dev.freshet.deliver.BearerKey;
import dev.freshet.deliver.Signature;
import dev.freshet.demo.CachedPages;
import dev.freshet.demo.DemoReceiver;
import dev.freshet.demo.DemoTables;
import dev.freshet.settings.Setting;
import java.time.Clock;
import org.apache.camel.support.builder.ExpressionBuilder;

/** The beans that routes/demo.camel.yaml names, and the secret that the tag target and the demo's receiver share. */
final class DemoBeans {
    private DemoBeans() {}

    static void bind(Parts parts) {
        // without a secret the tag target is off, but its route still names the signature
        String demoSecret = DemoReceiver.newSecret();
        Signature signature =
                new Signature(parts.settings().text(Setting.REVALIDATION_SECRET).orElse(demoSecret), Clock.systemUTC());
        parts.bind("tagSignature", signature);
        parts.bind("tagSecret", ExpressionBuilder.constantExpression(signature.secret()));
        CachedPages pages = new CachedPages(parts.transactions(), parts.demoReceiver() != null, Clock.systemUTC());
        parts.bind("demoPages", pages);
        parts.bind("demoTables", new DemoTables(parts.transactions()));
        parts.bind("demoReceiver", new DemoReceiver(demoSecret, pages::invalidate, Clock.systemUTC()));
        parts.bind("demoKey", new BearerKey(parts.demoKey()));
    }
}
