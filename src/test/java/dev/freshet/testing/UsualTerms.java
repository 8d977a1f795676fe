package dev.freshet.testing;

import dev.freshet.deliver.Lanes;
import java.time.Duration;

/** How claims are made in tests that do not care about it. */
public final class UsualTerms {
    public static final Lanes.Terms TERMS = new Lanes.Terms(
            Duration.ofSeconds(30), Duration.ofSeconds(10), Duration.ofSeconds(1), Duration.ofSeconds(10));

    private UsualTerms() {}
}
