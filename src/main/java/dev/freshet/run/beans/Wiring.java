package dev.freshet.run.beans;

import dev.freshet.run.routes.HurriedQueues;

/** Creates the beans that routes name. Each stage has a class of its own for its beans. */
public final class Wiring {
    private Wiring() {}

    public static void bind(Parts parts) {
        parts.bind("routeQueues", new HurriedQueues());
        DeliverBeans deliver = DeliverBeans.bind(parts);
        QueueBeans queue = QueueBeans.bind(parts, deliver);
        AuditBeans audit = AuditBeans.bind(parts, deliver);
        StatsBeans.bind(parts, deliver);
        CacheBeans.bind(parts);
        LiveBeans.bind(parts, queue);
        DemoBeans.bind(parts);
        ApiBeans.bind(parts);
        ObserveBeans observe = ObserveBeans.bind(parts, queue, deliver);
        ConsoleBeans.bind(parts, observe, deliver, audit);
    }
}
