package dev.freshet.run.beans;

import dev.freshet.cache.EntityRules;
import dev.freshet.cache.Entries;
import dev.freshet.cache.InvalidationStep;
import dev.freshet.cache.Invalidations;
import dev.freshet.cache.Publications;
import dev.freshet.cache.Tallies;
import dev.freshet.cache.Topic;
import dev.freshet.cache.pattern.Patterns;
import dev.freshet.settings.Setting;

/** The beans that routes/cache.camel.yaml and the API's routes for caches name. */
final class CacheBeans {
    private CacheBeans() {}

    static void bind(Parts parts) {
        Tallies tallies = new Tallies(parts.transactions());
        parts.bind("tallies", tallies);
        Entries entries = new Entries(parts.transactions(), tallies, parts.duration(Setting.CACHE_EXPIRED));
        parts.bind("entries", entries);
        Invalidations invalidations = new Invalidations(parts.transactions(), entries, new Patterns(), tallies);
        parts.bind("invalidations", invalidations);
        parts.bind("invalidateKeys", new InvalidationStep(invalidations::byKeys));
        parts.bind("invalidatePattern", new InvalidationStep(invalidations::byPattern));
        parts.bind("entityRules", new EntityRules(parts.transactions()));
        parts.bind("notifyTopic", new Topic(parts.pool()));
        parts.bind("publications", new Publications(parts.context(), parts.pool(), tallies));
    }
}
