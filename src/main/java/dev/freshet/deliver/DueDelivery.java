package dev.freshet.deliver;

import java.util.Map;

/** A row of claim.sql: a delivery that was due and that this instance has claimed. */
record DueDelivery(
        String tag,
        long id,
        long handover,
        String lease,
        Integer together,
        int rank,
        double ageSeconds,
        double owedSeconds,
        double dueSeconds,
        Long policies,
        Long position) {
    static DueDelivery of(Map<String, Object> row) {
        return new DueDelivery(
                (String) row.get("tag"),
                (Long) row.get("id"),
                (Long) row.get("claimed_handover"),
                row.get("lease_id").toString(),
                (Integer) row.get("together"),
                (Integer) row.get("rank"),
                (Double) row.get("age_seconds"),
                (Double) row.get("owed_seconds"),
                (Double) row.get("due_seconds"),
                (Long) row.get("policies"),
                (Long) row.get("position"));
    }

    boolean isRetry() {
        return rank > 0;
    }

    /** How many tags its call may carry at most. */
    int company(int batch) {
        return together == null ? batch : Math.min(batch, together);
    }
}
