package dev.freshet.deliver.replica;

import dev.freshet.database.DatabaseUrl;
import dev.freshet.settings.CannotStart;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** FRESHET_REPLICAS: comma-separated addresses. An address that names several hosts stands for as many replicas. */
final class ReplicaAddresses {
    private static final String SETTING = "FRESHET_REPLICAS";
    /** A comma that separates addresses. Commas also separate the hosts within one address. */
    private static final String BETWEEN = ",(?=\\s*(jdbc:)?postgres(ql)?://)";

    private static final String COMMA_LATER = "(jdbc:)?postgres(ql)?://[^/?]*[/?].*,.*";

    private ReplicaAddresses() {}

    /** @throws CannotStart says which address is bad and why, without quoting the address: it may contain a password */
    static List<DatabaseUrl> parse(String text) {
        String[] addresses = text.replaceAll("[,\\s]+$", "").split(BETWEEN);
        List<DatabaseUrl> parsed = new ArrayList<>();
        for (int i = 0; i < addresses.length; i++) {
            try {
                parsed.addAll(eachHost(addresses[i].trim()));
            } catch (IllegalArgumentException e) {
                String which = addresses.length == 1 ? "" : " (address " + (i + 1) + " of " + addresses.length + ")";
                throw new CannotStart(SETTING + which + ": " + e.getMessage());
            }
        }
        return parsed.stream().filter(new HashSet<>()::add).toList();
    }

    private static List<DatabaseUrl> eachHost(String address) {
        if (address.matches(COMMA_LATER)) {
            throw new IllegalArgumentException("followed by a comma and no database's address; write"
                    + " postgres://user:password@host:5432/database for each, and a comma within one as %2C");
        }
        DatabaseUrl all = DatabaseUrl.parse(address);
        Map<String, String> parameters = new LinkedHashMap<>(all.parameters());
        parameters.remove("targetServerType"); // ask the host whatever role it has by now
        List<DatabaseUrl> each = new ArrayList<>();
        for (String host : all.hosts().split(",")) {
            each.add(new DatabaseUrl(host, all.database(), all.user(), all.password(), parameters, all.pooled()));
        }
        return each;
    }

    /** The name for logs, health and the console. */
    static String name(DatabaseUrl address) {
        return address.hosts() + "/" + address.database();
    }
}
