package dev.freshet.deliver;

import dev.freshet.settings.Addresses;

/**
 * One copy of a target's app, which is a target of its own in the database.
 *
 * @param name of the target, and where the copy is: {@code tag@10.0.0.1:3000}
 * @param url  what is called
 * @param ip   where its connections go, whatever its host name stands for; null: where the name says
 */
record Copy(String name, String url, String ip) {
    private static final char AT = '@';

    static Copy listed(String target, Addresses.Listed listed) {
        return new Copy(target + AT + listed.place(), listed.url(), null);
    }

    /** Two names that stand for one address may be two apps: each sees its own name in Host. */
    static Copy at(String target, Addresses.Listed listed, String ip) {
        return new Copy(target + AT + listed.host() + '=' + listed.placeAt(ip), listed.url(), ip);
    }

    /** The target that has the route: of {@code tag@10.0.0.1:3000} that is {@code tag}. */
    static String targetOf(String name) {
        int at = name.indexOf(AT);
        return at < 0 ? name : name.substring(0, at);
    }

    static boolean isCopy(String name) {
        return name.indexOf(AT) >= 0;
    }
}
