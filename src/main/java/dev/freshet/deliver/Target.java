package dev.freshet.deliver;

/** What a file under routes/targets says of its target; the route of the same name makes the call. */
public final class Target {
    private String name;
    private int batch = 1;
    private int concurrency = 8;
    private int rate;
    private boolean takesQueue = true;

    public String getName() {
        return name;
    }

    public void setName(String name) {
        this.name = name;
    }

    public int getBatch() {
        return batch;
    }

    /** Tags in one call, at most. */
    public void setBatch(int batch) {
        this.batch = batch;
    }

    public int getConcurrency() {
        return concurrency;
    }

    /** Calls at the same time, at most; as many as the route has consumers. */
    public void setConcurrency(int concurrency) {
        this.concurrency = concurrency;
    }

    public int getRate() {
        return rate;
    }

    /** Calls that begin within a second, at most; 0: as many as there are. */
    public void setRate(int rate) {
        this.rate = rate;
    }

    public boolean isTakesQueue() {
        return takesQueue;
    }

    /** False for a target that gets only what is sent to it by name. */
    public void setTakesQueue(boolean takesQueue) {
        this.takesQueue = takesQueue;
    }
}
