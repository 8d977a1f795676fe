package dev.freshet.deliver;

import java.util.List;

/**
 * What a hand-over may claim at once.
 *
 * @param targets those that have room
 * @param at      (System.nanoTime) before the database counts, so that leases end here first
 * @param full    this instance serves targets, and none of them has room but for what is urgent: the rest of what is
 *                ripe can wait for it
 * @param hasReplicas whether the calls have to know which position they cover
 */
public record Claims(List<Room> targets, double leaseSeconds, long at, boolean full, boolean hasReplicas) {
    /**
     * So many tags for one target, under one lease.
     *
     * @param urgent so many, where those above {@code room} go before all others
     */
    public record Room(String target, int room, int urgent, String lease) {}

    /** One delivery that a hand-over has claimed. */
    public record Claimed(String target, String tag, long id, double ageSeconds) {}

    public int mostUrgentTags() {
        return targets.stream().mapToInt(Room::urgent).max().orElse(0);
    }

    public int mostTags() {
        return targets.stream().mapToInt(Room::room).max().orElse(0);
    }
}
