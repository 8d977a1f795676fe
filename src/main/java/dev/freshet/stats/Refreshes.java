package dev.freshet.stats;

import dev.freshet.deliver.CallFailure;

/** The methods by which routes report to a job's refresh. */
public final class Refreshes {
    public void answered(Refresh refresh, int status, String body) throws Refresh.SomeFailed {
        refresh.answered(status, body);
    }

    /** Whether the same call may succeed in a moment. */
    public boolean mayPass(Exception failure) {
        return CallFailure.mayPass(failure);
    }

    public void gaveUp(Refresh refresh, Exception failure) {
        refresh.gaveUp(failure);
    }
}
