package dev.freshet.run;

import dev.freshet.run.routes.HurriedQueues;
import dev.freshet.run.stop.HandsBackOnStop;
import dev.freshet.run.stop.StopsFirst;
import java.util.List;
import org.apache.camel.spi.Registry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends what must end before the routes do, and hands back what is left after the last route has stopped. */
final class StopInOrder {
    private static final Logger LOG = LoggerFactory.getLogger("dev.freshet.Freshet");

    private List<HandsBackOnStop> handBacks = List.of();

    /** Looks up the beans while the context is still complete. */
    void beforeRoutes(Registry registry) {
        registry.findByType(StopsFirst.class).forEach(StopsFirst::stop);
        registry.findByType(HurriedQueues.class).forEach(HurriedQueues::hurry);
        handBacks = List.copyOf(registry.findByType(HandsBackOnStop.class));
    }

    void afterRoutes() {
        for (HandsBackOnStop handBack : handBacks) {
            try {
                handBack.handBack();
            } catch (Exception e) {
                LOG.warn("{} could not hand back: {}", handBack.getClass().getSimpleName(), e.toString());
            }
        }
        handBacks = List.of();
    }
}
