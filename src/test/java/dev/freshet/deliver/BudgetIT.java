package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.deliver.provider.CloudflareSimulator;
import dev.freshet.deliver.provider.ProvidersIT;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Scene;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Two instances, one account, and more tags than its limits let through. */
class BudgetIT {
    private static final int TAGS = 200_000;

    /**
     * Sends one tag after the other that goes before all others, while there is far more to do than the limits allow.
     */
    private static final class Urgent {
        private final List<Duration> waited = new ArrayList<>();
        private long changedAt;

        void follow(Scene scene, List<String> news) {
            try {
                if (changedAt == 0) {
                    changedAt = System.nanoTime();
                    scene.change(name());
                } else if (news.contains(name())) {
                    waited.add(Duration.ofNanos(System.nanoTime() - changedAt));
                    changedAt = 0;
                }
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        }

        private String name() {
            return "urgent-" + waited.size();
        }

        /**
         * Asserts that they were delivered. Had they waited for the others, one of them at most would have come
         * through.
         */
        void assertCameThrough() {
            assertTrue(waited.size() >= 5, "only " + waited.size() + " came through beside the others");
            System.out.println(waited.size() + " urgent tags, the slowest after "
                    + waited.stream().max(Duration::compareTo).orElseThrow());
        }
    }

    @Test
    void a_transaction_of_200000_tags_goes_through_without_one_429() throws Exception {
        try (CloudflareSimulator cloudflare = new CloudflareSimulator("enterprise", "zone-1", "key");
                Scene scene = new Scene(
                        "VERCEL_DEPLOYMENT_URL=",
                        "REVALIDATION_SECRET=",
                        "CLOUDFLARE_ZONE=zone-1",
                        "CLOUDFLARE_TOKEN=key",
                        "FRESHET_LEASE=20s")) {
            for (int instance = 0; instance < 2; instance++) {
                Path folder = FreshetProcess.newFolder();
                ProvidersIT.drop(folder, "cloudflare", cloudflare.url());
                Path file = folder.resolve("routes/targets/cloudflare.camel.yaml");
                Files.writeString(file, Files.readString(file).replace("value: free", "value: enterprise"));
                scene.start(folder);
            }
            scene.database.run("SELECT cache_invalidation_policy('urgent-*', priority => 9)");
            scene.database.run("SELECT enqueue_cache_invalidation(array_agg('tag-' || i)) FROM generate_series(1, "
                    + TAGS + ") i");
            Set<String> purged = new HashSet<>();
            AtomicInteger known = new AtomicInteger();
            Urgent urgent = new Urgent();
            Eventually.is(
                    Duration.ofMinutes(4),
                    () -> {
                        List<String> news = cloudflare.purgedAfter(known.get());
                        known.addAndGet(news.size());
                        news.stream().filter(tag -> tag.startsWith("tag-")).forEach(purged::add);
                        urgent.follow(scene, news);
                        return purged.size() == TAGS;
                    },
                    () -> "all purged, not " + purged.size() + "; "
                            + cloudflare.requests().size() + " calls");
            urgent.assertCameThrough();
            assertEquals(
                    0, cloudflare.refusals().size(), () -> cloudflare.refusals().get(0));
            System.out.println(TAGS + " tags in " + cloudflare.requests().size() + " calls");
        }
    }
}
