package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.deliver.provider.CloudflareSimulator;
import dev.freshet.deliver.provider.ProvidersIT;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Scene;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Two instances, one account, and more to tell it than it lets through. */
class BudgetIT {
    private static final int TAGS = 200_000;

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
            scene.database.run("SELECT enqueue_cache_invalidation(array_agg('tag-' || i)) FROM generate_series(1, "
                    + TAGS + ") i");
            Set<String> purged = new HashSet<>();
            Eventually.is(
                    Duration.ofMinutes(4),
                    () -> {
                        purged.addAll(cloudflare.purged());
                        return purged.size() == TAGS;
                    },
                    () -> "all purged, not " + purged.size() + "; "
                            + cloudflare.requests().size() + " calls");
            assertEquals(
                    0, cloudflare.refusals().size(), () -> cloudflare.refusals().get(0));
            System.out.println(TAGS + " tags in " + cloudflare.requests().size() + " calls");
        }
    }
}
