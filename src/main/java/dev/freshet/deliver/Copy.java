package dev.freshet.deliver;

import dev.freshet.settings.Addresses;

/**
 * One copy of a target's app, which the database treats as a target of its own.
 *
 * @param name the target's name and the copy's place: {@code tag@10.0.0.1:3000}
 * @param url the address that is called
 * @param ip where connections go, whatever the host name resolves to; null: where the name leads
 */
record Copy(String name, String url, String ip) {
    private static final char AT = '@';

    static Copy listed(String target, Addresses.Listed listed) {
        return new Copy(target + AT + listed.place(), listed.url(), null);
    }

    /**
     * The place is part of the name: two host names with the same address may be two apps, as each sees its own name in
     * Host.
     */
    static Copy at(String target, Addresses.Listed listed, String ip) {
        return new Copy(target + AT + listed.host() + '=' + listed.placeAt(ip), listed.url(), ip);
    }

    /** The target that has the route: for {@code tag@10.0.0.1:3000} that is {@code tag}. */
    static String targetOf(String name) {
        int at = name.indexOf(AT);
        return at < 0 ? name : name.substring(0, at);
    }

    static boolean isCopy(String name) {
        return name.indexOf(AT) >= 0;
    }
}
