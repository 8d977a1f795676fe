package dev.freshet.deliver;

import dev.freshet.database.Json;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.settings.Addresses;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Registers each address of a target in the database as a target of its own: the addresses of a list, and those that a
 * host name resolves to. Used by {@link Targets} only, one turn after the other.
 */
final class Copies {
    /**
     * A target and the names that stand for it now: its own, or those of its copies.
     *
     * @param answered places whose host names DNS has just answered for: addresses that are not in the answer are gone
     */
    record Family(String parent, List<String> serves, List<String> answered) {}

    /** A row as serve-copies.sql reads it. */
    record Row(String name, String place, String ip, boolean seen, boolean pending) {}

    /**
     * @param listed as JSON
     * @param places places whose host names resolve to addresses
     * @param answered those of the places that DNS has just answered for
     */
    private record Declared(
            String parent,
            boolean takesQueue,
            int batch,
            String after,
            String listed,
            List<String> places,
            List<String> answered) {}

    private record Served(String name, boolean isRegistered, boolean pending, String place, String ip) {}

    private final SqlFile serve = SqlFile.of("deliver/serve-copies");
    private final HostNames names;
    private final Transactions transactions;
    private final Lanes lanes;
    /** The DNS answer that the database was told last, by target and place. */
    private final Map<String, Long> told = new HashMap<>();

    private boolean hasFirstAnswer;

    Copies(HostNames names, Transactions transactions, Lanes lanes) {
        this.names = names;
        this.transactions = transactions;
        this.lanes = lanes;
    }

    /** What this instance knows of a target's addresses at this moment. */
    private final class Look {
        private final Target target;
        private final List<Row> rows = new ArrayList<>();
        private final Map<String, String> urls = new HashMap<>();
        private final List<String> resolved = new ArrayList<>();
        private final List<String> answered = new ArrayList<>();
        private final Map<String, Long> toTell = new HashMap<>();

        Look(Target target) {
            this.target = target;
            target.addresses().forEach(this::take);
        }

        private void take(Addresses.Listed listed) {
            urls.put(listed.place(), listed.url());
            String alone = Copy.listed(target.getName(), listed).name();
            if (!target.resolves(listed)) {
                rows.add(new Row(alone, listed.place(), null, true, false));
                return;
            }
            resolved.add(listed.place());
            HostNames.Answer answer = names.of(listed.host());
            if (answer == null) {
                rows.add(new Row(alone, listed.place(), null, false, true));
                return;
            }
            boolean isNews = answer.at() != told.getOrDefault(alone, answer.at() - 1);
            answer.ips()
                    .forEach(ip -> rows.add(
                            new Row(Copy.at(target.getName(), listed, ip).name(), listed.place(), ip, isNews, false)));
            if (HostNames.isNew(answer)) {
                answered.add(listed.place());
            }
            hasFirstAnswer |= !told.containsKey(alone);
            if (isNews) {
                toTell.put(alone, answer.at());
            }
        }

        /**
         * Reported only once for each answer. Otherwise two instances with differing DNS would contradict each other
         * all the time.
         */
        private List<String> toBeMissing() {
            return answered.stream()
                    .filter(place -> toTell.containsKey(target.getName() + "@" + place))
                    .toList();
        }
    }

    /** Registers the target's addresses in the database and serves exactly those here. */
    Family serve(Target target) throws SQLException {
        Look look = new Look(target);
        Declared declared = new Declared(
                target.getName(),
                target.isTakesQueue(),
                target.getBatch(),
                target.getAfter(),
                Json.text(look.rows),
                look.resolved,
                look.toBeMissing());
        List<String> serves = new ArrayList<>();
        List<String> called = new ArrayList<>();
        // a statement of its own: a process that stops here holds no locks
        for (Served copy : transactions.inOne(c -> serve.rows(c, declared, Served.class))) {
            if (!copy.isRegistered()) {
                throw new SQLException(
                        "Target " + copy.name() + " is back while it is being forgotten: the next turn knows it again");
            }
            serves.add(copy.name());
            if (!copy.pending()) {
                called.add(copy.name());
                lanes.serve(target.at(new Copy(copy.name(), look.urls.get(copy.place()), copy.ip())));
            }
        }
        lanes.keepOnly(target.getName(), called);
        told.putAll(look.toTell);
        return new Family(target.getName(), serves, look.answered);
    }

    /**
     * Whether a host name was resolved for the first time, so that deliveries that waited for it may be made. Resets
     * the answer.
     */
    boolean takeFirstAnswer() {
        boolean had = hasFirstAnswer;
        hasFirstAnswer = false;
        return had;
    }
}
