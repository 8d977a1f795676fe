package dev.freshet.deliver;

import java.util.List;

/**
 * What a hand-over may claim in the same statement.
 *
 * @param targets targets with room
 * @param at System.nanoTime before the database starts counting, so that leases end here first
 * @param full this instance serves targets, but none has room except for urgent tags: the rest of what is ripe can wait
 * @param hasReplicas whether calls have to know which position they cover
 */
public record Claims(List<Room> targets, double leaseSeconds, long at, boolean full, boolean hasReplicas) {
    /**
     * How many tags may be claimed for one target, under one lease.
     *
     * @param urgent the limit with urgent tags included: those above {@code room} must all be urgent
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
