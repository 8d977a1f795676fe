package dev.freshet.run.beans;

import dev.freshet.database.ServerTimeZone;
import dev.freshet.live.Broadcasts;
import dev.freshet.live.Hints;
import dev.freshet.live.History;
import dev.freshet.live.Hub;
import dev.freshet.live.Lookout;
import dev.freshet.live.Published;
import dev.freshet.live.Relay;
import dev.freshet.live.Stream;
import dev.freshet.observe.LiveMeters;
import dev.freshet.settings.Setting;

/** The beans that routes/live.camel.yaml and routes/api-live.camel.yaml name, and the hints that wake all stages. */
final class LiveBeans {
    /** How many reconnecting clients may catch up at the same time. */
    private static final int REPLAYS = 3;

    private LiveBeans() {}

    static void bind(Parts parts, QueueBeans queue) {
        LiveMeters meters = new LiveMeters(parts.meters());
        Hub hub = new Hub(meters);
        parts.bind("hub", hub);
        Relay relay = new Relay(parts.transactions(), meters, parts.number(Setting.LIVE_LIMIT));
        parts.bind("relay", relay);
        Published published = new Published(parts.transactions(), relay, hub);
        parts.bind("published", published);
        parts.bind("lookout", new Lookout(published, hub, queue.sleep()));
        QueueBeans.bindProbe(parts, "probe-live", () -> parts.duration(Setting.LIVE_PROBE), queue.sleep());
        History history = new History(parts.transactions(), parts.duration(Setting.LIVE_RETENTION));
        parts.bind("history", history);
        parts.bind("broadcasts", new Broadcasts(parts.transactions(), hub));
        Stream stream = new Stream(
                hub,
                history,
                meters,
                parts.context().getExecutorServiceManager().newFixedThreadPool(hub, "live-replay", REPLAYS),
                parts.number(Setting.LIVE_CONNECTIONS));
        parts.bind("stream", stream);
        bindHints(parts);
    }

    private static void bindHints(Parts parts) {
        Hints hints = new Hints(parts.context(), parts.direct());
        parts.bind("hints", hints);
        parts.bind("hintSource", hints.source());
        parts.bind("serverTimeZone", new ServerTimeZone(parts.direct() == null ? null : hints.source()));
    }
}
